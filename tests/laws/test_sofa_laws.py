"""Laws of the score that hold for any chart."""

from datetime import datetime, timedelta
from fractions import Fraction

from hypothesis import HealthCheck, settings
from hypothesis import given as forall
from hypothesis import strategies as st

from adapter.domain.administration import Administration
from adapter.domain.assessment import SofaScore
from adapter.domain.observation import Observation
from adapter.domain.patient import PatientState
from adapter.scoring.baseline import admission_baseline
from adapter.scoring.chart import Chart
from adapter.scoring.moments import moments, next_change
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import score
from adapter.scoring.sofa2 import score_2
from tests.builders import T0, after, given, observation, state_of

OPTIONS = ScoringOptions(norepinephrine_basis="unknown")
LIMITS = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NUMBERS = {
    "pao2": [45, 70, 90, 160, 400],
    "fio2": ["0.21", "0.4", "0.6", "1"],
    "oxygen-flow": [2, 6, 12],
    "spo2": [80, 92, 97, 99],
    "pf-ratio": [90, 150, 250, 350],
    "platelets": [10, 30, 80, 120, 200],
    "bilirubin": ["0.5", "1.3", 3, 7, 13],
    "creatinine": ["0.8", "1.3", 3, 4, 6],
    "map": [55, 65, 69, 72, 80],
    "map-arterial": [55, 65, 72, 80],
    "map-cuff": [55, 72, 80],
    "sbp": [80, 120],
    "dbp": [40, 70],
    "norepinephrine-rate": [0, "0.05", "0.15", "0.3", "8 ug/min", "20 ug/min", "5 mL/h"],
    "dopamine-rate": [0, 4, 10, 20],
    "gcs-total": [3, 5, 7, 9, 11, 13, 15],
    "gcs-eye": [1, 4],
    "gcs-verbal": [1, 4],
    "gcs-motor": [1, 5, 6],
    "rass": [-4, -2, -1, 0],
    "weight": [60, 90],
    "weight-stated": [75],
    "urine-output": [0, 10, 40, 150, 400],
    "bladder-irrigation": [100, 600],
    "urine-output-24h": [100, 300, 900],
}
DRUGS = ["norepinephrine", "dopamine", "vasopressin", "propofol", "neuromuscular-blocker"]
AMOUNTS = [("0.05", "ug/kg/min"), ("0.3", "ug/kg/min"), ("0.5", "mg/h"), ("8", "mL/h"), ("0", "mg/h"), ("", "mg")]
DEVICES = ["invasive", "niv", "hfnc", "mask", "nasal-cannula", "room-air"]
LABORATORY = ["platelets", "bilirubin", "creatinine"]
QUARTERS = st.integers(0, 4 * 60)
"""Quarters of an hour over two and a half days."""


@st.composite
def observations(draw: st.DrawFn, concepts: tuple[str, ...] = (*NUMBERS, "respiratory-support")) -> Observation:
    concept = draw(st.sampled_from(concepts))
    at = T0 + timedelta(minutes=15 * draw(QUARTERS))
    if concept == "respiratory-support":
        return observation(concept, draw(st.sampled_from(DEVICES)), at=at)
    specimen = draw(st.sampled_from(["arterial", "arterial", "blood", "venous"])) if concept == "pao2" else ""
    return observation(concept, draw(st.sampled_from(NUMBERS[concept])), at=at, specimen=specimen)


def charts(most: int = 25) -> st.SearchStrategy[list[Observation]]:
    return st.lists(observations(), max_size=most, unique_by=lambda o: o.identity)


def focused(*concepts: str) -> st.SearchStrategy[list[Observation]]:
    return st.lists(observations(concepts), max_size=14, unique_by=lambda o: o.identity)


@st.composite
def syringes(draw: st.DrawFn) -> list[Observation]:
    """One drug charted to the minute: each syringe ends some minutes before the next."""
    chart: dict[int, str] = {}
    minute = draw(st.integers(0, 600))
    for ran, gap in draw(st.lists(st.tuples(st.integers(20, 70), st.integers(0, 7)), min_size=1, max_size=4)):
        chart[minute], chart[minute + ran] = draw(st.sampled_from(["0.05", "0.15", "0.3"])), "0"
        minute += ran + gap
    return [
        observation("norepinephrine-rate", rate, at=T0 + timedelta(minutes=minute)) for minute, rate in chart.items()
    ]


@st.composite
def givings(draw: st.DrawFn) -> Administration:
    """A rate with or without an end, told before or after it passed, with or without what its dose needs; a stop; a push."""
    at = T0 + timedelta(minutes=15 * draw(QUARTERS))
    length = draw(st.none() | st.sampled_from([20, 60, 65, 600, 2400]))
    rate, unit = draw(st.sampled_from(AMOUNTS))
    return given(
        draw(st.sampled_from(DRUGS)),
        rate,
        unit,
        at,
        until=None if length is None else at + timedelta(minutes=length),
        dose="" if rate else "4",
        concentration=draw(st.sampled_from(["", "4"])),
        state=draw(st.sampled_from(["given", "given", "given", "stopped", "withdrawn"])),
        sender_time=draw(st.none() | st.sampled_from([at, at + timedelta(hours=41)])),
    )


@st.composite
def treated(draw: st.DrawFn) -> tuple[list[Observation], tuple[Administration, ...]]:
    """A chart and what was given beside it."""
    beside = focused(
        "weight", "weight-stated", "map", "norepinephrine-rate", "gcs-total", "rass", "respiratory-support"
    )
    found = st.lists(givings(), max_size=8, unique_by=lambda one: one.identity)
    return draw(beside), tuple(draw(found))


GROUPS = st.one_of(
    charts(),
    focused("map", "map-arterial", "map-cuff", "sbp", "dbp"),
    focused("norepinephrine-rate", "dopamine-rate"),
    syringes(),
    focused("urine-output", "urine-output", "bladder-irrigation", "urine-output-24h"),
    focused("gcs-total", "gcs-eye", "gcs-verbal", "gcs-motor", "rass", "respiratory-support"),
    focused("pao2", "fio2", "oxygen-flow", "spo2", "pf-ratio", "respiratory-support"),
)
TIMES = st.integers(0, 4 * 96 * 15).map(lambda minutes: T0 + timedelta(minutes=minutes))


def numbers(sofa: SofaScore) -> dict[str, tuple[int | None, int, int]]:
    return {name: (organ.score, organ.low, organ.high) for name, organ in sofa.organs.items()}


@LIMITS
@forall(GROUPS, TIMES)
def test_every_organ_is_an_interval_that_holds_its_score(chart: list[Observation], at: datetime) -> None:
    for organ in score(state_of(*chart), at, OPTIONS).organs.values():
        assert 0 <= organ.low <= organ.high <= 4
        if organ.score is None:
            assert (organ.low, organ.high, organ.evidence) == (0, 4, ())
        else:
            assert organ.low <= organ.score <= organ.high
            assert organ.evidence
            assert all(shown.effective <= at for shown in organ.evidence)


@LIMITS
@forall(GROUPS, TIMES)
def test_what_is_dated_later_does_not_change_the_score_now(chart: list[Observation], at: datetime) -> None:
    known = [one for one in chart if one.effective <= at]
    assert numbers(score(state_of(*chart), at, OPTIONS)) == numbers(score(state_of(*known), at, OPTIONS))


@LIMITS
@forall(GROUPS, TIMES, st.integers(1, 1000))
def test_until_the_next_change_the_score_stands(chart: list[Observation], at: datetime, share: int) -> None:
    state = state_of(*chart)
    until = next_change(state, at, OPTIONS)
    now = numbers(score(state, at, OPTIONS))
    if until is None:
        assert numbers(score(state, at + timedelta(days=9), OPTIONS)) == now
        return
    assert until > at
    between = at + (until - at) * share / 1001
    for later in (between, until - timedelta.resolution):
        if later > at:
            assert numbers(score(state, later, OPTIONS)) == now


@LIMITS
@forall(GROUPS, TIMES)
def test_between_two_moments_the_certain_score_does_not_rise(chart: list[Observation], at: datetime) -> None:
    state = state_of(*chart)
    end = T0 + timedelta(hours=100)
    found = moments(state, at, end, OPTIONS)
    assert all(at < moment <= end for moment in found)
    before = score(state, at, OPTIONS).low
    for moment in (*found, end):
        assert score(state, moment - timedelta.resolution, OPTIONS).low <= before
        before = score(state, moment, OPTIONS).low


@LIMITS
@forall(charts(), st.randoms(use_true_random=False), TIMES)
def test_the_order_of_messages_does_not_change_the_score(
    chart: list[Observation], random: object, at: datetime
) -> None:
    shuffled = list(chart)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert score(state_of(*chart), at, OPTIONS) == score(state_of(*shuffled), at, OPTIONS)


@LIMITS
@forall(charts(12), TIMES)
def test_a_second_feed_that_tells_the_same_changes_nothing(chart: list[Observation], at: datetime) -> None:
    again = [observation_again(one) for one in chart]
    assert numbers(score(state_of(*chart, *again), at, OPTIONS)) == numbers(score(state_of(*chart), at, OPTIONS))


def observation_again(one: Observation) -> Observation:
    value = one.code if one.quantity is None else one.quantity.value
    if value is None and one.native is not None:
        value = f"{one.native.value} {one.native.unit}"
    assert value is not None
    return observation(
        one.concept, value, at=one.effective, specimen=one.specimen, identity=f"fhir-{one.identity}", message="9"
    )


@LIMITS
@forall(st.sampled_from(LABORATORY), st.fractions(1, 400), st.fractions(0, 100))
def test_a_laboratory_value_is_monotone_in_its_organ(concept: str, value: Fraction, more: Fraction) -> None:
    organ = {"platelets": "coagulation", "bilirubin": "liver", "creatinine": "renal"}[concept]
    lower, higher = (
        score(state_of(measured(concept, v)), T0, OPTIONS).organs[organ].low for v in (value, value + more)
    )
    assert lower >= higher if concept == "platelets" else lower <= higher


def measured(concept: str, value: Fraction) -> Observation:
    """Any exact fraction, also those no laboratory would print."""
    return observation(concept, f"{value.numerator}/{value.denominator}")


@LIMITS
@forall(charts(), st.sampled_from(LABORATORY), TIMES)
def test_a_new_laboratory_result_never_lowers_the_certain_score(
    chart: list[Observation], concept: str, at: datetime
) -> None:
    for value in NUMBERS[concept]:
        new = observation(concept, value, at=at, identity="new")
        assert score(state_of(*chart, new), at, OPTIONS).low >= score(state_of(*chart), at, OPTIONS).low


@LIMITS
@forall(charts(), st.integers(1, 24))
def test_a_shorter_baseline_never_scores_a_laboratory_organ_higher(chart: list[Observation], length: int) -> None:
    laboratory = [one for one in chart if one.concept in LABORATORY]
    state: PatientState = state_of(*laboratory)
    short = admission_baseline(state, T0, after(length / 2), OPTIONS)
    whole = admission_baseline(state, T0, after(length), OPTIONS)
    assert short.low <= whole.low


@LIMITS
@forall(charts(), TIMES)
def test_one_chart_serves_many_moments(chart: list[Observation], at: datetime) -> None:
    state = state_of(*chart)
    shared = Chart(state)
    score(shared, at - timedelta(hours=7), OPTIONS)
    assert score(shared, at, OPTIONS) == score(state, at, OPTIONS)
    assert moments(shared, T0, at, OPTIONS) == moments(state, T0, at, OPTIONS)


@LIMITS
@forall(treated(), TIMES, st.integers(1, 1000))
def test_the_laws_hold_of_what_was_given(
    chart: tuple[list[Observation], tuple[Administration, ...]], at: datetime, share: int
) -> None:
    """An interval holds its score, the future says nothing, and between two turns the points stand."""
    told, drugs = chart
    state = state_of(*told, administrations=drugs)
    now = score(state, at, OPTIONS)
    for organ in now.organs.values():
        assert 0 <= organ.low <= (organ.low if organ.score is None else organ.score) <= organ.high <= 4
    known = state_of(
        *(one for one in told if one.effective <= at), administrations=tuple(one for one in drugs if one.start <= at)
    )
    assert numbers(score(known, at, OPTIONS)) == numbers(now)
    until = next_change(state, at, OPTIONS) or at + timedelta(days=9)
    assert numbers(score(state, at + (until - at) * share / 1001, OPTIONS)) == numbers(now)


@LIMITS
@forall(treated(), TIMES)
def test_between_two_moments_what_was_given_does_not_raise_the_certain_score(
    chart: tuple[list[Observation], tuple[Administration, ...]], at: datetime
) -> None:
    state = state_of(*chart[0], administrations=chart[1])
    before = score(state, at, OPTIONS).low
    for moment in (*moments(state, at, T0 + timedelta(hours=100), OPTIONS), T0 + timedelta(hours=100)):
        assert score(state, moment - timedelta.resolution, OPTIONS).low <= before
        before = score(state, moment, OPTIONS).low


@LIMITS
@forall(st.lists(treated(), min_size=2, max_size=4), TIMES)
def test_a_chart_that_follows_is_the_chart_laid_out_anew(
    told: list[tuple[list[Observation], tuple[Administration, ...]]], at: datetime
) -> None:
    chart = Chart(state_of(*told[0][0], administrations=told[0][1]))
    for results, drugs in told[1:]:
        score(chart, at, OPTIONS)
        state = state_of(*results, administrations=drugs)
        chart = chart.followed_by(state)
        assert score(chart, at, OPTIONS) == score(state, at, OPTIONS)
        at += timedelta(minutes=50)


@LIMITS
@forall(st.lists(treated(), min_size=2, max_size=4), GROUPS, TIMES, st.integers(1, 1000))
def test_sofa_2_holds_the_same_laws(
    told: list[tuple[list[Observation], tuple[Administration, ...]]],
    chart: list[Observation],
    at: datetime,
    share: int,
) -> None:
    """It is remembered as it would be read anew, its intervals hold its scores, the future says nothing."""
    remembered = Chart(state_of(*chart))
    for results, drugs in told:
        score_2(remembered, at, OPTIONS)
        state = state_of(
            *chart, *(one for one in results if one.concept not in {o.concept for o in chart}), administrations=drugs
        )
        remembered = remembered.followed_by(state)
        found = score_2(remembered, at, OPTIONS)
        assert found == score_2(state, at, OPTIONS)
        for organ in found.organs.values():
            assert 0 <= organ.low <= (organ.low if organ.score is None else organ.score) <= organ.high <= 4
        at += timedelta(minutes=share)
        assert score_2(remembered, at, OPTIONS) == score_2(state, at, OPTIONS)
