"""A candidate over time: nothing after randomisation, missing is never normal, corrections with what they did."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from adapter.assets import load_rulebook
from adapter.domain.observation import ResultStatus
from adapter.domain.patient import Decision
from adapter.scoring.chart import chart_of
from adapter.scoring.options import ScoringOptions
from adapter.screening.course import MOST_SCORES, course, visible_until
from tests.builders import T0, after, observation, state_of

OPTIONS = ScoringOptions()


def test_scores_run_back_in_even_steps_to_the_first_result() -> None:
    state = state_of(observation("platelets", "140", at=after(0)), observation("platelets", "90", at=after(40)))
    found = course(chart_of(state), after(48), OPTIONS).scores
    steps = {later.at - earlier.at for earlier, later in pairwise(found)}
    assert len(found) <= MOST_SCORES
    assert len(steps) == 1
    assert found[-1].at == after(48)
    assert found[0].at - T0 < steps.pop()
    assert found[-1].organs["coagulation"].score == 2
    assert found[-1].organs["liver"].score is None


def test_nothing_measured_is_no_course() -> None:
    found = course(chart_of(state_of()), after(1), OPTIONS)
    assert (found.scores, found.corrections, found.markers["ferritin"]) == ((), (), ())


def test_a_result_after_the_last_visible_moment_is_not_shown() -> None:
    state = state_of(*(observation("ferritin", str(n), at=after(n)) for n in (1, 20, 30)))
    shown = course(chart_of(state), after(20), OPTIONS).markers["ferritin"]
    assert [one.effective for one in shown] == [after(1), after(20)]


def test_what_was_known_ends_at_randomisation_in_any_trial_that_goes_on() -> None:
    trials = load_rulebook(None, trials=("immunosep", "immunosep-demo")).trials
    state = state_of(observation("ferritin", "1", at=after(1)))
    said = Decision("immunosep", "V1", "on-study", after(10), "anna", digest="d")
    enrolled = replace(state, decisions=(said,))
    for trial in trials:
        assert visible_until(trial, trials, enrolled, ("V1", after(30)), OPTIONS) == after(10)
        assert visible_until(trial, trials, state, ("V1", after(30)), OPTIONS) == after(30)
        year = after(24 * 365)
        other = visible_until(trial, trials, enrolled, ("V2", year), OPTIONS)
        assert other == year, "an enrolment that is long over hides nothing of a new visit"


def test_a_correction_tells_the_score_before_and_after() -> None:
    first = observation("platelets", "18", at=after(0), issued=after(1))
    mended = observation("platelets", "181", at=after(0), issued=after(2), status=ResultStatus.CORRECTED)
    state = state_of(first, mended)
    (found,) = course(chart_of(state), after(3), OPTIONS).corrections
    assert found.at == after(2)
    assert found.was is not None
    assert found.now is not None
    assert (found.was.low, found.now.low) == (4, 0)


def test_the_same_value_said_again_is_no_correction_and_a_withdrawn_one_leaves_nothing() -> None:
    first = observation("platelets", "18", at=after(0), issued=after(1))
    again = observation("platelets", "18", at=after(0), issued=after(2), status=ResultStatus.CORRECTED)
    gone = observation("platelets", "18", at=after(0), issued=after(3), status=ResultStatus.WITHDRAWN)
    assert course(chart_of(state_of(first, again)), after(3), OPTIONS).corrections == ()
    (found,) = course(chart_of(state_of(first, gone)), after(4), OPTIONS).corrections
    assert found.after is None
    assert found.now is not None
    assert found.now.organs["coagulation"].score is None
    assert found.at - after(3) == timedelta(0)


def test_a_correction_of_what_no_score_asks_for_is_told_without_scores() -> None:
    first = observation("ferritin", "5200", at=after(0), issued=after(1))
    mended = observation("ferritin", "520", at=after(0), issued=after(2), status=ResultStatus.CORRECTED)
    (found,) = course(chart_of(state_of(first, mended)), after(3), OPTIONS).corrections
    assert (found.at, found.was, found.now) == (after(2), None, None)
    assert found.after is not None
    assert found.after.quantity != found.before.quantity


def test_the_final_result_after_a_preliminary_one_corrects_nothing_that_counted() -> None:
    early = observation("platelets", "18", at=after(0), issued=after(1), status=ResultStatus.PRELIMINARY)
    final = observation("platelets", "181", at=after(0), issued=after(2))
    assert course(chart_of(state_of(early, final)), after(3), OPTIONS).corrections == ()
