"""Bundles as they leave: those of the golden cases, and one of every kind besides."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapter.assets import load_rulebook
from adapter.domain.assessment import Assessment, Evidence, OrganScore, OrganStatus, SofaScore, Verdict
from adapter.domain.follow_up import DaySofa, DaySurvival, FollowUp, StudyDay, VitalStatus
from adapter.domain.message import RemoteResource
from adapter.domain.truth import Truth
from adapter.fhir.bundle import BundleContext, DecisionEvent, candidate_bundle
from adapter.fhir.calendar import Dates
from adapter.fhir.codes import CONCEPTS
from adapter.fhir.subject import Study
from adapter.sinks.edc_requests import CONDITIONAL_CREATE, CONDITIONAL_UPDATE, adapted, subject_position, with_update
from tests.assessments import AT, CONTEXT, assessment, criterion, evidence, organ, sofa

Json = dict[str, Any]

GOLDEN = Path(__file__).parents[1] / "golden"
STATUSES = ("screening", "eligible", "consent-asked", "consented", "on-study", "declined", "not-eligible", "withdrawn")
TYPES = ("Patient", "Device", "Observation", "Provenance")


def bundles() -> dict[str, Json]:
    """By a name that says what it is."""
    return dict((*_golden(), *_by_status(), *_by_value(), *_by_day(), *_by_server(), *_by_setting()))


def bundle(given: Assessment, *, context: BundleContext = CONTEXT, event: DecisionEvent | None = None) -> Json:
    return candidate_bundle(given, screening_id="7Q2KX", context=context, event=event)


def _golden() -> Iterator[tuple[str, Json]]:
    for path in sorted(GOLDEN.glob("*/bundle.json")):
        yield f"golden {path.parent.name}", json.loads(path.read_text())


def _by_status() -> Iterator[tuple[str, Json]]:
    yield "incomplete", bundle(assessment(verdict=Verdict.INCOMPLETE, stratum=""))
    yield "taken back", bundle(assessment(shown=False), event=DecisionEvent("withdrawn", "against-i5-e3"))
    told = DecisionEvent(
        "updated", withdrawn=(evidence("bilirubin", "", ""), evidence("ferritin", "", "", identity="other"))
    )
    yield "results taken back", bundle(assessment(), event=told)
    for status in STATUSES:
        yield status, bundle(assessment(status=status), event=DecisionEvent("updated", "other", ("consented",)))
    asked = (criterion("I1", Truth.UNKNOWN), criterion("I4", Truth.UNKNOWN))
    yield "opened", bundle(assessment(status="screening", criteria=asked))
    yield (
        "left afterwards",
        bundle(assessment(status="withdrawn"), event=DecisionEvent("updated", "died", ("on-study",))),
    )
    yield "consent refused", bundle(assessment(criteria=(criterion("I4", Truth.NOT_MET),)))


def _by_value() -> Iterator[tuple[str, Json]]:
    yield (
        "a bound",
        bundle(assessment(facts={"ferritin": evidence("ferritin", ">40000", "ng/mL")}, stratum_evidence=())),
    )
    yield (
        "corrected",
        bundle(assessment(stratum_evidence=(evidence("ferritin", "5200.50", "ng/mL", status="corrected"),))),
    )
    yield "no value", bundle(assessment(stratum_evidence=(evidence("ferritin", "", "ng/mL"),)))
    yield "all measured", bundle(assessment(sofa=sofa()))
    between = OrganScore(3, 2, 4, OrganStatus.DERIVED)
    yield "an organ between", bundle(assessment(sofa=sofa(respiration=between)))
    yield "nothing measured", bundle(assessment(sofa=sofa(**dict.fromkeys(sofa().organs, organ(None)))))
    yield "every concept", bundle(assessment(stratum_evidence=tuple(_every()), facts={}, sofa=sofa()))


def _every() -> Iterator[Evidence]:
    dictionary = load_rulebook(None, trials=["immunosep"]).dictionary
    for concept in CONCEPTS:
        known = dictionary.concepts[concept]
        for word in sorted(set(known.answers.values())) or ["17"]:
            yield evidence(concept, word, known.unit or "", laboratory="local", identity=f"{concept} {word}")


def _by_day() -> Iterator[tuple[str, Json]]:
    yield "followed", followed()
    yield "followed, nothing over", bundle(assessment(status="on-study", follow_up=FollowUp(AT)))


def followed() -> Json:
    """After randomisation: study days whole, with gaps, carried; and survival."""
    organs = dict(sofa().organs) | {
        "cns": OrganScore(2, 2, 2, OrganStatus.CARRIED, evidence=(evidence("gcs-total", "12", "{score}"),)),
        "renal": OrganScore(1, 0, 2, OrganStatus.CARRIED),
    }
    days = [StudyDay(n, AT.date(), AT - timedelta(hours=12), AT + timedelta(hours=12)) for n in (1, 2, 28, 90)]
    scored = (SofaScore(AT, 24, organs), sofa(), sofa(liver=organ(None)))
    lived = tuple(map(DaySurvival, days, VitalStatus))
    after = FollowUp(AT, tuple(map(DaySofa, days, scored)), lived)
    return bundle(assessment(status="on-study", follow_up=after))


def _by_server() -> Iterator[tuple[str, Json]]:
    """As it goes to an EDC that gives ids of its own, and to one that already holds the subject."""
    plain = bundle(assessment())
    for way in (CONDITIONAL_CREATE, CONDITIONAL_UPDATE):
        yield way, adapted(plain, dict.fromkeys(TYPES, way))
    position = subject_position(plain)
    subject = plain["entry"][position]["resource"]
    held = subject | {"id": "edc-7", "status": "on-study", "consent": {"reference": "Consent/5"}, "actualArm": "B"}
    yield "updated", with_update(plain, position, held, RemoteResource("edc-7", "3"))


def _by_setting() -> Iterator[tuple[str, Json]]:
    yield "shifted", bundle(assessment(), context=replace(CONTEXT, dates=Dates.SHIFTED))
    study = Study("NCT04990232", "ResearchStudy/immunosep")
    yield "study known", bundle(assessment(), context=replace(CONTEXT, study=study))
    yield "another trial", bundle(assessment(trial="example-trial", stratum="immunosuppression"))
