"""The clock of an episode to the minute: its marks, its end, and when somebody must look again although nothing came."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from adapter.domain.assessment import Assessment, CriterionResult
from adapter.domain.encounter import EncounterAction, EncounterClass
from adapter.domain.trial import Clock, Comparison, Operator, Trial
from adapter.domain.truth import Truth
from adapter.eligibility.clock import TimeLimit, time_limit_of
from adapter.eligibility.evaluate import assess
from adapter.scoring.chart import Chart
from adapter.scoring.options import ScoringOptions
from tests.builders import T0, after, hours, observation, state_of, visit

Judge = Callable[..., Assessment]
Make = Callable[..., Any]
Results = Callable[[Assessment, str], CriterionResult]
ED = visit(at=T0)
WARD = visit(at=T0, cls=EncounterClass.INPATIENT, ward="MED")
CLOCK = Clock("start-of-treatment", "I6", hours(72), (hours(24), hours(12)))
RUNS = TimeLimit(CLOCK, T0)


def with_sepsis(trial: Trial, points: int, within: timedelta | None) -> Trial:
    """The page with a sepsis criterion that asks for so many points anywhere."""
    rule = Comparison("sofa.total", Operator.AT_LEAST, Fraction(points), within=within)
    return replace(trial, criteria=tuple(replace(c, met_when=rule) if c.id == "I6" else c for c in trial.criteria))


@pytest.mark.parametrize(
    ("hour", "warning", "following", "is_open"),
    [
        (0, (), 48, True),
        (47.99, (), 48, True),
        (48, ("less_than_24_h_left",), 60, True),
        (59.99, ("less_than_24_h_left",), 60, True),
        (60, ("less_than_12_h_left",), 72, True),
        (71.99, ("less_than_12_h_left",), 72, True),
        (72, (), None, False),
        (90, (), None, False),
    ],
)
def test_the_clock_warns_from_each_mark_on_and_is_over_at_its_limit(
    hour: float, warning: tuple[str, ...], following: float | None, is_open: bool
) -> None:
    reading = RUNS.reading(after(hour))
    assert (reading.word, RUNS.warning(after(hour))) == (is_open, warning)
    assert reading.changes == RUNS.next_mark(after(hour)) == (None if following is None else after(following))


def test_a_clock_without_warnings_is_looked_at_at_its_end() -> None:
    assert TimeLimit(replace(CLOCK, warn_left=()), T0).next_mark(after(1)) == after(72)


def test_without_an_onset_or_a_clock_no_time_runs(immunosep: Trial) -> None:
    for limit in (TimeLimit(CLOCK, None), time_limit_of(replace(immunosep, clocks=()), T0)):
        assert (limit.deadline, limit.passed(after(900)), limit.warning(T0), limit.next_mark(T0)) == (
            None,
            False,
            (),
            None,
        )
        assert limit.reading(T0).word is None


def test_somebody_looks_again_when_an_emergency_becomes_a_stay_and_when_an_infection_is_the_hospital_s(
    judged: Judge, immunosep: Trial, six_organs: Make
) -> None:
    """Both by time alone: the context after 48 h, and (here) 50 h after which an infection was acquired here."""
    parameters = replace(immunosep.parameters, hospital_acquired=hours(50))
    told = six_organs(at=after(40))
    for encounter, hour, looked in ((ED, 41, 48), (WARD, 41, 48), (ED, 48, 50), (WARD, 49, 50), (WARD, 50, 64)):
        found = judged(state_of(*told, encounter=encounter), after(hour), parameters=parameters)
        assert found.review_at == after(looked), (encounter.encounter_class, hour)


def test_sepsis_on_the_ward_begins_when_the_infection_is_old_enough_to_be_the_hospital_s(
    judged: Judge, six_organs: Make
) -> None:
    """Four points since hour 30: before 48 h nobody knows whether they came along; from then on they are a rise."""
    told = (*six_organs(at=after(1)), *six_organs(at=after(30), platelets=40))
    state = state_of(*told, encounter=WARD)
    assert judged(state, after(47)).sepsis.onset is None
    assert judged(state, after(47.99)).sepsis.onset is None
    assert judged(state, after(48)).sepsis.onset == after(48)
    assert judged(state, after(50)).sepsis.onset == after(48)


def test_an_infection_recorded_afterwards_is_searched_with_on_the_same_chart(
    immunosep: Trial, six_organs: Make, answered: Make
) -> None:
    """Recorded as of the first day it came along: what was found before is no rise above a score that nobody knows."""
    told = (*six_organs(at=after(1)), *six_organs(at=after(30), platelets=40))
    chart = Chart(state_of(*told, encounter=WARD))
    assert assess(immunosep, chart, after(50), options=ScoringOptions(), rulebook="").sepsis.onset == after(48)
    chart = chart.followed_by(replace(chart.state, determinations=(answered("I5", "met", after(10)),)))
    assert assess(immunosep, chart, after(50), options=ScoringOptions(), rulebook="").sepsis.onset is None


@pytest.mark.parametrize("within", [None, hours(24)], ids=["by the parameter", "by the rule too"])
def test_what_is_asked_for_follows_the_day_s_results_out_of_their_window_on_the_same_chart(
    immunosep: Trial, six_organs: Make, criterion: Results, within: timedelta | None
) -> None:
    """The gas is of yesterday first, its oxygen hours later: the score is the same, the question is not."""
    told = (
        *six_organs(fio2=None, platelets=140),
        *six_organs(at=after(5), pao2=None, platelets=140),
        *six_organs(at=after(20), pao2=None, fio2=None, platelets=140),
    )
    chart, page = Chart(state_of(*told, encounter=ED)), with_sepsis(immunosep, 2, within)
    asks = []
    for hour in (25, 30):
        found = assess(page, chart, after(hour), options=ScoringOptions(), rulebook="")
        asks.append(criterion(found, "I6").ask)
    assert asks == ["For SOFA, ask for pao2", "For SOFA, ask for pao2, fio2"]


def test_another_page_of_the_same_name_finds_its_own_onset_on_the_same_chart(
    immunosep: Trial, six_organs: Make
) -> None:
    chart = Chart(state_of(*six_organs(platelets=90), observation("platelets", 40, at=after(5)), encounter=ED))
    pages = [with_sepsis(immunosep, points, None) for points in (2, 3)]
    found = [assess(page, chart, after(6), options=ScoringOptions(), rulebook="").sepsis.onset for page in pages]
    assert found == [T0, after(5)]


@pytest.mark.parametrize("minute", [63, 90, 130])
def test_sepsis_of_an_infusion_begins_as_the_new_syringe_joins_the_old_one(
    judged: Judge, six_organs: Make, minute: int
) -> None:
    """58 minutes, four without, and on: more than an hour as soon as it runs again."""
    charted = (("0.2", 0), (0, 58), ("0.2", 62))
    rates = [observation("norepinephrine-rate", rate, at=T0 + timedelta(minutes=at)) for rate, at in charted]
    found = judged(state_of(*six_organs(), *rates, encounter=ED), T0 + timedelta(minutes=minute))
    assert found.sepsis.onset == T0 + timedelta(minutes=62, microseconds=1)


def test_sepsis_may_begin_with_renal_replacement_where_the_site_counts_it(
    immunosep: Trial, six_organs: Make, criterion: Results
) -> None:
    state = state_of(*six_organs(), observation("renal-replacement", "crrt", at=after(5)), encounter=ED)
    for counted, onset in ((True, after(5)), (False, None)):
        for hour in (5, 6, 20):
            found = assess(immunosep, state, after(hour), options=ScoringOptions(rrt_scores_4=counted), rulebook="")
            assert (criterion(found, "I6").answer is Truth.MET, found.sepsis.onset) == (counted, onset)


def test_sepsis_may_begin_this_very_moment(judged: Judge, six_organs: Make) -> None:
    """Results of the arrival, looked at as they arrive."""
    assert judged(state_of(*six_organs(platelets=90), encounter=ED), T0).sepsis.onset == T0


def test_an_answer_given_this_very_moment_or_at_arrival_counts(judged: Judge, six_organs: Make, answered: Make) -> None:
    told = (*six_organs(platelets=90), observation("ferritin", 5200, at=after(1)))
    for moment in (T0, after(2)):
        against = judged(state_of(*told, encounter=ED, determinations=(answered("E2", "met", moment),)), after(2))
        assert against.verdict == "not-candidate"


def test_a_discharge_of_this_very_moment_ends_the_search_and_leaves_another_visit_first(
    judged: Judge, six_organs: Make
) -> None:
    told = (*six_organs(platelets=90), observation("ferritin", 5200, at=after(1)))
    left = visit(EncounterAction.DISCHARGE, at=after(2))
    assert not judged(state_of(*told, encounter=[ED, left]), after(2)).shown
    again = visit(at=after(-50), number="V0", cls=EncounterClass.INPATIENT, ward="MED")
    assert judged(state_of(*told, encounter=[ED, left, again]), after(2)).episode == "V0"
    assert judged(state_of(*told, encounter=[ED, left, again]), after(1.9)).episode == "V1"


def test_of_two_running_visits_the_one_admitted_last_is_meant_and_one_of_unknown_beginning_never_before_it(
    judged: Judge,
) -> None:
    moved = visit(EncounterAction.TRANSFER, at=after(1), number="V9", cls=EncounterClass.INPATIENT)
    assert judged(state_of(encounter=[ED, moved]), after(2)).episode == "V1"
    assert judged(state_of(encounter=[moved]), after(2)).episode == "V9"


def test_where_the_feed_joined_late_the_first_result_on_record_begins_the_search(
    judged: Judge, immunosep: Trial, six_organs: Make
) -> None:
    """Of the visit only a transfer is known, told hours after the first results."""
    anywhere = Comparison("sofa.total", Operator.AT_LEAST, Fraction(2))
    criteria = tuple(replace(c, met_when=anywhere) if c.id == "I6" else c for c in immunosep.criteria)
    moved = visit(EncounterAction.TRANSFER, at=after(5), cls=EncounterClass.INPATIENT)
    told = (*six_organs(at=after(1), platelets=90), *six_organs(at=after(4), platelets=40))
    assert judged(state_of(*told, encounter=moved), after(6), criteria=criteria).sepsis.onset == after(1)


def test_what_a_review_waits_for_is_never_this_moment(judged: Judge, six_organs: Make) -> None:
    state = state_of(*six_organs(platelets=90), observation("ferritin", 5200, at=after(1)), encounter=ED)
    moments = [T0]
    for _ in range(20):
        following = judged(state, moments[-1]).review_at
        if following is None:
            break
        assert following > moments[-1]
        moments.append(following)
    assert timedelta(hours=72) in {moment - T0 for moment in moments}
