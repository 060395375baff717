"""RawMessage → Interpretation: what a message said, what was odd, and where every observation of it went."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from adapter.domain.events import ClinicalEvent
from adapter.domain.issue import Issue
from adapter.domain.ledger import Bucket, Ledger, ledger_of
from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.patient import PatientId
from adapter.errors import MalformedMessageError
from adapter.fhir.contents import contents_of
from adapter.hl7 import er7
from adapter.mapping.feed import FUTURE_TOLERANCE, Feed, Mapped, feed_of
from adapter.mapping.fhir_events import events_from_fhir
from adapter.mapping.hl7_message import Disposition, mapped
from adapter.mapping.plain import plain
from adapter.screening import canary
from adapter.screening.actions import read_action
from adapter.screening.rulebook import Rulebook

OBX_LINE = re.compile(rb"(?:^|[\r\n])OBX(?=[^0-9A-Za-z\s]|[\r\n]|$)")
"""A segment by its looks alone: its name, then whatever separates."""


SHARED = Issue(
    "two-messages-in-frame",
    "MSH",
    "another message came in the same frame without a batch envelope; each was stored and read by itself but only the first "
    "was answered — ask the sender for one message a frame, or for FHS/BHS round them",
)


@dataclass(frozen=True, slots=True)
class Interpretation:
    """`disposition` is `applied`, `ignored` or `quarantined`; `identifiers` are (authority, id, type)."""

    disposition: str
    reason: str | None
    events: tuple[ClinicalEvent, ...] = ()
    issues: tuple[Issue, ...] = ()
    ledger: Ledger = field(default_factory=Ledger)
    type: str = ""
    control_id: str = ""
    version: str = ""
    charset: str = ""
    patients: tuple[PatientId, ...] = ()
    identifiers: tuple[tuple[str, str, str], ...] = ()


def interpret(message: RawMessage, rules: Rulebook, *, message_id: str) -> Interpretation:
    """Raises MalformedMessageError only where there is no usable header; a batch is read message by message."""
    if message.quarantine is not None:
        lost = unreadable(message.body, message.quarantine)
        return flagged(message, replace(lost, type=message.type, control_id=message.control_id))
    if message.kind is MessageKind.ACTION:
        return of_action(message, rules, message_id=message_id)
    if message.kind is MessageKind.FHIR:
        return of_fhir(message, rules, message_id=message_id)
    if message.kind is MessageKind.CANARY:
        return of_canary(message, rules, message_id=message_id)
    parts = er7.split(message.body)
    if len(parts) == 1 and message.kind is MessageKind.HL7V2:
        return of_message(parts[0], message, rules, message_id=message_id)
    read = combined(tuple(of_part(part, message, rules, message_id=message_id) for part in parts))
    return flagged(message, read)


def flagged(message: RawMessage, seen: Interpretation) -> Interpretation:
    """With what the door noticed of the frame, whatever became of the message."""
    shared = message.kind is MessageKind.HL7V2_SHARED
    return replace(seen, issues=(SHARED, *seen.issues)) if shared else seen


def of_part(body: bytes, message: RawMessage, rules: Rulebook, *, message_id: str) -> Interpretation:
    try:
        return of_message(body, message, rules, message_id=message_id)
    except MalformedMessageError as error:
        return unreadable(body, error.code)


def unreadable(body: bytes, reason: str) -> Interpretation:
    """A message nobody can take apart: what looks like an OBX of it is counted all the same."""
    lost = len(OBX_LINE.findall(body))
    return Interpretation("quarantined", reason, ledger=ledger_of([Bucket.MESSAGE_NOT_USED] * lost))


def of_message(body: bytes, message: RawMessage, rules: Rulebook, *, message_id: str) -> Interpretation:
    words = rules.words.get(message.site)
    if words is None:
        return unreadable(body, "SITE")
    parsed = er7.parse(body, words.site.encoding)
    feed = feed_of(parsed, words, message_id=message_id, received=message.received)
    disposition, found = mapped(parsed, feed, production=rules.production)
    header = parsed.header
    return interpretation(
        disposition,
        found,
        type=plain("^".join(part for part in (header.text(9), header.text(9, 2)) if part)),
        control_id=plain(header.text(10)),
        version=plain(header.text(12)),
        charset=parsed.charset,
    )


def of_fhir(message: RawMessage, rules: Rulebook, *, message_id: str) -> Interpretation:
    words = rules.words.get(message.site)
    if words is None:
        return Interpretation("quarantined", "SITE")
    contents = contents_of(message.body)
    latest = message.received + FUTURE_TOLERANCE
    feed = Feed(words, message_id, message.received, latest, source=message.source)
    disposition, found = events_from_fhir(contents, feed)
    header = {"type": plain(contents.kind), "control_id": plain(contents.id), "version": "R4", "charset": "utf-8"}
    return interpretation(disposition, found, **header)


def of_action(message: RawMessage, rules: Rulebook, *, message_id: str) -> Interpretation:
    read = read_action(message, rules, message_id=message_id)
    disposition = Disposition("applied") if read.refusal is None else Disposition("quarantined", read.refusal)
    kind = message.type or "ACTION"
    return interpretation(disposition, read, type=kind, control_id=message.control_id, charset="utf-8")


def of_canary(message: RawMessage, rules: Rulebook, *, message_id: str) -> Interpretation:
    """Ignored, with how it went as the reason: it is nobody's, so nothing of it is told."""
    read = [
        combined(tuple(of_part(one, message, rules, message_id=message_id) for one in many))
        for many in canary.said_by(message)
    ]
    missed = canary.missed(message, [one.events for one in read], rules)
    ledger = ledger_of([Bucket.MESSAGE_NOT_USED] * sum(one.ledger.observations for one in read))
    how = canary.MISSED if missed else canary.PASSED
    return Interpretation(
        "ignored", how, issues=missed, ledger=ledger, type=message.type, control_id=message.control_id
    )


def interpretation(disposition: Disposition, found: Mapped, **header: str) -> Interpretation:
    return Interpretation(
        disposition=disposition.word,
        reason=disposition.reason,
        events=found.events,
        issues=found.issues,
        ledger=ledger_of(list(found.buckets)),
        patients=found.patients,
        identifiers=found.identifiers,
        **header,
    )


def combined(parts: tuple[Interpretation, ...]) -> Interpretation:
    """A batch as one: applied if any part was, else quarantined if any was; the header of its first message."""
    words = [part.disposition for part in parts]
    word = next(word for word in ("applied", "quarantined", "ignored") if word in words)
    reasons = unique(part.reason for part in parts if part.reason)
    first = parts[0]
    return Interpretation(
        disposition=word,
        reason=", ".join(reasons) or None,
        events=tuple(event for part in parts for event in part.events),
        issues=tuple(issue for part in parts for issue in part.issues),
        ledger=summed(part.ledger for part in parts),
        type=first.type,
        control_id=first.control_id,
        version=first.version,
        charset=first.charset,
        patients=unique(patient for part in parts for patient in part.patients),
        identifiers=unique(identifier for part in parts for identifier in part.identifiers),
    )


def unique(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(items))


def summed(ledgers: Iterable[Ledger]) -> Ledger:
    counts: dict[Bucket, int] = {}
    for ledger in ledgers:
        for bucket, count in ledger.counts.items():
            counts[bucket] = counts.get(bucket, 0) + count
    return Ledger(counts)
