"""What one line of the catalogue of bad input says, and what must come of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.catalogue.bench import Seen

Check = Callable[["Seen"], None]
"""Asserts what the other fields cannot say; its first docstring line stands on the page."""


@dataclass(frozen=True)
class Stream:
    """Bytes for the socket as they are, where a framed message would not do."""

    data: bytes


@dataclass(frozen=True)
class Case:
    """One input and its lot.

    `send` are messages, framed and sent in one write, or a `Stream`. `answers` are the MSA-1 of the answers in order
    (`AA` for each message unless told). `inside` is what became of each stored message, with its reason; duplicates are
    listed as `duplicate`. `strict` is what the strict profile answers to the first message. `issues` and `flags` must be
    among those found, `bucket` is where its last message's OBX went, `holds` what is believed afterwards of a concept
    (`None`: nothing). `candidate`: whether a standing candidate is on the worklist. `counted` are kinds of
    `adapter_frame_errors_total`.
    """

    what: str
    send: Sequence[bytes] | Stream
    answers: Sequence[str] | None = None
    inside: Sequence[str] | None = None
    strict: str = ""
    issues: Sequence[str] = ()
    flags: Sequence[str] = ()
    bucket: str = ""
    holds: Mapping[str, str | None] = field(default_factory=dict)
    candidate: bool | None = None
    check: Check | None = None
    before: Sequence[bytes] = ()
    """Messages that were applied, and told of, long before."""
    site: str = "generic"
    senders: Sequence[str] = ()
    """Who alone may send through this source; nobody named: everybody."""
    counted: str = ""
    conduct: str = ""
    """How the peer behaves: `drip` (a byte a segment), `leaves` (closes when it has sent), `resets`, `waits`."""
    apart: bool = False
    """On a connection of its own, which is closed by us or by the peer; the good ones keep theirs."""
    frame_limit: int = 0
    """Bytes, where the case needs a smaller limit than the 16 MiB of a real door."""
    seconds: float = 0
    """A guard against work that grows with the square, generous enough for a slow machine under coverage; 0: none."""

    @property
    def wire(self) -> tuple[str, ...]:
        if self.answers is not None:
            return tuple(self.answers)
        return () if isinstance(self.send, Stream) else ("AA",) * len(self.send)

    @property
    def lot(self) -> tuple[str, ...]:
        if self.inside is not None:
            return tuple(self.inside)
        return ("applied",) * len(self.wire if isinstance(self.send, Stream) else self.send)


@dataclass(frozen=True)
class Row:
    """One number of the catalogue. `later` says why it waits: then its bytes are sent, and only AA and the neighbours are held.

    `elsewhere` names the test of a row that no sandwich can hold (a kill, a full table of connections).
    """

    id: str
    given: str
    cases: tuple[Case, ...] = ()
    note: str = ""
    later: str = ""
    elsewhere: str = ""


def row(number: str, given: str, *cases: Case, **parts: str) -> Row:
    return Row(number, given, cases, **parts)
