"""Which laboratory decides, what is a pair, and what is near a threshold."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from adapter.domain.assessment import Assessment, CriterionResult
from adapter.domain.condition import Condition, ConditionStatus
from adapter.domain.observation import Observation
from adapter.domain.trial import Code, Comparison, Needs, Operator, Stratum, Trial
from adapter.domain.truth import Truth
from adapter.eligibility.evaluate import assess
from adapter.scoring.chart import Chart
from adapter.scoring.options import ScoringOptions
from tests.builders import T0, after, observation, state_of, visit

Judge = Callable[..., Assessment]
Make = Callable[..., Any]
Results = Callable[[Assessment, str], CriterionResult]
ED = visit(at=T0)


@pytest.fixture
def septic(six_organs: Make) -> tuple[Observation, ...]:
    found: tuple[Observation, ...] = six_organs(platelets=90)
    return found


def test_local_values_are_provisional_and_leave_the_central_question_open(
    judged: Judge, septic: tuple[Observation, ...], criterion: Results
) -> None:
    state = state_of(*septic, observation("ferritin", 5200, at=after(1)), encounter=ED)
    found = judged(state, requires="central")
    assert (found.stratum, found.provisional, found.verdict, found.shown) == ("mals", True, "incomplete", True)
    asked = criterion(found, "I7")
    assert (asked.answer, asked.needs) == (Truth.UNKNOWN, Needs.DATA)
    assert "central ferritin and mHLA-DR" in asked.ask
    assert found.missing == ("ferritin", "mhladr")


def test_where_any_laboratory_may_decide_a_local_stratum_is_still_marked_provisional(
    judged: Judge, septic: tuple[Observation, ...]
) -> None:
    found = judged(state_of(*septic, observation("ferritin", 5200, at=after(1)), encounter=ED))
    assert (found.verdict, found.certainty, found.provisional) == ("candidate", "certain", True)


def test_central_values_decide_over_newer_local_ones(
    judged: Judge, septic: tuple[Observation, ...], central: Make
) -> None:
    pair = (central("ferritin", 3000), central("mhladr", 4200))
    local = observation("ferritin", 5000, at=after(1.5))
    found = judged(state_of(*septic, *pair, local, encounter=ED), requires="central")
    assert (found.stratum, found.provisional, found.verdict) == ("immunoparalysis", False, "candidate")


def test_a_pair_of_one_local_and_one_central_value_is_not_central(
    judged: Judge, septic: tuple[Observation, ...], central: Make
) -> None:
    mixed = (observation("ferritin", 3000, at=after(1)), central("mhladr", 4200))
    found = judged(state_of(*septic, *mixed, encounter=ED), requires="central")
    assert (found.stratum, found.provisional, found.verdict) == ("immunoparalysis", True, "incomplete")
    assert found.missing == ("ferritin",)


def test_central_values_outside_every_stratum_end_the_candidacy(
    judged: Judge, septic: tuple[Observation, ...], central: Make
) -> None:
    pair = (central("ferritin", 900), central("mhladr", 20000))
    found = judged(state_of(*septic, *pair, encounter=ED), requires="central")
    assert (found.stratum, found.verdict) == ("unclassified", "not-candidate")


def test_a_covid_test_of_the_hospital_blocks_a_central_stratum(
    judged: Judge, septic: tuple[Observation, ...], central: Make
) -> None:
    pair = (central("ferritin", 900), central("mhladr", 4200))
    pcr = observation("sars-cov-2", "detected", at=after(1))
    found = judged(state_of(*septic, *pair, pcr, encounter=ED), requires="central")
    assert found.stratum == "immunoparalysis-blocked-by-covid"


@pytest.mark.parametrize(
    ("answer", "at", "stratum"),
    [
        ("not-detected", after(1), "immunoparalysis"),
        ("inconclusive", after(1), "immunoparalysis"),
        ("detected", after(-24 * 15), "immunoparalysis"),
        ("detected", after(-24 * 13), "immunoparalysis-blocked-by-covid"),
    ],
)
def test_covid_is_active_for_fourteen_days_after_a_detection(
    judged: Judge, septic: tuple[Observation, ...], answer: str, at: Any, stratum: str
) -> None:
    immune = (observation("ferritin", 900, at=after(1)), observation("mhladr", 4200, at=after(1)))
    told = observation("sars-cov-2", answer, at=at)
    found = judged(state_of(*septic, *immune, told, encounter=ED))
    assert found.stratum == stratum
    assert any("COVID" in q for q in found.questions) == (stratum == "immunoparalysis" and answer != "not-detected")


def test_a_pair_of_two_draws_is_flagged_and_a_far_one_is_asked_for_again(
    judged: Judge, septic: tuple[Observation, ...], criterion: Results
) -> None:
    hladr = observation("mhladr", 4200, at=after(30))
    near = judged(state_of(*septic, observation("ferritin", 900, at=after(7)), hladr, encounter=ED), after(31))
    assert "pair_not_same_draw" in near.flags
    assert near.stratum == "immunoparalysis"
    far = judged(state_of(*septic, observation("ferritin", 900, at=after(5)), hladr, encounter=ED), after(31))
    assert far.stratum == "indeterminate"
    assert "from one draw" in criterion(far, "I7").ask


def test_a_lower_ferritin_of_two_days_later_is_no_pair_with_the_old_mhladr(
    judged: Judge, six_organs: Make, central: Make, criterion: Results
) -> None:
    told = (*six_organs(platelets=90), central("ferritin", 6000, at=after(1)), central("mhladr", 4000, at=after(1)))
    assert judged(state_of(*told, encounter=ED), after(46), requires="central").stratum == "mals"
    later = judged(
        state_of(*told, central("ferritin", 3900, at=after(47)), encounter=ED), after(48), requires="central"
    )
    assert (later.stratum, later.verdict) == ("indeterminate", "incomplete")
    assert "from one draw" in criterion(later, "I7").ask


def test_one_specimen_is_one_draw_whatever_the_clocks_say(judged: Judge, septic: tuple[Observation, ...]) -> None:
    ferritin = observation("ferritin", 900, at=after(1), specimen_id="S1")
    hladr = observation("mhladr", 4200, at=after(1.2), specimen_id="S1")
    assert "pair_not_same_draw" not in judged(state_of(*septic, ferritin, hladr, encounter=ED)).flags


@pytest.mark.parametrize(
    ("ferritin", "near"), [("3756", False), ("3757", True), ("4420", True), ("5083", True), ("5084", False)]
)
def test_near_threshold_is_fifteen_percent_either_way(
    judged: Judge, septic: tuple[Observation, ...], ferritin: str, near: bool
) -> None:
    found = judged(state_of(*septic, observation("ferritin", ferritin, at=after(1)), encounter=ED))
    assert ("near_threshold" in found.flags) is near


def test_two_results_of_one_moment_must_agree_about_the_rule(
    judged: Judge, septic: tuple[Observation, ...], criterion: Results
) -> None:
    both = [observation("ferritin", value, at=after(1), identity=value) for value in ("5200", "900")]
    found = judged(state_of(*septic, *both, encounter=ED))
    assert found.stratum == "indeterminate"
    assert "differ" in criterion(found, "I7").ask
    agreeing = [observation("ferritin", value, at=after(1), identity=value) for value in ("5200", "5300")]
    assert judged(state_of(*septic, *agreeing, encounter=ED)).stratum == "mals"


def test_a_value_leaves_its_window_and_the_review_is_due_then(judged: Judge, septic: tuple[Observation, ...]) -> None:
    state = state_of(*septic, observation("ferritin", 5200, at=after(-71)), encounter=ED)
    found = judged(state, after(0.5))
    assert (found.stratum, found.review_at) == ("mals", after(1))
    assert judged(state, after(1)).stratum == "indeterminate"


def test_a_result_dated_in_the_future_waits_for_its_time(judged: Judge, septic: tuple[Observation, ...]) -> None:
    state = state_of(*septic, observation("ferritin", 5200, at=after(3)), encounter=ED)
    found = judged(state, after(2))
    assert (found.stratum, found.review_at) == ("indeterminate", after(3))
    assert judged(state, after(3)).stratum == "mals"


def test_a_stratum_may_rest_on_the_score_and_is_looked_at_again_when_its_results_grow_old(
    immunosep: Trial, septic: tuple[Observation, ...]
) -> None:
    failing = Stratum("failing", Comparison("sofa.total", Operator.AT_LEAST, Fraction(2)))
    trial, chart = replace(immunosep, strata=(failing,), stratum_requires="any"), Chart(state_of(*septic, encounter=ED))
    found = [assess(trial, chart, after(hour), options=ScoringOptions(), rulebook="").stratum for hour in (23, 24)]
    assert found == ["failing", "indeterminate"]


def test_a_stratum_is_blocked_by_a_diagnosis_that_is_told_later_on_the_same_chart(
    immunosep: Trial, septic: tuple[Observation, ...]
) -> None:
    lupus = Comparison("condition.on_record", Operator.IS, value=True, of="lupus", codes=(Code("icd-10", "M329"),))
    blocked = tuple(replace(one, blocked_when=lupus, blocked_as="blocked") for one in immunosep.strata[:1])
    trial = replace(immunosep, strata=blocked, stratum_requires="any")
    chart, found = Chart(state_of(*septic, observation("ferritin", 5200), encounter=ED)), list[str]()
    told = Condition("1", "icd-10", "M32.9", ConditionStatus.ACTIVE, after(1), "1", digest="d")
    for conditions in ((), (told,)):
        chart = chart.followed_by(replace(chart.state, conditions=conditions))
        found.append(assess(trial, chart, after(2), options=ScoringOptions(), rulebook="").stratum)
    assert found == ["mals", "blocked"]
