"""The memory of a chart: what is kept, what is cut off by a change, and what a later chart shares with an earlier one."""

from datetime import datetime
from itertools import count

from adapter.scoring.chart import Chart
from adapter.scoring.memory import MOST, OLD, Memory
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import score
from tests.builders import T0, after, observation, state_of

OPTIONS = ScoringOptions()


class Looking:
    """A search that tells from where it was asked to look."""

    def __init__(self, *holds: datetime) -> None:
        self.holds = holds
        self.asked: list[datetime | None] = []

    def __call__(self, later_than: datetime | None) -> datetime | None:
        self.asked.append(later_than)
        return min((m for m in self.holds if later_than is None or m > later_than), default=None)


def test_a_question_is_answered_once_while_nothing_before_its_moment_changes() -> None:
    memory, told = Memory(), count(1)
    assert [memory.recalled("q", after(2), lambda: next(told)) for _ in range(3)] == [1, 1, 1]
    assert memory.before(after(2.1)).recalled("q", after(2), lambda: next(told)) == 1
    assert memory.before(after(2)).recalled("q", after(2), lambda: next(told)) == 2
    assert memory.recalled("q", after(2), lambda: next(told)) == 1


def test_an_answer_of_none_is_an_answer() -> None:
    memory, asked = Memory(), []
    for _ in range(2):
        assert memory.recalled("q", T0, asked.append, 1) is None
    assert asked == [1]


def test_a_search_goes_on_where_it_ended_and_again_from_the_first_change() -> None:
    memory, nothing = Memory(), Looking()
    assert memory.first("q", after(5), nothing) is None
    assert memory.first("q", after(4), nothing) is None
    assert memory.first("q", after(6), nothing) is None
    assert nothing.asked == [None, after(5)]
    found = Looking(after(3))
    assert memory.before(after(3)).first("q", after(6), found) == after(3)
    assert found.asked[0] is not None
    assert found.asked[0] < after(3)


def test_what_was_found_stays_found_until_a_change_before_it() -> None:
    memory = Memory()
    assert memory.first("q", after(6), Looking(after(3))) == after(3)
    assert memory.first("q", after(2), Looking()) is None
    assert memory.before(after(4)).first("q", after(6), Looking()) == after(3)
    assert memory.before(after(3)).first("q", after(6), Looking()) is None


def test_old_conclusions_are_forgotten_when_there_are_many() -> None:
    memory = Memory()
    for number in range(MOST + 1):
        memory.recalled(number, after(number / 60), lambda: 0)
    change = after(1) + OLD
    told = count(1)
    assert memory.before(change).recalled(0, T0, lambda: next(told)) == 1
    assert memory.before(change).recalled(90, after(1.5), lambda: next(told)) == 0


def test_the_next_chart_lays_out_only_what_changed() -> None:
    first = observation("platelets", 80)
    chart = Chart(state_of(first))
    bilirubin = observation("bilirubin", 3, at=after(1))
    platelets = chart.state.results["platelets"]
    state = state_of(first, bilirubin)
    state = type(state)(state.patient, {**state.results, "platelets": platelets})
    assert score(chart, after(2), OPTIONS).low == 2
    following = chart.followed_by(state)
    assert following.series("platelets") is chart.series("platelets")
    assert following.series("bilirubin") is not chart.series("bilirubin")
    assert score(following, after(2), OPTIONS).low == 4
    assert chart.followed_by(chart.state) is chart


def test_a_corrected_result_is_read_again() -> None:
    wrong = observation("platelets", 40, identity="A")
    chart = Chart(state_of(wrong))
    assert score(chart, after(1), OPTIONS).low == 3
    right = observation("platelets", 400, identity="A", status="corrected", issued=after(1))
    assert score(chart.followed_by(state_of(wrong, right)), after(1), OPTIONS).low == 0
