"""The acknowledgment: what is owed to the sender (`judge`) and its bytes (`build`).

A positive code means "stored", nothing else (spec: decisions D; HL7 chapter 2.9). Content we cannot use is our business,
so the generic profile refuses only what was not kept whole. What each profile refuses stands in `profiles.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from adapter.hl7.er7 import Message, Segment
from adapter.hl7.escapes import STANDARD, Delimiters
from adapter.hl7.profiles import PROFILES, Refusal
from adapter.hl7.tables import ERROR_TEXTS, AckCode, AckCondition, ErrorCode, ProcessingId, codec

VERSION = "2.5.1"
"""What we say where the sender said nothing."""

_CODES: Mapping[str, AckCode] = MappingProxyType({code.value: code for code in AckCode})
_CONDITIONS: Mapping[str, AckCondition] = MappingProxyType({condition.value: condition for condition in AckCondition})
_OLD_VERSIONS = ("2.1", "2.2")
_TWO_PART_TYPE = (*_OLD_VERSIONS, "2.3", "2.3.1")
_PROCESSING = re.compile(rb"[A-Z](?:[^\w\s][A-Z])?$")
"""`P`, `P^T` (tables 0103 and 0207)."""
_VERSION = re.compile(rb"\d(?:\.\d){1,3}(?!\w)")
_OLD_ERR = (*_TWO_PART_TYPE, "2.4")


REFUSALS: Mapping[str, Mapping[str, Refusal]] = MappingProxyType({n: one.refusals for n, one in PROFILES.items()})
"""Profile → problem → refusal; what is not named is accepted. Reason codes are those of the quarantine."""


@dataclass(frozen=True, slots=True)
class AckPolicy:
    """How one source answers: a name of `PROFILES`; a port that is not for `production` takes test messages (MSH-11)."""

    profile: str = "generic"
    production: bool = True

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ValueError(f"{self.profile} is no acknowledgment profile — use one of {', '.join(PROFILES)}")

    @property
    def minds_content(self) -> bool:
        return PROFILES[self.profile].minds_content


@dataclass(frozen=True, slots=True)
class Acknowledgment:
    """`code` of table 0008, or None where no answer is owed; `error` of table 0357 where it is negative."""

    code: str | None
    text: str = ""
    error: str | None = None
    location: str = ""
    """ERR-2: segment, its number, field (`MSH^1^10`)."""


SILENCE = Acknowledgment(None)


def judge(message: Message | None, policy: AckPolicy, *, problem: str | None = None) -> Acknowledgment:
    """What a message that has been stored is owed. `problem` is the door's own finding (`NO_MSH`, `TOO_BIG`, …)."""
    if message is not None and is_acknowledgment(message):
        return SILENCE
    refusal = _refusal(message, policy, problem)
    code = _code(message, refusal.letter if refusal else "A")
    if code is None or refusal is None:
        return Acknowledgment(code)
    return Acknowledgment(code, ERROR_TEXTS[refusal.error], refusal.error, refusal.location)


def is_acknowledgment(message: Message) -> bool:
    """Never acknowledge an acknowledgment: the two ends would talk for ever."""
    return message.header.text(9) in {"ACK", "MCF"} or message.first("MSA") is not None


def _refusal(message: Message | None, policy: AckPolicy, problem: str | None) -> Refusal | None:
    refusals = REFUSALS[policy.profile]
    if message is None:
        return refusals.get(problem or "NO_MSH")
    if problem is None and policy.minds_content:
        problem = _problem_of(message, policy)
    return refusals.get(problem or "")


def _problem_of(message: Message, policy: AckPolicy) -> str | None:
    """What the header alone shows; only a profile that minds content asks."""
    header = message.header
    if not header.text(9):
        return "HDR"
    if not header.text(10):
        return "NO_CONTROL_ID"
    welcome = {ProcessingId.PRODUCTION} if policy.production else set(ProcessingId)
    return "PROCID" if header.text(11) not in {"", *welcome} else None


def _code(message: Message | None, letter: str) -> AckCode | None:
    """Enhanced mode where MSH-15 asks for it; where MSH-15 says NE, MSH-16 decides, and its silence is a no (HL7 2.9.2).

    A word outside table 0155 counts as absent, and without MSH-15 the mode is the original one.
    """
    accept = _CONDITIONS.get(message.header.text(15)) if message else None
    if message is None or accept is None:
        return _CODES["A" + letter]
    if accept is AckCondition.NEVER:
        return _CODES["A" + letter] if _holds(_CONDITIONS.get(message.header.text(16)), letter) else None
    return _CODES["C" + letter] if _holds(accept, letter) else None


def _holds(condition: AckCondition | None, letter: str) -> bool:
    if condition is AckCondition.ALWAYS:
        return True
    return condition is (AckCondition.ON_SUCCESS if letter == "A" else AckCondition.ON_ERROR)


def build(message: Message | None, ack: Acknowledgment, *, control_id: str, now: datetime) -> bytes:
    """The ACK, unframed; every segment ends with CR. Empty where no answer is owed.

    Addresses turn round, MSH-10 is a new id, MSA-2 is the received MSH-10 byte for byte; MSH-11, 12 and 18 are echoed where
    they hold what they should. `now` is aware. Only MSH is read, so that no patient can enter.
    """
    if ack.code is None:
        return b""
    header = message.header if message else None
    marks = message.delimiters if message else STANDARD
    received = _Received(header.wire_fields() if header else [])
    segments = [_msh(header, received, marks, _stamp(control_id, now)), _msa(received, marks, ack)]
    if ack.error is not None:
        segments.append(_err(header, marks, ack))
    return b"".join([line + b"\r" for line in segments])


class _Received(list[bytes]):
    """MSH as it came; what is absent is empty."""

    def field(self, number: int) -> bytes:
        return self[number] if number < len(self) else b""

    def meant(self, number: int, shape: re.Pattern[bytes]) -> bytes:
        """The field, or as much of its beginning as has the shape.

        A sender that lost its line ends puts the patient's segments behind its MSH-10.
        """
        found = shape.match(self.field(number))
        return found[0] if found else b""


def _is_charset(text: bytes) -> bool:
    return all(codec(name) or not name for name in text.decode("latin-1").split("~"))


def _stamp(control_id: str, now: datetime) -> tuple[bytes, bytes]:
    """Our MSH-7 and MSH-10."""
    return now.strftime("%Y%m%d%H%M%S%z").encode(), control_id.encode()


def _msh(header: Segment | None, received: _Received, marks: Delimiters, stamp: tuple[bytes, bytes]) -> bytes:
    echo = received.field
    fields = [
        marks.encoding_characters.encode(),
        *(echo(5), echo(6), echo(3), echo(4)),
        *(stamp[0], b"", _type(header, marks).encode(), stamp[1]),
        received.meant(11, _PROCESSING) or b"P",
        received.meant(12, _VERSION) or VERSION.encode(),
    ]
    if (charset := echo(18)) and _is_charset(charset):
        fields += [b""] * 5 + [charset]
    return _line(b"MSH", marks, fields)


def _type(header: Segment | None, marks: Delimiters) -> str:
    """`ACK^R01^ACK`; before 2.4 there was no third part, before 2.3 no second."""
    version = _version(header)
    trigger = header.text(9, 2) if header else ""
    if version in _OLD_VERSIONS or (version in _TWO_PART_TYPE and not trigger):
        return "ACK"
    parts = ["ACK", trigger if trigger.isalnum() and trigger.isascii() else ""]
    return marks.component.join(parts if version in _TWO_PART_TYPE else [*parts, "ACK"])


def _msa(received: _Received, marks: Delimiters, ack: Acknowledgment) -> bytes:
    fields = [(ack.code or "").encode(), received.field(10)]
    return _line(b"MSA", marks, [*fields, ack.text.encode()] if ack.text else fields)


def _err(header: Segment | None, marks: Delimiters, ack: Acknowledgment) -> bytes:
    """2.5 has a field for each part; before, ERR-1 held location and code together."""
    text = ERROR_TEXTS[ErrorCode(ack.error or ErrorCode.INTERNAL)]
    if _version(header) in _OLD_ERR:
        code = marks.subcomponent.join([ack.error or "", text, "HL70357"])
        parts = ack.location.split("^")[:3] if ack.location else []
        return _line(b"ERR", marks, [marks.component.join([*parts, *[""] * (3 - len(parts)), code]).encode()])
    location = ack.location.replace("^", marks.component)
    code = marks.component.join([ack.error or "", text, "HL70357"])
    return _line(b"ERR", marks, [b"", location.encode(), code.encode(), b"E", b"", b"", b"", ack.text.encode()])


def _version(header: Segment | None) -> str:
    return header.text(12) if header else VERSION


def _line(name: bytes, marks: Delimiters, fields: list[bytes]) -> bytes:
    """A last field that ends with FS would end our own frame, so a separator follows it."""
    separator = marks.field.encode()
    line = separator.join([name, *fields])
    return line + separator if line.endswith(b"\x1c") else line
