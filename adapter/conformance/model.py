"""The words of a conformance case: what is done on the wire, what is owed for it, what was heard, what is found."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from adapter.conformance.answers import Answer
from adapter.hl7.mllp import END

if TYPE_CHECKING:
    from adapter.conformance.probe import Probe

# --- what is done --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Say:
    """Bytes on a line, which is opened when it is first used; `drip`: one byte a TCP segment."""

    data: bytes
    line: int = 0
    drip: bool = False


@dataclass(frozen=True, slots=True)
class Rest:
    seconds: float


@dataclass(frozen=True, slots=True)
class Hear:
    """Until so many answers in all have come on the line, or patience ends."""

    answers: int
    line: int = 0


@dataclass(frozen=True, slots=True)
class Leave:
    """`close`, `half` (nothing more to say, still listening) or `reset`."""

    how: str = "close"
    line: int = 0


@dataclass(frozen=True, slots=True)
class Deaf:
    """The line is not read for so long."""

    seconds: float
    line: int = 0


Act = Say | Rest | Hear | Leave | Deaf


class Door(StrEnum):
    """How a case connects: as agreed, or in one way that a TLS port must refuse."""

    AGREED = "as agreed"
    PLAIN = "without TLS"
    NO_CERTIFICATE = "without a client certificate"
    STRANGER = "with a client certificate nobody vouches for"
    OLD_TLS = "with TLS 1.1"


# --- what is owed --------------------------------------------------------------------------------------------------------


def always(sent: bytes | Iterable[Act]) -> "Callable[[Probe], bytes | Iterable[Act]]":
    """A case that needs no message of its own."""
    return lambda _probe: sent


class Severity(StrEnum):
    MUST = "must"
    SHOULD = "should"
    MAY = "may"


class Verdict(StrEnum):
    PASSED = "pass"
    FAILED = "fail"
    NOT_APPLICABLE = "not applicable"
    SKIPPED = "skipped"


NONE, CLOSED, REFUSED = "none", "closed", "refused"
"""Words beside codes: no answer; the connection is closed instead; no positive answer (a negative one, or none)."""


@dataclass(frozen=True, slots=True)
class Made:
    """A message of a case: its MSH-10 as sent (None: what is echoed does not matter) and its line."""

    body: bytes
    control_id: bytes | None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `rules` are words of `rules.py`, rows of the catalogue of bad input, or `D` (the table of answers).

    `answers` says what each message that `send` makes is owed, in their order, split by commas; one word holds for all of
    them. A word is a code with its error (`AE 100`), `none`, `refused`, or alternatives (`AE 207/closed`). `strict` replaces
    it where the profile refuses content. Behind every case a good message must be acknowledged: on the `same` line, or on a
    `new` one.
    """

    id: str
    title: str
    rules: str
    send: "Callable[[Probe], bytes | Iterable[Act]]"
    answers: str = "AA"
    strict: str = ""
    severity: Severity = Severity.MUST
    after: str = "same"
    closes: bool = False
    """Whether the receiver must close the line."""
    check: "Callable[[Seen], str] | None" = None
    """A complaint, or nothing; its first docstring line says what is wanted."""
    needs: str = ""
    """`slow`, `tls`, `client certificate`, `production`: without it the case is not played."""
    strict_only: bool = False
    door: Door = Door.AGREED
    times: float = 1
    """How many times the usual patience an answer may take."""
    seconds: float = 0
    """Patience, where a rule sets it."""
    do: str = ""
    """What to do about it, where the finding itself does not say."""

    @property
    def named(self) -> tuple[str, ...]:
        return tuple(self.rules.split())

    def owed(self, *, strict: bool) -> tuple[str, ...]:
        words = self.strict if strict and self.strict else self.answers
        return tuple(word.strip() for word in words.split(","))


# --- what was heard ------------------------------------------------------------------------------------------------------

FRAME = re.compile(rb"\x0b([^\x0b]*?)\x1c\r", re.DOTALL)


@dataclass(slots=True)
class Heard:
    """All that came on one line."""

    data: bytearray = field(default_factory=bytearray)
    said: list[float] = field(default_factory=list)
    """When each `Say` was finished."""
    began: list[float] = field(default_factory=list)
    """When the first byte of each answer came."""
    ended: list[float] = field(default_factory=list)
    """When the last byte of each answer came."""
    end: str = "open"
    """`open`, `closed`, `reset`; `unreachable` when no connection was made."""

    def take(self, data: bytes, at: float) -> None:
        """What one read brought."""
        before = len(self.ended)
        if len(self.began) == before:
            self.began.append(at)
        joint = bytes(self.data[-1:]) + data
        self.data += data
        came = joint.count(END)
        self.ended += [at] * came
        self.began += [at] * (came - 1)

    def answers(self) -> list[Answer]:
        return [Answer.read(frame) for frame in FRAME.findall(bytes(self.data))]

    def outside(self) -> bytes:
        """Bytes in no frame."""
        return FRAME.sub(b"", bytes(self.data))


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message and its answer."""

    sent: bytes
    answer: Answer


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check may look at: the case's own exchanges in order, and the lines."""

    exchanges: tuple[Exchange, ...]
    lines: Mapping[int, Heard]
    now: float
    """The tool's own time, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a case, in words that hold no more of an answer than its header and MSA."""

    case: Case
    verdict: Verdict
    expected: str = ""
    came: str = ""
    do: str = ""
    seconds: float = 0
