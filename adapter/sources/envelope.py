"""From one frame to what is stored and what is answered: the door reads the header and no more."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from adapter.domain.message import MessageKind, RawMessage
from adapter.errors import MalformedMessageError
from adapter.hl7.ack import AckPolicy, build, judge
from adapter.hl7.er7 import Message, headline, parse
from adapter.hl7.lines import has_header, is_batch, is_endless, split
from adapter.hl7.mllp import Frame, Oversize, Truncated
from adapter.sources import strict
from adapter.sources.forms import OURS, Forms, ordinary_header
from adapter.sources.senders import REASON, Senders
from adapter.telemetry import MessageLog

LONGEST_HEADER = 64 * 1024
"""Bytes of the header segment that the door looks at: what an answer needs stands at its beginning."""
COMMIT_BYTES = frozenset({b"\x06", b"\x15"})
"""MLLP release 2's own acknowledgments; a release-1 receiver has no use for them."""


@dataclass(frozen=True, slots=True)
class Door:
    """What is configured of one source, the clock, and where the MSH-10s of our answers come from."""

    name: str
    site: str
    clock: Callable[[], datetime]
    control_id: Callable[[], str]
    encoding: str = "utf-8"
    policy: AckPolicy = field(default_factory=AckPolicy)
    senders: Senders = field(default_factory=Senders)
    log: MessageLog | None = field(default=None, compare=False, repr=False)
    """For a line a message; None: no such lines."""
    forms: Forms = field(default_factory=Forms, compare=False, repr=False)

    def only(self, senders: Senders) -> "Door":
        """The same door for somebody who may speak for these alone."""
        return replace(self, senders=senders, forms=Forms())


def control_ids(clock: Callable[[], datetime]) -> Callable[[], str]:
    """Our own MSH-10s: unlike any of an earlier run, at most 20 characters (HL7 2.5.1, MSH-10)."""
    start = f"{int(clock().timestamp()):x}"
    count = itertools.count(1)
    return lambda: f"{start}-{next(count):x}"


def kept(door: Door, event: Frame | Truncated | Oversize, peer: str) -> list[RawMessage]:
    """What to store, each with the answer it is owed; nothing for an empty frame or a stray commit byte.

    A batch gives one message with one answer for each MSH; two MSH without an envelope give two, the first answered.
    """
    now = door.clock()
    match event:
        case Truncated():
            return [_lost(door, event.head, "FRAME_TRUNC", peer, now)]
        case Oversize():
            return [_too_big(door, event, peer, now)]
        case Frame(payload=payload):
            known = _by_form(door, payload, peer, now)
            return [known] if known is not None else _messages(door, payload, peer, now)


def unanswered(door: Door, body: bytes, kind: MessageKind, lost: str = "") -> RawMessage:
    """A message that came in a file, where nobody waits for an answer; `lost` is why it must not be read."""
    message = _message(door, body, "", door.clock(), None)
    return replace(message, kind=kind, quarantine=lost or message.quarantine)


def _messages(door: Door, payload: bytes, peer: str, now: datetime) -> list[RawMessage]:
    """The long way."""
    if not payload.strip(b"\r\n") or payload.strip() in COMMIT_BYTES:
        return []
    if is_endless(payload):
        return [_message(door, payload, peer, now, door.control_id)]
    parts = split(payload)
    if len(parts) == 1 and not is_batch(payload):
        return [_message(door, payload, peer, now, door.control_id)]
    answer_all = is_batch(payload)
    owed = [(has_header(part) and (answer_all or index == 0)) or len(parts) == 1 for index, part in enumerate(parts)]
    messages = [
        _message(door, part, peer, now, door.control_id if answered else None)
        for part, answered in zip(parts, owed, strict=True)
    ]
    return messages if answer_all else [replace(one, kind=MessageKind.HL7V2_SHARED) for one in messages]


def _by_form(door: Door, payload: bytes, peer: str, now: datetime) -> RawMessage | None:
    """The short way for the ordinary message: its header differs from the last one in time and control id alone."""
    header = None if door.policy.minds_content or is_endless(payload) else ordinary_header(payload)
    if header is None:
        return None
    form = door.forms.get(header.key)
    if form is None or form.second != int(now.timestamp()):
        form = door.forms.learn(header, now, lambda line: _message(door, line, "", now, lambda: OURS))
    return RawMessage(
        door.name,
        door.site,
        MessageKind.HL7V2,
        payload,
        now,
        form.sender,
        header.control_id.decode("ascii"),
        form.type,
        peer,
        form.quarantine,
        form.answer(door.control_id, header.control_id),
    )


def _message(door: Door, body: bytes, peer: str, now: datetime, control_id: Callable[[], str] | None) -> RawMessage:
    """`control_id` gives the answer its MSH-10; None where no answer is owed."""
    message, problem = _header(body, door.encoding)
    if message is not None and problem is None:
        problem = _stranger(door, message)
    minded = strict.minded(body, door.encoding) if door.policy.minds_content and message and not problem else None
    ack = judge(message, door.policy, problem=problem or minded)
    answer = build(message, ack, control_id=control_id(), now=now) if control_id and ack.code else b""
    if message is None:
        return RawMessage(
            door.name, door.site, MessageKind.HL7V2, body, now, peer=peer, quarantine=problem, acknowledgment=answer
        )
    header = message.header
    return RawMessage(
        source=door.name,
        site=door.site,
        kind=MessageKind.HL7V2,
        body=body,
        received=now,
        sender=_sender(message),
        control_id=header.raw(10),
        type=_type(message),
        peer=peer,
        quarantine=problem,
        acknowledgment=answer,
    )


def _stranger(door: Door, message: Message) -> str | None:
    """The reason for a sender whom the source does not know."""
    if not door.senders:
        return None
    return None if door.senders.name_of(_sender(message), message.delimiters.component) else REASON


def _sender(message: Message) -> str:
    return f"{message.header.raw(3)}|{message.header.raw(4)}"


def _header(body: bytes, encoding: str) -> tuple[Message | None, str | None]:
    """The header segment alone, unless an MSA says that this is an answer: acknowledging costs no reading of results."""
    try:
        if is_endless(body):
            return parse(_first_line(body), encoding), "LIMIT"
        return parse(body if b"MSA" in body else _first_line(body), encoding), None
    except MalformedMessageError as error:
        return headline(body, encoding), error.code


def _first_line(body: bytes) -> bytes:
    start = max(body.find(b"MSH"), 0)
    ends = [end for end in (body.find(b"\r", start), body.find(b"\n", start)) if end >= 0]
    return body[: min([end + 1 for end in ends], default=len(body))][:LONGEST_HEADER]


def _type(message: Message) -> str:
    code, trigger = message.header.text(9), message.header.text(9, 2)
    return f"{code}^{trigger}" if trigger else code


def _lost(door: Door, head: bytes, reason: str, peer: str, now: datetime) -> RawMessage:
    return RawMessage(door.name, door.site, MessageKind.HL7V2, head, now, peer=peer, quarantine=reason)


def _too_big(door: Door, event: Oversize, peer: str, now: datetime) -> RawMessage:
    message, _ = _header(event.head, door.encoding)
    ack = judge(message, door.policy, problem="TOO_BIG")
    return RawMessage(
        source=door.name,
        site=door.site,
        kind=MessageKind.HL7V2,
        body=event.head,
        received=now,
        control_id=message.header.raw(10) if message else "",
        type=_type(message) if message else "",
        peer=peer,
        quarantine="TOO_BIG",
        acknowledgment=build(message, ack, control_id=door.control_id(), now=now),
    )
