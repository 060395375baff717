"""Whom a message speaks of, also one that nobody read: so that what is stored of a person can be found and taken away."""

import re
from collections.abc import Collection, Iterator

from adapter.domain.events import RecordsTied
from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.patient import PatientId
from adapter.errors import MalformedMessageError
from adapter.hl7 import er7
from adapter.hl7.datatypes import identifiers
from adapter.mapping.plain import plain
from adapter.screening.interpret import Interpretation
from adapter.screening.rulebook import Rulebook

NUMBERED = (("PID", 2), ("PID", 3), ("PID", 4), ("MRG", 1))
"""Where HL7 v2 states a patient's numbers."""


def about(seen: Interpretation) -> frozenset[PatientId]:
    """Whom what was read is about, and whose records it ties."""
    tied = (event.tie.records for event in seen.events if isinstance(event, RecordsTied))
    return frozenset({*seen.patients, *(event.patient for event in seen.events)}.union(*tied))


def named(message: RawMessage, rules: Rulebook, seen: Interpretation) -> frozenset[PatientId]:
    """Everybody with all numbers stated, whatever became of the message."""
    unread = () if seen.disposition == "applied" else _unread(message, rules)
    return frozenset({*about(seen), *stated(message.site, seen), *unread})


def stated(site: str, seen: Interpretation) -> frozenset[PatientId]:
    """All numbers of its patients, also those that this site does not keep them by."""
    return frozenset(PatientId(site, plain(authority), number.strip()) for authority, number, _ in seen.identifiers)


def speaks_of(message: RawMessage, rules: Rulebook, seen: Interpretation, records: Collection[PatientId]) -> bool:
    """Of one that was not applied the bare number is enough: without its authority too, and where nobody can find a patient in
    the bytes at all.
    """
    found = named(message, rules, seen)
    if not found.isdisjoint(records):
        return True
    if seen.disposition == "applied":
        return False
    numbers = {record.value for record in records}
    if found:
        return bool(numbers & {one.value for one in found})
    return any(holds(message.body, number) for number in numbers)


def holds(body: bytes, number: str) -> bool:
    """As a word of its own."""
    return re.search(rb"(?<![0-9A-Za-z])" + re.escape(number.encode()) + rb"(?![0-9A-Za-z])", body) is not None


def _unread(message: RawMessage, rules: Rulebook) -> Iterator[PatientId]:
    if message.kind not in {MessageKind.HL7V2, MessageKind.HL7V2_SHARED}:
        return
    site = rules.sites.get(message.site)
    for part in er7.split(message.body):
        try:
            parsed = er7.parse(part, site.encoding) if site else er7.parse(part)
        except MalformedMessageError:
            continue
        for segment, field in NUMBERED:
            for one in parsed.all(segment):
                for number in identifiers(one, field):
                    yield PatientId(message.site, plain(number.authority), number.value.strip())
