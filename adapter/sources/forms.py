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

    key: tuple[bytes, ...]
    control_id: bytes
    fields: list[bytes]


@dataclass(frozen=True, slots=True)
class Form:
    """What answers and rows of one form share, during one second; `parts` is empty where no answer is owed."""

    second: int
    sender: str
    type: str
    parts: tuple[bytes, ...]

    def answer(self, ours: Callable[[], str], theirs: bytes) -> bytes:
        if not self.parts:
            return b""
        before, between, after = self.parts
        return b"%b%b%b%b%b" % (before, ours().encode("ascii"), between, theirs, after)


@dataclass(slots=True)
class Forms:
    _known: dict[tuple[bytes, ...], Form] = field(default_factory=dict)

    def get(self, key: tuple[bytes, ...]) -> Form | None:
        return self._known.get(key)

    def learn(self, header: Header, now: datetime, judged: Callable[[bytes], RawMessage]) -> Form:
        """`judged` goes the long way with a header that holds `THEIRS`, answering under `OURS`."""
        line = [*header.fields]
        line[CONTROL_ID] = THEIRS.encode("ascii")
        message = judged(b"|".join(line) + b"\r")
        before, _, rest = message.acknowledgment.partition(OURS.encode("ascii"))
        between, _, after = rest.partition(THEIRS.encode("ascii"))
        parts = (before, between, after) if message.acknowledgment else ()
        form = Form(int(now.timestamp()), message.sender, message.type, parts)
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
    if not line.isascii() or not line.decode("ascii").isprintable():
        return None
    fields = line.split(b"|")
    if len(fields) < SHORTEST or not 0 < len(fields[CONTROL_ID]) <= LONGEST_ID:
        return None
    return Header(
        (*fields[:TIME], *fields[TIME + 1 : CONTROL_ID], *fields[CONTROL_ID + 1 :]), fields[CONTROL_ID], fields
    )


def _holds_more(payload: bytes) -> bool:
    """Another header, an envelope, an answer; or text that merely looks so, which then takes the long way."""
    more = payload.find(b"MSH", 1) > 0 or b"MSA" in payload
    return more or b"FHS" in payload or b"BHS" in payload or b"BTS" in payload or b"FTS" in payload
