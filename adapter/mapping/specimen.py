"""Which specimen a result is from, and whether it will do: what the order says, else what the code implies."""

from dataclasses import dataclass

from adapter.mapping.codes import Meaning

GENERAL = frozenset({"", "blood"})
"""What says less than a code that implies arterial blood or serum."""
SHARED = frozenset({"blood", "serum", "plasma"})
"""Laboratories write one for the other; none contradicts the others."""


@dataclass(frozen=True, slots=True)
class Specimen:
    """`kind` is our word, `name` as the sender wrote it; `unknown`: named, but by no word we know."""

    kind: str
    suitable: bool
    unknown: bool
    name: str


def specimen_of(found: Meaning, stated: str, name: str) -> Specimen:
    """`stated` is our word for what the order says, `name` the sender's."""
    kind = found.specimen if stated in GENERAL and found.specimen else stated
    unknown = bool(name) and not stated and bool(found.concept.specimens)
    return Specimen(kind, suitable(found, stated, kind), unknown, name)


def suitable(found: Meaning, stated: str, kind: str) -> bool:
    """A code that needs a stated specimen gets no benefit of the doubt; others do where nothing is known."""
    accepted = found.concept.specimens
    if not accepted:
        return True
    if found.code in found.concept.specimen_needed:
        return stated in accepted
    return not kind or kind in accepted or (kind in SHARED and bool(accepted & SHARED))
