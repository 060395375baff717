"""What is remembered of a patient's chart changes speed, never a judgement."""

import os
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.assets import load_rulebook
from adapter.domain.alert import CandidateAlert
from adapter.domain.encounter import EncounterAction, EncounterClass
from adapter.domain.events import ClinicalEvent, CriterionDetermined, EncounterChanged, ObservationReceived
from adapter.domain.observation import ResultStatus
from adapter.domain.patient import Determination, PatientState
from adapter.domain.truth import Truth
from adapter.scoring.chart import Chart
from adapter.screening.screen import Outcome, screen
from tests.builders import PATIENT, T0, observation, visit
from tests.laws.test_sofa_laws import DEVICES, NUMBERS

RULES = load_rulebook(None, trials=["immunosep-demo"])
LIVES = settings(
    max_examples=int(os.environ.get("ADAPTER_LIVES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
VALUES = {**NUMBERS, "ferritin": [300, 4420, 5200], "mhladr": [4000, 9000], "lactate": [1, 5], "wbc": [2, 9]}
CONCEPTS = (*VALUES, "respiratory-support", "sars-cov-2")
ANSWERS = {"respiratory-support": DEVICES, "sars-cov-2": ["detected", "not-detected"]}
Batch = tuple[datetime, list[ClinicalEvent]]


def quarters(first: int, last: int) -> st.SearchStrategy[datetime]:
    return st.integers(first, last).map(lambda number: T0 + timedelta(minutes=15 * number))


@st.composite
def results(draw: st.DrawFn, concepts: tuple[str, ...] = CONCEPTS) -> ClinicalEvent:
    """A result, or another version of one: corrected, withdrawn, preliminary, or at another time."""
    concept = draw(st.sampled_from(concepts))
    at = draw(quarters(-40, 260))
    value = draw(st.sampled_from(ANSWERS[concept] if concept in ANSWERS else VALUES[concept]))
    made = observation(
        concept,
        value,
        at=at,
        status=draw(st.sampled_from([*[ResultStatus.FINAL] * 4, *ResultStatus])),
        identity=f"{concept}{draw(st.integers(0, 3))}" if draw(st.booleans()) else f"{concept}@{at}",
        specimen=draw(st.sampled_from(["arterial", "blood", "venous"])) if concept == "pao2" else "",
        issued=draw(st.none() | quarters(-40, 260)),
    )
    return ObservationReceived(PATIENT, made)


@st.composite
def stays(draw: st.DrawFn) -> ClinicalEvent:
    action = draw(st.sampled_from([EncounterAction.ADMIT, *EncounterAction]))
    kind = draw(st.sampled_from(EncounterClass))
    return EncounterChanged(PATIENT, visit(action, draw(quarters(-300, 200)), cls=kind))


answers = st.builds(
    lambda criterion, answer, at: CriterionDetermined(
        PATIENT, Determination(RULES.trials[0].id, criterion, answer, at, "kim", digest=f"{criterion}{answer}{at}")
    ),
    st.sampled_from(["I5", "I6"]),
    st.sampled_from(Truth),
    quarters(-40, 260),
)


@st.composite
def lives(draw: st.DrawFn) -> list[Batch]:
    """What is told of a patient, from an admission on, by and by; the clock may be set back between two batches."""
    kind = draw(st.sampled_from([EncounterClass.EMERGENCY, EncounterClass.EMERGENCY, EncounterClass.INPATIENT]))
    admitted = EncounterChanged(PATIENT, visit(at=draw(quarters(-60, 0)), cls=kind))
    names = draw(st.lists(st.sampled_from(CONCEPTS), min_size=1, max_size=8).map(tuple) | st.just(CONCEPTS))
    event = st.one_of(results(names), results(names), results(names), results(names), stays(), answers)
    batches = st.tuples(quarters(0, 300), st.lists(event, max_size=12))
    told: list[Batch] = draw(st.lists(batches, min_size=2, max_size=7))
    ordered = told if draw(st.booleans()) else sorted(told, key=lambda batch: batch[0])
    return [(ordered[0][0], [admitted, *ordered[0][1]]), *ordered[1:]]


@LIVES
@given(lives())
def test_a_patient_whose_chart_is_remembered_is_judged_as_one_who_is_read_anew(life: list[Batch]) -> None:
    remembered, state = Chart(PatientState(PATIENT)), PatientState(PATIENT)
    alerts: dict[tuple[str, str], CandidateAlert] = {}
    for now, events in life:
        kept = screen(remembered, events, RULES, alerts=alerts, now=now)
        anew = screen(state, events, RULES, alerts=alerts, now=now)
        assert (kept.state, kept.judgements) == (anew.state, anew.judgements)
        remembered, state = kept.chart, anew.state
        alerts |= _told(kept)


def _told(outcome: Outcome) -> dict[tuple[str, str], CandidateAlert]:
    changes = [judgement.change for judgement in outcome.judgements if judgement.change is not None]
    return {(change.alert.trial, change.alert.episode): change.alert for change in changes}
