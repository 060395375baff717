"""What is remembered of a patient's chart changes speed, never a judgement."""

import os
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.assets import load_rulebook
from adapter.domain.alert import CandidateAlert
from adapter.domain.condition import Condition, ConditionStatus
from adapter.domain.encounter import EncounterAction, EncounterClass
from adapter.domain.events import (
    AdministrationStated,
    ClinicalEvent,
    ConditionStated,
    CriterionDetermined,
    EncounterChanged,
    ObservationReceived,
    PatientDescribed,
    StatusDecided,
)
from adapter.domain.observation import Laboratory, Observation, Result, ResultStatus
from adapter.domain.patient import Decision, Demographics, Determination, PatientState, Stated, Window
from adapter.domain.trial import Comparison, Criterion, CriterionKind, Needs, Operator, Trial
from adapter.domain.truth import Truth
from adapter.eligibility.facts import FACTS, LIST, Fact, Kind
from adapter.pipeline.remembered import Known
from adapter.scoring.chart import Chart
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import organs, score
from adapter.scoring.thresholds import WINDOW
from adapter.screening.screen import Outcome, screen
from adapter.screening.state import apply_all, union
from adapter.store.codec import instant, versions_text
from adapter.store.unread import stored
from tests.builders import PATIENT, T0, observation, state_of, visit
from tests.laws.test_sofa_laws import DEVICES, GROUPS, NUMBERS, givings


def asked(fact: Fact, within: timedelta | None) -> Comparison:
    """Some comparison of the fact."""
    if fact.kind is Kind.NUMBER:
        return Comparison(fact.name, Operator.AT_LEAST, Fraction(2), fact.unit, within if fact.windowed else None)
    value: str | bool = fact.words[0] if fact.words else True
    return Comparison(fact.name, Operator.IS, value, within=within if fact.windowed else None)


def asking_everything(trial: Trial) -> Trial:
    """The page with every fact of the language as a criterion, in two windows, one of them paired."""
    rules = [asked(fact, within) for fact in LIST for within in (None, timedelta(hours=24))]
    rules.append(replace(asked(FACTS["ferritin.latest"], timedelta(hours=72)), paired_with="mhladr"))
    made = (
        Criterion(f"X{n}", CriterionKind.EXCLUSION, rule.fact, Needs.PERSON, rule, suggested_when=rules[-1 - n])
        for n, rule in enumerate(rules)
    )
    return replace(trial, criteria=(*trial.criteria, *made))


LOADED = load_rulebook(None, trials=["immunosep-demo", "immunosep"])
RULES = replace(LOADED, trials=(asking_everything(LOADED.trials[0]), LOADED.trials[1]))
LIVES = settings(
    max_examples=int(os.environ.get("ADAPTER_LIVES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
CROWDED = int(os.environ.get("ADAPTER_STAYS", "200"))
VALUES = {
    **NUMBERS,
    "platelets": [10, 80, 120, 200, "<50"],
    "dobutamine-rate": [0, 5],
    "vasopressin-rate": [0, "0.03"],
    "ferritin": [300, 4420, 5200, ">2000"],
    "mhladr": [4000, 9000],
    "lactate": [1, 5],
    "wbc": [2, 9],
    "neutrophil-percent": [30, 80],
    "band-percent": [10, "<5"],
    "neutrophils": [1, 4],
}
ANSWERS = {
    "respiratory-support": DEVICES,
    "renal-replacement": ["crrt", "haemodialysis", "none"],
    "circulatory-support": ["va-ecmo", "vv-ecmo", "iabp", "none"],
    "sars-cov-2": ["detected", "not-detected", "inconclusive"],
    "culture-organism": ["e. coli", "no growth"],
    "code-status": ["dnr", "full"],
    "pregnancy-test": ["positive", "negative"],
    "hiv-test": ["positive", "negative"],
}
CONCEPTS = (*VALUES, *ANSWERS)
TOGETHER = (
    ("pao2", "fio2", "respiratory-support"),
    ("spo2", "fio2", "oxygen-flow", "respiratory-support"),
    ("gcs-total", "gcs-eye", "gcs-verbal", "gcs-motor", "rass", "respiratory-support"),
    ("map", "map-cuff", "sbp", "dbp", "norepinephrine-rate", "weight", "weight-stated"),
    ("urine-output", "creatinine", "platelets"),
    ("platelets", "bilirubin", "culture-organism"),
    ("ferritin", "mhladr", "neutrophils", "wbc", "neutrophil-percent", "band-percent"),
)
"""Concepts that are read together."""
TRIAL = RULES.trials[0].id
TICK = timedelta.resolution
Batch = tuple[datetime | timedelta, list[ClinicalEvent]]
"""When somebody looks, and what is told then; a duration is counted from the moment the last answer asked to be reviewed."""


def quarters(first: int, last: int) -> st.SearchStrategy[datetime]:
    return st.integers(first, last).map(lambda number: T0 + timedelta(minutes=15 * number))


def minutes(first: int, last: int) -> st.SearchStrategy[datetime]:
    return st.integers(first, last).map(lambda number: T0 + timedelta(minutes=number))


@st.composite
def results(draw: st.DrawFn, concepts: tuple[str, ...] = CONCEPTS) -> ClinicalEvent:
    """A result, or another version of one: corrected, withdrawn, preliminary, told twice, dated ahead or long ago."""
    concept = draw(st.sampled_from(concepts))
    at = draw(quarters(-40, 260) | minutes(-600, 3900))
    value = draw(st.sampled_from(ANSWERS[concept] if concept in ANSWERS else VALUES[concept]))
    feed = draw(st.sampled_from(["", "", "again"]))
    made = observation(
        concept,
        value,
        at=at,
        status=draw(st.sampled_from([*[ResultStatus.FINAL] * 4, *ResultStatus])),
        identity=f"{concept}{draw(st.integers(0, 3))}" if draw(st.booleans()) else f"{concept}@{at}{feed}",
        specimen=draw(st.sampled_from(["arterial", "blood", "venous"])) if concept == "pao2" else "",
        specimen_id=draw(st.sampled_from(["", "", "s1", "s2"])),
        issued=draw(st.none() | quarters(-40, 260)),
        laboratory=draw(st.sampled_from(Laboratory)),
        flags=draw(st.sampled_from([(), (), ("haemolysed",)])),
    )
    return ObservationReceived(PATIENT, made)


@st.composite
def stays(draw: st.DrawFn) -> ClinicalEvent:
    action = draw(st.sampled_from([EncounterAction.ADMIT, *EncounterAction]))
    kind, ward = draw(st.sampled_from(EncounterClass)), draw(st.sampled_from("AB"))
    number = draw(st.sampled_from(["V1", "V1", "V2"]))
    return EncounterChanged(PATIENT, visit(action, draw(quarters(-300, 200)), cls=kind, ward=ward, number=number))


answers = st.builds(
    lambda criterion, answer, at: CriterionDetermined(
        PATIENT, Determination(TRIAL, criterion, answer, at, "kim", digest=f"{criterion}{answer}{at}")
    ),
    st.sampled_from(["I5", "I6", "E6"]),
    st.sampled_from(Truth),
    quarters(-40, 260),
)
decisions = st.builds(
    lambda status, at: StatusDecided(PATIENT, Decision(TRIAL, "V1", status, at, "kim", digest=f"{status}{at}")),
    st.sampled_from(["screening", "declined"]),
    quarters(-40, 260),
)
diagnoses = st.builds(
    lambda code, status, at: ConditionStated(
        PATIENT, Condition(code, "icd-10", code, status, at, "1", sender_time=at, digest=f"{code}{status}{at}")
    ),
    st.sampled_from(["U07.1", "M32.9", "J18.9", "N18.6"]),
    st.sampled_from(ConditionStatus),
    quarters(-40, 260),
)
descriptions = st.builds(
    lambda field, at: PatientDescribed(PATIENT, Demographics({field[0]: Stated(field[1], at)})),
    st.sampled_from([("sex", "female"), ("sex", "male"), ("birth_date", "1960"), ("birth_date", "1990-02-03"),
                     ("died", "2026-01-03T00:00:00+00:00"), ("test", "yes"), ("test", "")]),
    quarters(-40, 260),
)  # fmt: skip


@st.composite
def lives(draw: st.DrawFn) -> list[Batch]:
    """What is told of a patient, from an admission on, by and by; the clock may be set back between two batches."""
    kind = draw(st.sampled_from([EncounterClass.EMERGENCY, EncounterClass.EMERGENCY, EncounterClass.INPATIENT]))
    admitted = EncounterChanged(PATIENT, visit(at=draw(quarters(-60, 0)), cls=kind))
    some = st.lists(st.sampled_from(CONCEPTS), min_size=1, max_size=8).map(tuple)
    names = draw(st.one_of(some, st.just(CONCEPTS), st.sampled_from(TOGETHER)))
    told = results(names)
    drugs = givings().map(lambda one: AdministrationStated(PATIENT, one))
    event = st.one_of(*[told] * 8, drugs, stays(), answers, decisions, diagnoses, descriptions)
    looked = quarters(0, 300) | minutes(0, 4500)
    batches: list[tuple[datetime, list[ClinicalEvent]]] = draw(
        st.lists(st.tuples(looked, st.lists(event, max_size=12)), min_size=2, max_size=10)
    )
    ordered = batches if draw(st.booleans()) else sorted(batches, key=lambda batch: batch[0])
    life: list[Batch] = [(ordered[0][0], [admitted, *ordered[0][1]])]
    for batch in ordered[1:]:
        waited = draw(st.none() | st.none() | st.sampled_from([-TICK, 0 * TICK, TICK]))
        life.append(batch if waited is None else (waited, batch[1] if draw(st.booleans()) else []))
    return life


@LIVES
@given(lives(), st.data())
def test_a_patient_whose_chart_is_remembered_is_judged_as_one_who_is_read_anew(
    life: list[Batch], data: st.DataObject
) -> None:
    """Also where a step was never kept and its chart is forgotten, where another record joins (HL7 A40), and where only the
    conclusions stayed and the results were read from the store again.
    """
    remembered, now = Chart(PatientState(PATIENT)), T0
    alerts: dict[tuple[str, str], CandidateAlert] = {}
    for when, events in life:
        now = when if isinstance(when, datetime) else now + when
        what = data.draw(st.sampled_from(["told", "told", "told", "told", "lost", "joined", "read"]))
        if what == "lost":
            screen(remembered, data.draw(st.lists(results(), max_size=4)), RULES, alerts=alerts, now=now)
        state = apply_all(remembered.state, events)
        if what == "joined":
            other = apply_all(PatientState(PATIENT), data.draw(st.lists(results() | stays(), max_size=5)))
            remembered = remembered.followed_by(union(remembered.state, other))
            state = apply_all(remembered.state, events)
        if what == "read":
            remembered = read_again(remembered)
        kept = screen(remembered, events, RULES, alerts=alerts, now=now)
        anew = screen(state, (), RULES, alerts=alerts, now=now)
        assert (kept.state, kept.judgements) == (anew.state, anew.judgements)
        remembered = kept.chart
        alerts |= _told(kept)
        now = next((j.assessment.review_at for j in kept.judgements if j.assessment.review_at), now)


def read_again(chart: Chart) -> Chart:
    """As `pipeline.keep` has it after the chart went: the results as the store has them, and what was concluded of the past."""
    known = {concept: tuple(map(row_of, results)) for concept, results in chart.state.results.items()}
    assert known == chart.state.results
    known = {
        concept: tuple(map(row_of, results)) for concept, results in chart.state.results.items()
    }  # none of it looked at
    return Known(chart, {}).sketch().filled(replace(chart.state, results=known)).chart


def row_of(result: Result) -> Result:
    newest = result.versions[-1]
    return stored(instant(newest.effective), newest.identity, versions_text(result.versions))


def crowded(random: Random, names: list[str], clock: int) -> ClinicalEvent:
    """A result of about now, on a few full quarters of an hour, so that one often touches what another one says."""
    at = T0 + timedelta(minutes=15 * random.randint(-200, clock))
    if random.random() < 0.05:
        action = random.choice([EncounterAction.ADMIT, EncounterAction.UPDATE, EncounterAction.CANCEL_ADMIT])
        return EncounterChanged(PATIENT, visit(action, at, cls=random.choice(list(EncounterClass))))
    if random.random() < 0.05:
        answer = random.choice(list(Truth))
        return CriterionDetermined(PATIENT, Determination(TRIAL, "I5", answer, at, "kim", digest=f"{answer}{at}"))
    concept = random.choice(names)
    near = random.randint(clock - 16, clock + 2) if random.random() < 0.8 else random.randint(-40, 260)
    at = T0 + timedelta(minutes=15 * near)
    made = observation(
        concept,
        random.choice(ANSWERS.get(concept) or VALUES[concept]),
        at=at,
        status=random.choice([*[ResultStatus.FINAL] * 6, *ResultStatus]),
        identity=f"{concept}{random.randint(0, 3)}" if random.random() < 0.2 else f"{concept}@{at}",
        specimen=random.choice(["arterial", "arterial", "venous"]) if concept == "pao2" else "",
        issued=T0 + timedelta(minutes=random.randint(0, 4000)),
    )
    return ObservationReceived(PATIENT, made)


@pytest.mark.parametrize("part", range(4))
def test_crowded_stays_are_judged_alike_too(part: int) -> None:
    """Denser than what Hypothesis draws: results and looks lie close together, most of them one after the other."""
    for seed in range(part, CROWDED, 4):
        random = Random(seed)
        names = list(random.choice([*TOGETHER, random.sample(CONCEPTS, random.randint(1, 9))]))
        kind = random.choice([EncounterClass.EMERGENCY, EncounterClass.INPATIENT])
        first = T0 - timedelta(hours=random.choice([0, 0, 30, 50]))
        life = Chart(apply_all(PatientState(PATIENT), [EncounterChanged(PATIENT, visit(at=first, cls=kind))]))
        clock, now = 0, T0
        for _ in range(random.randint(5, 12)):
            clock = clock + random.choice([0, 1, 2, 3, 20]) if random.random() < 0.95 else random.randint(0, 120)
            now = T0 + timedelta(minutes=15 * clock) if random.random() < 0.7 else now + random.choice([-TICK, TICK])
            told = [crowded(random, names, clock) for _ in range(random.choice([0, 1, 1, 2, 4]))]
            life = read_again(life) if random.random() < 0.2 else life
            kept = screen(life, told, RULES, alerts={}, now=now)
            anew = screen(kept.state, (), RULES, alerts={}, now=now)
            assert kept.judgements == anew.judgements, f"stay {seed}"
            life = kept.chart
            now = next((j.assessment.review_at for j in kept.judgements if j.assessment.review_at), now)


def test_an_onset_is_searched_again_where_the_visit_turns_out_to_be_another_one() -> None:
    """A clinic visit of three days that was an admission all along: the rise of yesterday counts."""
    normal = [
        ("platelets", 200),
        ("creatinine", "0.8"),
        ("bilirubin", "0.5"),
        ("map", 80),
        ("gcs-total", 15),
        ("pf-ratio", 450),
    ]
    first = T0 - timedelta(hours=72)
    early = [observation(concept, value, at=first + timedelta(hours=1)) for concept, value in normal]
    late = observation("platelets", 30, at=T0 - timedelta(hours=20))
    clinic = EncounterChanged(PATIENT, visit(at=first, cls=EncounterClass.OUTPATIENT))
    said = [clinic, *(ObservationReceived(PATIENT, one) for one in (*early, late))]
    seen = screen(PatientState(PATIENT), said, RULES, alerts={}, now=T0)
    assert seen.judgements[0].assessment.sepsis.onset is None
    ward = EncounterChanged(PATIENT, visit(EncounterAction.UPDATE, T0, cls=EncounterClass.INPATIENT))
    kept = screen(seen.chart, [ward], RULES, alerts={}, now=T0 + timedelta(minutes=5))
    anew = screen(kept.state, (), RULES, alerts={}, now=T0 + timedelta(minutes=5))
    assert kept.judgements == anew.judgements
    assert kept.judgements[0].assessment.sepsis.onset == late.effective


def _told(outcome: Outcome) -> dict[tuple[str, str], CandidateAlert]:
    changes = [judgement.change for judgement in outcome.judgements if judgement.change is not None]
    return {(change.alert.trial, change.alert.episode): change.alert for change in changes}


OPTIONS = ScoringOptions(norepinephrine_basis="unknown")
HOURS = [0, 1, 2, 3, 3.1, 4, 6, 12, 22, 24, 24.25, 24.5, 24.75, 25, 26, 27, 27 + 1 / 12, 28, 30]
"""After a result: where a window, a hold or an hour may end, whatever the code believes of it."""
LOOKS = st.tuples(
    st.integers(0, 30), st.sampled_from(HOURS), st.sampled_from([0 * TICK, TICK, 2 * TICK, timedelta(minutes=7)])
)


@LIVES
@given(GROUPS, st.lists(LOOKS, min_size=1, max_size=8))
def test_a_remembered_organ_is_what_it_would_be_if_scored_again(
    chart: list[Observation], looks: list[tuple[int, float, timedelta]]
) -> None:
    """At any moments, in any order, and on both sides of those at which it may change: flags and evidence too."""
    state = state_of(*chart)
    remembered = Chart(state)
    times = [one.effective for one in chart] or [T0]
    for which, hours, near in looks:
        moment = times[which % len(times)] + timedelta(hours=hours)
        for at in (moment - near, moment, moment + near):
            assert score(remembered, at, OPTIONS).organs == organs(Chart(state), Window(at, WINDOW), OPTIONS)
