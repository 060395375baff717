"""The score at admission: from data of this stay alone, inclusive of both ends."""

from datetime import timedelta

from adapter.scoring.baseline import admission_baseline
from adapter.scoring.chart import Chart
from adapter.scoring.options import ScoringOptions
from tests.builders import T0, after, observation, state_of

OPTIONS = ScoringOptions()
REST = 4 * 5


def test_results_of_the_first_and_the_last_moment_belong_to_it() -> None:
    first, last = observation("platelets", 90), observation("platelets", 40, at=after(24))
    state = state_of(first, last)
    assert admission_baseline(state, T0, after(24), OPTIONS).low == 3
    assert admission_baseline(state, T0, after(24) - timedelta(minutes=1), OPTIONS).low == 2
    assert admission_baseline(state, T0, T0, OPTIONS).low == 2


def test_what_came_before_admission_does_not_belong_to_it() -> None:
    earlier = observation("platelets", 10, at=after(-1)), observation("gcs-total", 9, at=after(-1))
    base = admission_baseline(Chart(state_of(*earlier, observation("rass", -4))), T0, after(24), OPTIONS)
    assert (base.low, base.high) == (0, 24)


def test_the_source_says_the_span_and_what_was_not_measured() -> None:
    base = admission_baseline(state_of(observation("platelets", 90)), T0, after(24), OPTIONS)
    assert base.source == (
        "admission SOFA, worst of 2026-01-02T03:00+00:00 to 2026-01-03T03:00+00:00; "
        "not measured: respiration, liver, cardiovascular, cns, renal"
    )
    assert base.high - base.low == REST


def test_a_result_told_late_changes_it_and_one_of_later_does_not() -> None:
    """Kept with the chart: asked again only where something of its own time is news."""
    first = observation("platelets", 90, at=after(1))
    chart = Chart(state_of(first))
    spans = (0, 24), (2, 24), (0, 0.5), (0, 24)
    assert [admission_baseline(chart, after(a), after(b), OPTIONS).low for a, b in spans] == [2, 0, 0, 2]
    later = chart.followed_by(state_of(first, observation("platelets", 10, at=after(25))))
    assert admission_baseline(later, T0, after(24), OPTIONS) is admission_baseline(chart, T0, after(24), OPTIONS)
    late = later.followed_by(state_of(first, observation("platelets", 40, at=after(24))))
    assert admission_baseline(late, T0, after(24), OPTIONS).low == 3
