"""PID and PV1 → who a patient is and which visit is meant."""

from collections.abc import Mapping
from datetime import UTC, datetime

from adapter.domain.events import ClinicalEvent, PatientDescribed
from adapter.domain.issue import Issue
from adapter.domain.overlay import field
from adapter.domain.patient import Demographics, PatientId, Stated
from adapter.hl7.er7 import Segment
from adapter.hl7.tables import NULL
from adapter.mapping.feed import Feed, meant
from adapter.mapping.identity import text_digest
from adapter.mapping.plain import plain, same_word

SEXES = {"F": "female", "M": "male", "O": "other", "A": "other", "N": "other", "U": "unknown"}
"""Table 0001 in FHIR's words."""
LONGEST_LIFE = 130
"""Years: an older date of birth is a mistake (reliability C05)."""
TEXT_LENGTHS = {"year": 4, "month": 7}
DAY_LENGTH = 10


def described(
    patient: PatientId, pid: Segment, pd1: Segment | None, feed: Feed
) -> tuple[tuple[ClinicalEvent, ...], tuple[Issue, ...]]:
    """What PID states; HL7's null is stated as empty, silence is not stated at all."""
    said = {
        "family": plain(pid.text(5)),
        "given": plain(pid.text(5, 2)),
        "sex": sex(pid.text(8)),
        "birth_date": birth_date(pid.text(7), feed),
        "died": died(pid, feed),
        "test": "yes" if is_test(patient, pid, feed) else "",
        "opt_out": opt_out({"PID": pid, "PD1": pd1}, feed),
    }
    at = feed.told or feed.received
    fields = {name: stated(value, at) for name, value in said.items() if value}
    if person := fingerprint_of(said):
        fields[person] = stated("described", at)
    issues = unusable_birth(pid.text(7), said["birth_date"])
    return ((PatientDescribed(patient, Demographics(fields)),) if fields else ()), issues


def fingerprint_of(said: Mapping[str, str]) -> str:
    """The person described, where name, date of birth and sex are all told (reliability C08); case and accents do not matter."""
    name, born, sex_ = same_word(f"{said['family']} {said['given']}".strip()), said["birth_date"], said["sex"]
    if NULL in {said["family"], born} or not name or len(born) < DAY_LENGTH or sex_ not in {"female", "male"}:
        return ""
    return field(text_digest(name)[:12], text_digest(born)[:12], sex_)


def stated(value: str, at: datetime) -> Stated:
    said = "" if value == NULL else value
    return Stated(said, at, text_digest(said))


def unusable_birth(text: str, read: str) -> tuple[Issue, ...]:
    if not text or read:
        return ()
    return (
        Issue(
            "unusable-birth-date", "PID-7", "the date of birth is no date or lies outside a life — age stays unknown"
        ),
    )


def sex(text: str) -> str:
    word = text.strip()
    return word if word in {"", NULL} else SEXES.get(word.upper(), "unknown")


def birth_date(text: str, feed: Feed) -> str:
    """ISO 8601 in the precision given; empty where it is no date of a living person."""
    if text.strip() in {"", NULL}:
        return text.strip()
    found = feed.words.moment(text)
    if found is None:
        return ""
    years = feed.received.year - found.instant.year
    if found.instant > feed.received or years > LONGEST_LIFE:
        return ""
    return found.instant.date().isoformat()[: TEXT_LENGTHS.get(found.precision, DAY_LENGTH)]


def died(pid: Segment, feed: Feed) -> str:
    """PID-29, else with PID-30 `Y` the moment we were told; PID-30 `N` states that the patient lives."""
    indicator = pid.text(30).strip().upper()
    time = pid.text(29).strip()
    found = None if time in {"", NULL} else meant(feed.words.moment(time))
    if indicator == "N" or time == NULL:
        return NULL
    if found is not None:
        whole = found.precision in {*TEXT_LENGTHS, "day"}
        iso = found.instant.isoformat()
        return iso[: TEXT_LENGTHS.get(found.precision, DAY_LENGTH)] if whole else iso
    return (feed.sender_time or feed.received).astimezone(UTC).isoformat() if indicator == "Y" else ""


def is_test(patient: PatientId, pid: Segment, feed: Feed) -> bool:
    words = (patient.value.upper(), pid.text(5).strip().upper())
    return any(word.startswith(prefix) for prefix in feed.site.test_patients for word in words)


def opt_out(segments: dict[str, Segment | None], feed: Feed) -> str:
    """`yes` or HL7's null (no longer) where the site's field speaks."""
    rule = feed.site.opt_out
    segment = None if rule is None else segments.get(rule.segment)
    value = "" if rule is None or segment is None else segment.text(rule.field).strip()
    if rule is None or not value:
        return ""
    return "yes" if value in rule.values else NULL


def visit_number(pv1: Segment | None, feed: Feed) -> str:
    """PV1-19, else PV1-50, else class and admission time (reliability C22)."""
    if pv1 is None:
        return ""
    number = stated_number(pv1)
    admitted = None if number else feed.moment(pv1, 44)
    if admitted is None:
        return number
    return f"{plain(pv1.text(2)).upper()}@{admitted.instant.astimezone(UTC).isoformat()}"


def stated_number(pv1: Segment) -> str:
    numbers = (plain(pv1.text(field)) for field in (19, 50))
    return next((number for number in numbers if number not in {"", NULL}), "")
