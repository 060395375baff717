"""ADT → visits, merges and who a patient is (HL7 v2 chapter 3)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from adapter.domain.encounter import EncounterAction, EncounterClass, EncounterStatement
from adapter.domain.events import ClinicalEvent, EncounterChanged, PatientMerged
from adapter.domain.issue import Issue
from adapter.domain.ledger import Bucket
from adapter.domain.patient import PatientId
from adapter.hl7.datatypes import identifiers
from adapter.hl7.er7 import Message, Segment
from adapter.hl7.tables import PatientClass
from adapter.mapping.feed import Feed, Mapped
from adapter.mapping.hl7_oru import events_from_oru
from adapter.mapping.hl7_patient import NULL, stated_number, visit_number
from adapter.mapping.hl7_problem import conditions_of
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
}
PERSON = frozenset({"A28", "A31"})
"""Speak of a person, not of a visit."""
MERGES = frozenset({"A18", "A34", "A40"})
SUPPORTED = frozenset(ACTIONS) | PERSON | MERGES
CLASSES = {
    PatientClass.EMERGENCY: EncounterClass.EMERGENCY,
    PatientClass.INPATIENT: EncounterClass.INPATIENT,
    PatientClass.OBSTETRICS: EncounterClass.INPATIENT,
    PatientClass.OUTPATIENT: EncounterClass.OUTPATIENT,
    PatientClass.RECURRING: EncounterClass.OUTPATIENT,
}
TIMES = {EncounterAction.ADMIT: 44, EncounterAction.DISCHARGE: 45}
"""PV1's own time of the event, where it has one."""


def events_from_adt(message: Message, event: str, feed: Feed) -> Mapped:
    """Results inside an ADT (weight, height) are read as in an ORU."""
    if len(message.all("PID")) > 1 and event not in MERGES:
        return refused("DUP_PID", message)
    found = events_from_oru(message, feed)
    if not found.patients:
        return found
    patient = found.patients[0]
    found = replace(found, events=(*found.events, *conditions_of(message, patient, feed)))
    if event in MERGES:
        return merged(message, patient, found, feed)
    action = ACTIONS.get(event)
    statement = None if action is None else statement_of(message, action, feed)
    if statement is not None:
        events: tuple[ClinicalEvent, ...] = (*found.events, EncounterChanged(patient, statement))
        return replace(found, events=events, issues=(*found.issues, *visit_issues(message.first("PV1"), feed)))
    if action is None:
        return found
    issue = Issue(
        "no-visit", "PV1-19", "no visit number, or no time of the event — ask the sender for PV1-19 and EVN-6"
    )
    return replace(found, issues=(*found.issues, issue))


def visit_issues(pv1: Segment | None, feed: Feed) -> Iterator[Issue]:
    if pv1 is None:
        return
    if not stated_number(pv1):
        text = "no visit number, so the visit is told by class and admission time — ask the sender for PV1-19"
        yield Issue("no-visit-number", "PV1-19", text)
    admitted, discharged = feed.moment(pv1, 44), feed.moment(pv1, 45)
    if admitted is not None and discharged is not None and discharged.instant < admitted.instant:
        text = "the discharge lies before the admission — look at the raw message"
        yield Issue("discharge-before-admission", "PV1-45", text)


def refused(reason: str, message: Message) -> Mapped:
    return Mapped(buckets=(Bucket.MESSAGE_NOT_USED,) * len(message.all("OBX")), refusal=reason)


def merged(message: Message, survivor: PatientId, found: Mapped, feed: Feed) -> Mapped:
    """A40: MRG-1 is from now on the patient of PID-3."""
    mrg = message.first("MRG")
    gone = patient_identity(() if mrg is None else identifiers(mrg, 1), feed.site)
    if isinstance(gone, str):
        return refused("NO_MRG", message)
    if gone == survivor:
        issue = Issue("merge-into-self", "MRG-1", "a merge of a patient into themselves — nothing to do")
        return replace(found, issues=(*found.issues, issue))
    events: tuple[ClinicalEvent, ...] = (*found.events, PatientMerged(survivor, gone))
    return replace(found, events=events, patients=(*found.patients, gone))


def statement_of(message: Message, action: EncounterAction, feed: Feed) -> EncounterStatement | None:
    pv1 = message.first("PV1")
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
