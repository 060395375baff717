"""A finding about the data inside a message: reported, counted, never raised."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issue:
    """`code` is stable (`unmapped-code`), `where` an HL7 path (`OBX-3 #4`), `text` says what happened and what to do next.

    No patient data in any of them. `detail` may carry a code or unit as the sender wrote it (never a value).
    """

    code: str
    where: str
    text: str
    detail: str = ""
