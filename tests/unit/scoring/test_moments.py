"""When a score can change: the scan for an onset misses no rise, and nobody is looked at without need."""

from datetime import datetime, timedelta

import pytest

from adapter.domain.observation import Observation
from adapter.scoring.moments import moments, next_change
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import score
from tests.builders import T0, after, given, observation, state_of

OPTIONS = ScoringOptions()


def rises(*given: Observation, until: float = 100) -> tuple[float, ...]:
    found = moments(state_of(*given), after(-1), after(until), OPTIONS)
    return tuple((moment - T0) / timedelta(hours=1) for moment in found)


def minutes(number: float) -> datetime:
    return T0 + timedelta(minutes=number)


def test_normal_results_are_no_moments() -> None:
    normal = (
        observation("platelets", 200),
        observation("bilirubin", "0.5"),
        observation("creatinine", "0.8"),
        observation("map", 80),
        observation("sbp", 120, at=after(4)),
        observation("dbp", 80, at=after(4)),
        observation("gcs-total", 15),
        observation("urine-output", 800),
        observation("rass", 0, at=after(2)),
        observation("spo2", 98),
    )
    assert rises(*normal, until=23) == ()


def test_results_that_score_are_moments_at_their_effective_time() -> None:
    assert rises(observation("platelets", 90, at=after(2)), observation("creatinine", 107, "umol/L", at=after(3))) == (
        2,
        3,
    )


def test_a_value_of_another_unit_is_a_moment_whichever_column_gives_the_point() -> None:
    """Bilirubin of 20 umol/L is a point in its own column, and none converted."""
    assert rises(observation("bilirubin", 20, "umol/L", at=after(2)), until=23) == (2,)
    assert rises(observation("platelets", 200, "10*9/L", at=after(2)), until=23) == ()


def test_an_infusion_is_a_moment_as_it_begins_and_in_its_60th_minute() -> None:
    state = state_of(observation("norepinephrine-rate", "0.05"))
    assert moments(state, after(-1), after(2), OPTIONS) == (T0 + timedelta.resolution, after(1))
    assert moments(state, after(0.5), after(2), OPTIONS) == (after(1),)
    assert moments(state, after(1), after(2), OPTIONS) == moments(state, after(-1), T0, OPTIONS) == ()


def test_a_new_syringe_is_a_moment_as_it_joins_the_old_one() -> None:
    rates = [
        observation("norepinephrine-rate", rate, at=minutes(at)) for rate, at in (("0.2", 0), (0, 58), ("0.2", 62))
    ]
    state, joined = state_of(*rates), minutes(62) + timedelta.resolution
    assert (score(state, minutes(62), OPTIONS).low, score(state, joined, OPTIONS).low) == (0, 4)
    assert joined in moments(state, minutes(61), minutes(63), OPTIONS)
    assert next_change(state, minutes(62), OPTIONS) == joined


def test_the_span_is_half_open() -> None:
    state = state_of(observation("platelets", 90))
    assert moments(state, T0, after(1), OPTIONS) == ()
    assert moments(state, after(-1), T0, OPTIONS) == (T0,)


def test_old_urine_that_leaves_the_day_is_a_moment() -> None:
    hourly = [observation("urine-output", 2, at=after(h)) for h in range(1, 24)]
    state = state_of(observation("urine-output", 520), *hourly, observation("creatinine", 1, at=after(20)))
    assert score(state, after(23.9), OPTIONS).low == 0
    assert score(state, after(24), OPTIONS).low == 4
    assert after(24) in moments(state, T0, after(30), OPTIONS)


def test_an_arterial_reading_that_outdates_a_cuff_unmasks_a_low_pressure() -> None:
    low, cuff = observation("map", 60), observation("map-cuff", 80, at=minutes(10))
    line = observation("map-arterial", 85, at=minutes(20))
    state = state_of(low, cuff, line)
    assert score(state, minutes(19), OPTIONS).low == 0
    assert score(state, minutes(20), OPTIONS).low == 1
    assert minutes(20) in moments(state, minutes(10), after(2), OPTIONS)


@pytest.mark.parametrize("since", [0, 40, 44.9])
def test_a_mean_of_two_pressures_is_a_low_one_and_a_reading_soon_after_it_a_moment(since: float) -> None:
    """Within three times a quarter of an hour, also where the span looked through begins in between."""
    low = observation("sbp", 90), observation("dbp", 50)
    state = state_of(*low, observation("map", 85, at=minutes(45)))
    assert moments(state, minutes(since), after(2), OPTIONS) == (minutes(45),)
    assert moments(state, minutes(-5), after(2), OPTIONS) == (T0, minutes(45))
    assert moments(state_of(*low, observation("map", 85, at=minutes(45.1))), T0, after(2), OPTIONS) == ()


def test_what_was_rinsed_in_is_a_moment_when_it_is_forgotten() -> None:
    """Then the record begins with urine again, and the hour before its first entry makes it long enough to score."""
    hourly = [observation("urine-output", 5, at=after(h + 0.5)) for h in range(22)]
    state = state_of(observation("bladder-irrigation", 10), *hourly, observation("creatinine", 1, at=after(20)))
    forgotten = after(30) + timedelta.resolution
    assert (score(state, after(30), OPTIONS).low, score(state, forgotten, OPTIONS).low) == (0, 4)
    assert forgotten in moments(state, after(22), after(31), OPTIONS)


def test_a_weight_charted_under_an_infusion_is_a_moment() -> None:
    drug, weight = given("norepinephrine", "0.5", "mg/h", until=after(9)), observation("weight", 80, at=after(3))
    state = state_of(weight, administrations=(drug,))
    assert (score(state, after(2.9), OPTIONS).low, score(state, after(3), OPTIONS).low) == (3, 4)
    assert after(3) in moments(state, after(2), after(4), OPTIONS)
    assert rises(weight) == ()


def test_half_a_litre_of_urine_is_no_moment_and_a_little_less_is_one() -> None:
    assert rises(observation("urine-output", 500), until=23) == ()
    assert rises(observation("urine-output", 499), until=23) == (0,)


def test_a_rass_after_a_gcs_under_a_tube_makes_it_firm() -> None:
    given = (
        observation("respiratory-support", "invasive"),
        observation("gcs-total", 3),
        observation("rass", 0, at=minutes(30)),
    )
    state = state_of(*given)
    assert score(state, minutes(29), OPTIONS).low == 0
    assert score(state, minutes(30), OPTIONS).low == 3
    assert minutes(30) in moments(state, T0, after(2), OPTIONS)


def test_the_score_is_looked_at_again_when_old_urine_is_forgotten() -> None:
    state = state_of(observation("urine-output", 20), observation("urine-output", 20, at=after(25)))
    assert next_change(state, after(29), OPTIONS) == after(30) + timedelta.resolution


def test_time_alone_changes_nothing_on_an_empty_chart() -> None:
    assert next_change(state_of(), T0, OPTIONS) is None


def test_a_result_leaves_after_a_day_and_a_future_one_arrives() -> None:
    state = state_of(observation("platelets", 40), observation("bilirubin", 3, at=after(30)))
    assert next_change(state, after(1), OPTIONS) == after(24)
    assert next_change(state, after(24), OPTIONS) == after(30)
    assert next_change(state, after(54), OPTIONS) is None


def test_an_infusion_reaches_its_hour_and_leaves_a_day_after_its_hold() -> None:
    state = state_of(observation("norepinephrine-rate", "0.05"))
    assert next_change(state, after(0.5), OPTIONS) == after(1)
    assert next_change(state, after(25), OPTIONS) == after(26)
