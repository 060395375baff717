"""Answers prepared by form: a feed's headers differ in time and control id alone, so judging and building is done once a second.

What is not perfectly ordinary takes the long way of `envelope`; a law in the tests holds both ways to the same bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from adapter.domain.message import RawMessage

START = b"MSH|^~\\&|"
OURS, THEIRS = "OUR-ID-NOT-SENT", "THEIR-ID-NOT-SENT"
"""Stand in the built answer where the two control ids go."""
TIME, CONTROL_ID, SHORTEST, LONGEST_ID = 6, 9, 12, 199
"""Positions in a header split at `|` (MSH-7, MSH-10), the fields it must have, and the length of an id (HL7 2.9)."""
KEPT = 256
"""Forms remembered: a feed has a handful (type × version × sender)."""


class Header(NamedTuple):
    """An ordinary header: all of it but time and control id is its `key`."""

    key: bytes
    control_id: bytes

    @property
    def line(self) -> bytes:
        """The header again, with `THEIRS` for its control id and no time."""
        fields = self.key.split(b"|")
        fields[CONTROL_ID] = THEIRS.encode("ascii")
        return b"|".join(fields) + b"\r"


@dataclass(frozen=True, slots=True)
class Form:
    """What answers and rows of one form share, during one second; `parts` is empty where no answer is owed."""

    second: int
    sender: str
    type: str
    quarantine: str | None
    parts: tuple[bytes, ...]

    def answer(self, ours: Callable[[], str], theirs: bytes) -> bytes:
        if not self.parts:
            return b""
        before, between, after = self.parts
        return b"%b%b%b%b%b" % (before, ours().encode("ascii"), between, theirs, after)


@dataclass(slots=True)
class Forms:
    _known: dict[bytes, Form] = field(default_factory=dict)

    def get(self, key: bytes) -> Form | None:
        return self._known.get(key)

    def learn(self, header: Header, now: datetime, judged: Callable[[bytes], RawMessage]) -> Form:
        """`judged` goes the long way with a header that holds `THEIRS`, answering under `OURS`."""
        message = judged(header.line)
        before, _, rest = message.acknowledgment.partition(OURS.encode("ascii"))
        between, _, after = rest.partition(THEIRS.encode("ascii"))
        parts = (before, between, after) if message.acknowledgment else ()
        form = Form(int(now.timestamp()), message.sender, message.type, message.quarantine, parts)
        if len(self._known) >= KEPT:
            self._known.clear()
        self._known[header.key] = form
        return form


def ordinary_header(payload: bytes) -> Header | None:
    """None for whatever needs a closer look: other separators, odd bytes, no control id, batches, answers."""
    end = payload.find(b"\r")
    if end < 0 or not payload.startswith(START) or _holds_more(payload):
        return None
    line = payload[:end]
    fields = line.split(b"|")
    if len(fields) < SHORTEST or not line.isascii() or not line.decode("ascii").isprintable():
        return None
    control_id = fields[CONTROL_ID]
    if not 0 < len(control_id) <= LONGEST_ID:
        return None
    fields[TIME] = fields[CONTROL_ID] = b""
    return Header(b"|".join(fields), control_id)


def _holds_more(payload: bytes) -> bool:
    """Another header, an envelope, an answer; or text that merely looks so, which then takes the long way."""
    if payload.find(b"MSH", 1) > 0 or b"MSA" in payload:
        return True
    return (b"HS" in payload and (b"FHS" in payload or b"BHS" in payload)) or (
        b"TS" in payload and (b"BTS" in payload or b"FTS" in payload)
    )
