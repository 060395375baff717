"""ORU^R01 → observations: every OBX ends in exactly one bucket of the ledger (decisions C4, C7)."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from adapter.domain.events import ClinicalEvent, ObservationReceived
from adapter.domain.issue import Issue
from adapter.domain.ledger import Bucket
from adapter.domain.observation import Observation
from adapter.hl7.datatypes import identifiers
from adapter.hl7.er7 import Message
from adapter.mapping.feed import Feed, Mapped
from adapter.mapping.groups import PatientGroup, patient_groups
from adapter.mapping.hl7_patient import described, visit_number
from adapter.mapping.hl7_result import KNOWN_NOT_NEEDED, Line, ResultReader
from adapter.mapping.identity import patient_identity
from adapter.mapping.microbiology import holds_culture, of_susceptibilities
from adapter.mapping.order import order_facts
from adapter.mapping.plain import plain

NOBODY = "nobody is identified by this site's rule — compare PID-3 with 'patient_identifier' in the site's file"
REPEATED = "two results share order, concept and sub-id, so only one can stand — ask the sender for OBX-4"


def events_from_oru(message: Message, feed: Feed) -> Mapped:
    """Patients, their demographics and their results, in the order of the message; several patients are never mixed."""
    first, *others = patient_groups(message) or [PatientGroup()]
    found = from_group(first, feed)
    for group in others:
        found += from_group(group, feed)
    return replace(found, refusal=None) if found.refusal and found.patients else found


def from_group(group: PatientGroup, feed: Feed) -> Mapped:
    stated = () if group.pid is None else identifiers(group.pid, 3)
    patient = patient_identity(stated, feed.site)
    named = tuple([(plain(one.authority), plain(one.value), plain(one.type)) for one in stated])
    if isinstance(patient, str):
        buckets = (Bucket.MESSAGE_NOT_USED,) * group.results
        return Mapped(
            issues=(Issue("no-patient", "PID-3", NOBODY),), buckets=buckets, identifiers=named, refusal=patient
        )
    events, issues = ((), ()) if group.pid is None else described(patient, group.pid, group.pd1, feed)
    lines = tuple(lines_of(group, feed))
    seen = tuple(observation for line in lines for observation in line.observations)
    read: tuple[ClinicalEvent, ...] = tuple(ObservationReceived(patient, observation) for observation in seen)
    found = (*issues, *(issue for line in lines for issue in line.issues), *repeated(seen))
    return Mapped(events + read, found, tuple(line.bucket for line in lines), (patient,), named)


def lines_of(group: PatientGroup, feed: Feed) -> Iterator[Line]:
    visit = visit_number(group.pv1, feed)
    for order in group.orders:
        if of_susceptibilities(order, group, feed):
            yield from (KNOWN_NOT_NEEDED for _ in order.results)
            continue
        reader = ResultReader(feed, order_facts(order, feed), visit, partial(holds_culture, order, feed))
        yield from map(reader.read, order.results)


def repeated(seen: tuple[Observation, ...]) -> Iterator[Issue]:
    """Different results of one message that claim to be the same one."""
    first: dict[str, str] = {}
    for observation in seen:
        known = first.setdefault(observation.identity, observation.digest)
        if known != observation.digest:
            yield Issue("repeated-result", "OBX-4", REPEATED, observation.original.code)
