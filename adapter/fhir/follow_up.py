"""What became of somebody who was randomised, as R4 Observations: the SOFA of study days and survival."""

from typing import Any

from adapter.domain.assessment import OrganStatus
from adapter.domain.follow_up import DaySofa, DaySurvival, StudyDay, VitalStatus
from adapter.fhir.calendar import Calendar
from adapter.fhir.codes import CONCEPT_SYSTEM, IMPUTED_EXTENSION, STUDY_DAY_EXTENSION, VITAL_STATUS, said_by
from adapter.fhir.observations import absent, identifier, sofa_observation

Json = dict[str, Any]

_METHOD = "Sequential Organ Failure Assessment (Vincent 1996), worst value of each organ on the calendar day"


def day_observation(resource_id: str, one: DaySofa, *, calendar: Calendar) -> Json:
    """An organ carried from an earlier day says so (`imputed`: `locf`); `derivedFrom` is for the bundle to fill."""
    resource = sofa_observation(resource_id, one.sofa, calendar=calendar)
    del resource["effectiveDateTime"]
    resource |= said_by("sofa-of-day") | {"effectivePeriod": _period(one.day, calendar), "method": {"text": _METHOD}}
    resource["extension"].append(_study_day(one.day))
    for part, organ in zip(resource["component"], one.organs.values(), strict=True):
        if organ.status is OrganStatus.CARRIED:
            part.setdefault("extension", []).append({"url": IMPUTED_EXTENSION, "valueCode": "locf"})
    return resource


def survival_observation(resource_id: str, one: DaySurvival, *, calendar: Calendar) -> Json:
    """Alive or died at the end of a study day; absent where the hospital does not tell."""
    known = one.status is not VitalStatus.UNKNOWN
    value = {"valueCodeableConcept": {"coding": [{"system": CONCEPT_SYSTEM, "code": str(one.status)}]}}
    return {
        "resourceType": "Observation",
        "id": resource_id,
        **said_by("vital-status"),
        "identifier": [identifier(resource_id)],
        "status": "final",
        "code": {
            "coding": [{"system": CONCEPT_SYSTEM, "code": VITAL_STATUS}],
            "text": f"Vital status at the end of study day {one.day.number}",
        },
        "effectiveDateTime": _period(one.day, calendar)["end"],
        "extension": [_study_day(one.day)],
        **(value if known else absent()),
    }


def _study_day(day: StudyDay) -> Json:
    return {"url": STUDY_DAY_EXTENSION, "valueInteger": day.number}


def _period(day: StudyDay, calendar: Calendar) -> Json:
    """The day's last second: R4 counts the end of a period as part of it."""
    return {"start": calendar.text(day.start), "end": calendar.text(day.last)}
