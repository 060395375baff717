"""Assessments by hand, for tests of what leaves the hospital."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from adapter.domain.alert import AlertChange, AlertKind, CandidateAlert
from adapter.domain.assessment import (
    ORGANS,
    Assessment,
    Certainty,
    CriterionResult,
    Evidence,
    OrganScore,
    OrganStatus,
    Sepsis,
    SofaScore,
    Verdict,
)
from adapter.domain.follow_up import DaySofa, DaySurvival, FollowUp, StudyDay, VitalStatus
from adapter.domain.patient import PatientId
from adapter.domain.trial import CriterionKind, Needs
from adapter.domain.truth import Truth
from adapter.fhir.bundle import BundleContext
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study

AT = datetime(2026, 1, 2, 12, 0, tzinfo=timezone(timedelta(hours=2)))
CONTEXT = BundleContext(b"s" * 32, Dates.EXACT, "0.1.0", Study("NCT04990232"))


def evidence(concept: str, value: str, unit: str, **changes: Any) -> Evidence:
    given = Evidence(concept, value, unit, AT - timedelta(hours=1), "17", identity=f"id-{concept}")
    return replace(given, **changes)


def organ(score: int | None, *found: Evidence) -> OrganScore:
    if score is None:
        return OrganScore(None, 0, 4, OrganStatus.MISSING)
    return OrganScore(score, score, score, OrganStatus.MEASURED, evidence=found)


def sofa(**organs: OrganScore) -> SofaScore:
    return SofaScore(AT, 24, {name: organs.get(name, organ(0)) for name in ORGANS})


def criterion(name: str, answer: Truth, kind: CriterionKind = CriterionKind.INCLUSION) -> CriterionResult:
    return CriterionResult(name, kind, "text", answer, Needs.PERSON)


def assessment(**changes: Any) -> Assessment:
    """A MALS candidate: SOFA 5 with bilirubin missing, ferritin 5200."""
    ferritin = evidence("ferritin", "5200", "ng/mL", laboratory="central")
    given = Assessment(
        patient=PatientId("attikon", "HOSP", "MRN-4711"),
        trial="immunosep",
        episode="visit-9",
        at=AT,
        verdict=Verdict.CANDIDATE,
        certainty=Certainty.CERTAIN,
        stratum="mals",
        shown=True,
        sofa=sofa(
            coagulation=organ(3, evidence("platelets", "40", "10*3/uL")),
            renal=organ(2, evidence("creatinine", "2.5", "mg/dL")),
            liver=organ(None),
        ),
        sepsis=Sepsis("emergency", None, 5, 9, None, AT - timedelta(hours=3), AT + timedelta(hours=69)),
        criteria=(
            criterion("I1", Truth.MET),
            criterion("I4", Truth.UNKNOWN),
            criterion("E1", Truth.NOT_MET, CriterionKind.EXCLUSION),
        ),
        missing=("bilirubin",),
        questions=(),
        rulebook="sha256:abc",
        stratum_evidence=(ferritin,),
        facts={"ferritin": ferritin, "mhladr": evidence("mhladr", "4200", "{AB}/{cell}")},
    )
    return replace(given, **changes)


def change(kind: AlertKind, given: Assessment, reason: str = "ground given") -> AlertChange:
    standing = kind is not AlertKind.WITHDRAWN
    alert = CandidateAlert(given.trial, given.episode, standing, "summary", AT, AT)
    return AlertChange(kind, alert, given, reason)


def followed(*, total: int = 5) -> FollowUp:
    """Study day 2 with its score and the patient alive, one organ carried; day 28, of which nobody knows."""
    start = datetime(2026, 1, 3, tzinfo=UTC)
    day = StudyDay(2, date(2026, 1, 3), start, start + timedelta(days=1))
    carried = replace(organ(1, evidence("creatinine", "2.5", "mg/dL")), status=OrganStatus.CARRIED)
    score = sofa(renal=carried, liver=organ(None), coagulation=organ(total - 1))
    last = StudyDay(28, date(2026, 1, 29), start + timedelta(days=26), start + timedelta(days=27))
    survival = (DaySurvival(day, VitalStatus.ALIVE), DaySurvival(last, VitalStatus.UNKNOWN))
    return FollowUp(AT, (DaySofa(day, score, ("renal",)),), survival)
