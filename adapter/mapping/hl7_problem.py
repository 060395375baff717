"""DG1 and PRB → conditions: codes with a status, never free text (HL7 v2 chapters 6 and 12)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from adapter.domain.condition import Condition, ConditionStatus
from adapter.domain.events import ConditionStated
from adapter.domain.patient import PatientId
from adapter.hl7.er7 import Message, Segment
from adapter.hl7.tables import NULL
from adapter.mapping.feed import Feed, Mapped
from adapter.mapping.hl7_oru import events_from_oru
from adapter.mapping.hl7_patient import visit_number
from adapter.mapping.identity import fingerprint
from adapter.mapping.plain import plain

PROBLEMS = frozenset({"PC1", "PC2", "PC3"})
SYSTEMS = {
    "icd-10": (
        "I10",
        "I10C",
        "I10P",
        "ICD10",
        "ICD-10",
        "ICD10CM",
        "ICD-10-CM",
        "ICD10GM",
        "ICD-10-GM",
        "10",
        "ICD-10-WHO",
        "HTTP://HL7.ORG/FHIR/SID/ICD-10",
        "HTTP://HL7.ORG/FHIR/SID/ICD-10-CM",
        "HTTP://HL7.ORG/FHIR/SID/ICD-10-NL",
        "HTTP://FHIR.DE/CODESYSTEM/BFARM/ICD-10-GM",
        "HTTP://FHIR.DE/CODESYSTEM/DIMDI/ICD-10-GM",
    ),
    "icd-9": ("I9", "I9C", "I9CDX", "ICD9", "ICD-9", "ICD9CM", "ICD-9-CM", "9", "HTTP://HL7.ORG/FHIR/SID/ICD-9-CM"),
    "snomed-ct": ("SCT", "SNM", "SNOMED", "SNOMED-CT", "SNOMEDCT", "HTTP://SNOMED.INFO/SCT"),
}
"""Our word → spellings of HL7 table 0396 and of DG1-2 before 2.4; one ICD-10 for all its national forms (clinical 4)."""
BY_SPELLING = {spelling: system for system, spellings in SYSTEMS.items() for spelling in spellings}
KINDS = {"A": "admitting", "W": "working", "F": "final"}
"""DG1-6, table 0052."""
DELETED = frozenset({"D"})
"""DG1-21, table 0206."""
ENDED = frozenset({"RESOLVED", "INACTIVE", "RS", "I"})
"""PRB-14, as senders write a life that is over."""
REFUTED = frozenset({"REFUTED", "RULED OUT", "RO", "R", "E", "ENTERED IN ERROR"})
"""PRB-13, as senders write that it was not so."""
DELETE_ACTION = "DE"
"""PRB-1, table 0287."""


def events_from_problems(message: Message, feed: Feed) -> Mapped:
    """PPR: who the patient is and what is inside as observations, as in an ORU; then the problems."""
    found = events_from_oru(message, feed)
    if not found.patients:
        return found
    return replace(found, events=(*found.events, *conditions_of(message, found.patients[0], feed)))


def conditions_of(message: Message, patient: PatientId, feed: Feed) -> Iterator[ConditionStated]:
    """Of every DG1 and PRB that has a code."""
    visit = visit_number(message.first("PV1"), feed)
    for segment in message.all("DG1"):
        yield from (ConditionStated(patient, said) for said in diagnosis(segment, visit, feed))
    for segment in message.all("PRB"):
        yield from (ConditionStated(patient, said) for said in problem(segment, visit, feed))


def diagnosis(segment: Segment, visit: str, feed: Feed) -> Iterator[Condition]:
    """One condition a coding: a sender may give ICD-10 and SNOMED CT of one diagnosis."""
    deleted = segment.text(21).strip().upper() in DELETED
    status = ConditionStatus.REFUTED if deleted else ConditionStatus.ACTIVE
    at = feed.moment(segment, 5)
    for system, code in codings(segment, 3, segment.text(2)):
        kind = KINDS.get(segment.text(6).strip().upper(), "")
        own = plain(segment.text(20)) or visit
        yield _condition((system, code), status, at.instant if at else None, feed, own=own, kind=kind, visit=visit)


def problem(segment: Segment, visit: str, feed: Feed) -> Iterator[Condition]:
    """PRB-16 onset, else PRB-7 established, else PRB-2 the time of the action."""
    at = next((found for field in (16, 7, 2) if (found := feed.moment(segment, field)) is not None), None)
    for system, code in codings(segment, 3, ""):
        own = plain(segment.text(4)) or visit
        yield _condition(
            (system, code),
            status_of(segment, feed),
            at.instant if at else None,
            feed,
            own=own,
            kind="problem",
            visit=visit,
        )


def status_of(segment: Segment, feed: Feed) -> ConditionStatus:
    words = {plain(segment.text(field, part)).upper() for field in (13,) for part in (1, 2)}
    if segment.text(1).strip().upper() == DELETE_ACTION or words & REFUTED:
        return ConditionStatus.REFUTED
    resolved = feed.moment(segment, 9)
    ended = {plain(segment.text(14, part)).upper() for part in (1, 2)} & ENDED
    over = resolved is not None and resolved.instant <= feed.received
    return ConditionStatus.RESOLVED if ended or over else ConditionStatus.ACTIVE


def codings(segment: Segment, field: int, stated: str) -> Iterator[tuple[str, str]]:
    """(system, code) of the identifier and the alternate one."""
    for component in (1, 4):
        code = plain(segment.text(field, component))
        system = segment.text(field, component + 2).strip() or (stated.strip() if component == 1 else "")
        if code and code != NULL:
            yield BY_SPELLING.get(system.upper(), plain(system).lower()), code.upper()


def _condition(
    coded: tuple[str, str], status: ConditionStatus, at: datetime | None, feed: Feed, **said: str
) -> Condition:
    """`own` is the source's number of it, `kind` and `visit` as in `Condition`."""
    system, code = coded
    moment = at or feed.told or feed.received
    condition = Condition(
        identity=fingerprint(["condition", feed.site.site, said["own"], system, code])[:32],
        system=system,
        code=code,
        status=status,
        at=moment,
        message=feed.message_id,
        kind=said["kind"],
        visit=said["visit"],
        sender_time=feed.told,
    )
    content = [condition.identity, str(status), moment.astimezone(UTC).isoformat() if at else None, said["kind"]]
    return replace(condition, digest=fingerprint(content))
