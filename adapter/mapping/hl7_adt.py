"""ADT → visits, who a patient is, and whose record is whose (HL7 v2 chapter 3); event by event in docs/adt.md."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from adapter.domain.encounter import EncounterAction, EncounterClass, EncounterStatement
from adapter.domain.events import ClinicalEvent, EncounterChanged, PatientDescribed
from adapter.domain.issue import Issue
from adapter.domain.ledger import Bucket
from adapter.domain.patient import Demographics, PatientId
from adapter.hl7.datatypes import identifiers
from adapter.hl7.er7 import Message, Segment
from adapter.hl7.tables import NULL, PatientClass
from adapter.mapping.feed import Feed, Mapped
from adapter.mapping.groups import PatientGroup, patient_groups
from adapter.mapping.hl7_oru import events_from_oru
from adapter.mapping.hl7_patient import stated, stated_number, visit_number
from adapter.mapping.hl7_problem import conditions_of
from adapter.mapping.hl7_ties import READERS, number_of, ties_of, unlinked
from adapter.mapping.identity import patient_identity, statement_digest
from adapter.mapping.plain import plain

ACTIONS = {
    "A01": EncounterAction.ADMIT,
    "A02": EncounterAction.TRANSFER,
    "A03": EncounterAction.DISCHARGE,
    "A04": EncounterAction.ADMIT,
    "A05": EncounterAction.PLAN,
    "A06": EncounterAction.TRANSFER,
    "A07": EncounterAction.TRANSFER,
    "A08": EncounterAction.UPDATE,
    "A11": EncounterAction.CANCEL_ADMIT,
    "A12": EncounterAction.CANCEL_TRANSFER,
    "A13": EncounterAction.CANCEL_DISCHARGE,
    "A17": EncounterAction.TRANSFER,
    "A21": EncounterAction.UPDATE,
    "A22": EncounterAction.UPDATE,
    "A52": EncounterAction.UPDATE,
    "A53": EncounterAction.UPDATE,
}
"""A leave of absence (A21, A22, and their cancels A52, A53) does not end a visit."""
PERSON = frozenset({"A28", "A29", "A31"})
"""Speak of a person, not of a visit."""
DELETED = {"A29": "yes", "A28": NULL, "A31": NULL}
"""A record that was deleted is nobody's until somebody speaks of it anew, by these or by an admission."""
UNLINK, SWAP = "A37", "A17"
SUPPORTED = frozenset(ACTIONS) | PERSON | frozenset(READERS) | {UNLINK}
IGNORED = {
    **dict.fromkeys(("A09", "A10", "A32", "A33"), "tracking"),
    **dict.fromkeys(("A14", "A15", "A16", "A25", "A26", "A27", "A38"), "pending"),
    **dict.fromkeys(("A35", "A41", "A42", "A49", "A50"), "number-only"),
    **dict.fromkeys(("A39", "A46", "A48", "A51"), "other-identifier"),
    **dict.fromkeys(("A54", "A55", "A61", "A62"), "staff"),
    "A19": "query",
    "A20": "bed-status",
    "A23": "archived",
    "A24": "link-is-no-merge",
    "A60": "allergy-only",
}
"""Why an event is not read. A plan starts nothing, so its cancel (A38) ends nothing; what was admitted by mistake is taken
back by A11, so an A23 is an archive's housekeeping; a link (A24) says that two records may be of use together; no criterion
asks for allergies, so IAM and AL1 are passed by wherever they stand.
"""
CLASSES = {
    PatientClass.EMERGENCY: EncounterClass.EMERGENCY,
    PatientClass.INPATIENT: EncounterClass.INPATIENT,
    PatientClass.OBSTETRICS: EncounterClass.INPATIENT,
    PatientClass.OUTPATIENT: EncounterClass.OUTPATIENT,
    PatientClass.RECURRING: EncounterClass.OUTPATIENT,
}
NO_VISIT = Issue("no-visit", "PV1-19", "no visit number, or no time of the event — ask the sender for PV1-19 and EVN-6")
FUTURE = Issue(
    "future-event",
    "EVN-6",
    "the event lies in the future, so nothing begins or ends before — compare clocks and time zone",
)
TIMES = {EncounterAction.ADMIT: 44, EncounterAction.DISCHARGE: 45}
"""PV1's own time of the event, where it has one."""


def events_from_adt(message: Message, event: str, feed: Feed) -> Mapped:
    """Results inside an ADT (weight, height) are read as in an ORU."""
    several = len(message.all("PID")) > 1
    if several and event not in READERS and event not in {UNLINK, SWAP}:
        return refused("DUP_PID", message)
    found = events_from_oru(message, feed)
    if not found.patients:
        return found
    if not several:
        found = replace(found, events=(*found.events, *conditions_of(message, found.patients[0], feed)))
    if event in READERS or event == UNLINK:
        return tied(message, event, found, feed)
    if event in DELETED:
        return with_events(found, *deleted(found.patients[0], DELETED[event], feed))
    return with_visits(found, message, ACTIONS[event], feed)


def with_events(found: Mapped, *events: ClinicalEvent) -> Mapped:
    return replace(found, events=(*found.events, *events))


def deleted(patient: PatientId, value: str, feed: Feed) -> Iterator[ClinicalEvent]:
    yield PatientDescribed(patient, Demographics({"deleted": stated(value, feed.told or feed.received)}))


def tied(message: Message, event: str, found: Mapped, feed: Feed) -> Mapped:
    read = unlinked(message, feed) if event == UNLINK else ties_of(message, event, feed)
    if isinstance(read, str):
        return refused(read, message)
    events, issues = read
    named = dict.fromkeys((*found.patients, *(record for event in events for record in event.tie.records)))
    return replace(with_events(found, *events), issues=(*found.issues, *issues), patients=tuple(named))


def with_visits(found: Mapped, message: Message, action: EncounterAction, feed: Feed) -> Mapped:
    """A statement of each patient's visit: two where beds are swapped (A17)."""
    for group in patient_groups(message):
        patient = patient_identity(() if group.pid is None else identifiers(group.pid, 3), feed.site)
        if isinstance(patient, str):
            continue
        statement = statement_of(message, group, action, feed)
        issues = (NO_VISIT,) if statement is None or group.pv1 is None else tuple(visit_issues(group.pv1, feed))
        if statement is not None and action is not EncounterAction.PLAN and feed.in_future(statement.at):
            issues = (*issues, FUTURE)
        events = () if statement is None else (EncounterChanged(patient, statement),)
        found = replace(with_events(found, *events), issues=(*found.issues, *issues))
    return found


def visit_issues(pv1: Segment, feed: Feed) -> Iterator[Issue]:
    if not stated_number(pv1):
        text = "no visit number, so the visit is told by class and admission time — ask the sender for PV1-19"
        yield Issue("no-visit-number", "PV1-19", text)
    admitted, discharged = feed.moment(pv1, 44), feed.moment(pv1, 45)
    if admitted is not None and discharged is not None and discharged.instant < admitted.instant:
        text = "the discharge lies before the admission — look at the raw message"
        yield Issue("discharge-before-admission", "PV1-45", text)


def refused(reason: str, message: Message) -> Mapped:
    return Mapped(buckets=(Bucket.MESSAGE_NOT_USED,) * len(message.all("OBX")), refusal=reason)


def statement_of(
    message: Message, group: PatientGroup, action: EncounterAction, feed: Feed
) -> EncounterStatement | None:
    pv1 = group.pv1
    visit = visit_number(pv1, feed)
    at = event_time(message, pv1, action, feed)
    if pv1 is None or not visit or at is None:
        return None
    ward = place(pv1.text(3))
    statement = EncounterStatement(
        visit=visit,
        action=action,
        at=at,
        encounter_class=encounter_class(pv1),
        ward=ward,
        bed=place(pv1.text(3, 3)) or place(pv1.text(3, 2)),
        sender_time=feed.told,
        digest="",
        message=feed.message_id,
        emergency_ward=ward in feed.site.emergency_wards,
        admitted=began(pv1, action, feed),
        account=number_of(group.pid, 18),
        expired=action is EncounterAction.DISCHARGE and pv1.text(36).strip() in feed.site.expired_dispositions,
    )
    return replace(statement, digest=statement_digest(statement))


def event_time(message: Message, pv1: Segment | None, action: EncounterAction, feed: Feed) -> datetime | None:
    """When it happened: EVN-6, PV1-44 or PV1-45, else when it was recorded: EVN-2, MSH-7."""
    evn = message.first("EVN")
    places = ((evn, 6), (pv1, TIMES.get(action, 0)), (evn, 2))
    found = (feed.moment(segment, field) for segment, field in places if field)
    moment = next((one for one in found if one is not None), None)
    return feed.sender_time if moment is None else moment.instant


def began(pv1: Segment, action: EncounterAction, feed: Feed) -> datetime | None:
    """PV1-44 where the event is no admission; one in the future is no beginning."""
    stated = None if action is EncounterAction.ADMIT else feed.moment(pv1, TIMES[EncounterAction.ADMIT])
    return None if stated is None or feed.in_future(stated.instant) else stated.instant


def encounter_class(pv1: Segment) -> EncounterClass | None:
    letter = pv1.text(2).strip().upper()
    return CLASSES.get(PatientClass(letter)) if letter in set(PatientClass) else None


def place(text: str) -> str:
    return "" if text.strip() == NULL else plain(text)
