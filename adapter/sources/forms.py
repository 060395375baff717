"""Answers prepared by form: a feed's headers differ in time and control id alone, so judging and building is done once a second.

What is not perfectly ordinary takes the long way of `envelope`; a law in the tests holds both ways to the same bytes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from adapter.domain.message import RawMessage

_FIELD = rb"[ -{}~]*"
"""Printable ASCII but for the bar."""
_ORDINARY = re.compile(
    rb"(MSH\|\^~\\&\|(?:%(field)b\|){4})%(field)b(\|%(field)b\|%(field)b\|)([ -{}~]{1,199})(\|%(field)b\|[ -~]*)\r"
    % {b"field": _FIELD}
)
"""A header up to MSH-12 at least, in four parts: before MSH-7, before MSH-10, MSH-10 itself (HL7 2.9: 199 at most), the rest."""
_MORE, _PERHAPS_MORE = re.compile(rb"\r(?:MS[HA]|[FB][HT]S)"), re.compile(rb"MS[HA]|[FB][HT]S")
OURS, THEIRS = "OUR-ID-NOT-SENT", "THEIR-ID-NOT-SENT"
"""Stand in the built answer where the two control ids go."""
KEPT = 256
"""Forms remembered: a feed has a handful (type × version × sender)."""


Key = tuple[bytes, bytes, bytes]


class Header(NamedTuple):
    """An ordinary header: all of it but time and control id is its `key`."""

    key: Key
    control_id: bytes

    @property
    def line(self) -> bytes:
        """The header again, with `THEIRS` for its control id and no time."""
        start, between, rest = self.key
        return b"%b%b%b%b\r" % (start, between, THEIRS.encode("ascii"), rest)


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
    _known: dict[Key, Form] = field(default_factory=dict)

    def get(self, key: Key) -> Form | None:
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
    found = _ORDINARY.match(payload)
    if found is None or _holds_more(payload):
        return None
    start, between, control_id, rest = found.groups()
    return Header((start, between, rest), control_id)


def _holds_more(payload: bytes) -> bool:
    """Another header, an envelope, an answer; where LF may end a line, text that merely looks so too, which goes the long way."""
    return (_MORE if b"\n" not in payload else _PERHAPS_MORE).search(payload, 1) is not None
