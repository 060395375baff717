"""The memory of a chart: what is kept, what is cut off by a change, and what a later chart shares with an earlier one."""

from datetime import datetime, timedelta
from itertools import count

from adapter.domain.patient import PatientState
from adapter.scoring.chart import Chart
from adapter.scoring.memory import MOST, Memory
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import score
from adapter.scoring.sofa2 import score_2
from adapter.scoring.therapy import Therapy
from adapter.scoring.turns import AT_ONCE
from tests.builders import T0, after, given, hours, observation, state_of

OPTIONS = ScoringOptions()
PLATELETS = frozenset({"platelets"})
DAILY = {"platelets": (AT_ONCE, hours(24))}


class Looking:
    """A search that tells from where it was asked to look."""

    def __init__(self, *holds: datetime) -> None:
        self.holds = holds
        self.asked: list[datetime | None] = []

    def __call__(self, later_than: datetime | None) -> datetime | None:
        self.asked.append(later_than)
        return min((m for m in self.holds if later_than is None or m > later_than), default=None)


def changed(at: datetime, concept: str = "platelets") -> dict[str, datetime]:
    return {concept: at}


# --- of the past -----------------------------------------------------------------------------------------------------


def test_a_question_of_the_past_is_answered_once_while_nothing_before_its_moment_changes() -> None:
    memory, told = Memory(), count(1)

    def ask(memory: Memory) -> int:
        return memory.settled("q", after(2), PLATELETS, lambda: next(told))

    assert [ask(memory) for _ in range(3)] == [1, 1, 1]
    assert ask(memory.after(changed(after(2.1)))) == 1
    assert ask(memory.after(changed(after(1), "bilirubin"))) == 1
    assert ask(memory.after(changed(after(2)))) == 2
    assert ask(memory) == 1


def test_a_question_of_the_past_is_asked_again_of_another_moment_and_given_something_else() -> None:
    memory, told = Memory(), count(1)
    assert memory.settled("q", after(2), PLATELETS, lambda: next(told), "a") == 1
    assert memory.settled("q", after(2), PLATELETS, lambda: next(told), "b") == 2
    assert memory.settled("q", after(3), PLATELETS, lambda: next(told), "b") == 3


def test_an_answer_of_none_is_an_answer() -> None:
    memory, told = Memory(), count(1)
    for _ in range(2):
        assert memory.settled("q", T0, PLATELETS, lambda: None if next(told) == 1 else "again") is None


def test_the_oldest_answer_of_the_past_gives_way() -> None:
    memory, told = Memory(), count(1)
    for number in range(MOST + 1):
        memory.settled(number, T0, PLATELETS, lambda: 0)
    assert memory.settled(MOST, T0, PLATELETS, lambda: next(told)) == 0
    assert memory.settled(0, T0, PLATELETS, lambda: next(told)) == 1


# --- searches --------------------------------------------------------------------------------------------------------


def test_a_search_goes_on_where_it_ended_and_again_from_the_first_change() -> None:
    memory, nothing = Memory(), Looking()
    for until in (5, 4, 6):
        assert memory.first("q", after(until), PLATELETS, nothing) is None
    assert nothing.asked == [None, after(5)]
    found = Looking(after(3))
    assert memory.after(changed(after(3))).first("q", after(6), PLATELETS, found) == after(3)
    assert found.asked == [after(3) - timedelta.resolution]


def test_a_search_is_not_taken_back_by_what_it_does_not_rest_on() -> None:
    memory, nothing = Memory(), Looking()
    memory.first("q", after(5), PLATELETS, nothing)
    memory.after(changed(after(1), "bilirubin")).first("q", after(5), PLATELETS, nothing)
    assert nothing.asked == [None]
    memory.first("q", after(5), PLATELETS, nothing, "given something else")
    assert nothing.asked == [None, None]


def test_what_was_found_stays_found_until_a_change_before_it() -> None:
    memory = Memory()
    assert memory.first("q", after(6), PLATELETS, Looking(after(3))) == after(3)
    assert memory.first("q", after(2), PLATELETS, Looking()) is None
    assert memory.after(changed(after(4))).first("q", after(6), PLATELETS, Looking()) == after(3)
    assert memory.after(changed(after(3))).first("q", after(6), PLATELETS, Looking()) is None


# --- of the present --------------------------------------------------------------------------------------------------


def test_a_question_of_the_present_is_asked_again_only_at_a_turn_of_what_it_rests_on() -> None:
    chart, told = Chart(state_of(observation("platelets", 80), observation("bilirubin", 3, at=after(1)))), count(1)
    asked = [chart.remembered("q", after(at), DAILY, lambda: next(told)) for at in (0, 1, 23.9, 24, 30)]
    assert asked == [1, 1, 1, 2, 2]
    assert chart.remembered("q", after(1), DAILY, lambda: next(told)) == 1
    assert chart.remembered("q", after(1), DAILY, lambda: next(told), "given something else") == 3


def test_asked_under_other_conventions_a_chart_answers_anew() -> None:
    told = (
        observation("bilirubin", 20, "umol/L"),
        observation("renal-replacement", "crrt"),
        observation("creatinine", 1),
    )
    gas = (
        observation("pao2", 70, specimen="arterial"),
        observation("fio2", "0.5"),
        observation("respiratory-support", "hfnc"),
    )
    state = state_of(*told, *gas, administrations=(given("norepinephrine", "0.15"),))
    chart = Chart(state)
    for options in (
        OPTIONS,
        ScoringOptions(hfnc_is_support=True),
        ScoringOptions(rrt_scores_4=True),
        ScoringOptions(norepinephrine_basis="unknown"),
        ScoringOptions(unit_policy="converted"),
        ScoringOptions(rate_hold=hours(0.5)),
    ):
        for scoring in (score, score_2):
            assert scoring(chart, after(1), options) == scoring(state, after(1), options)
    assert len({score(chart, after(1), ScoringOptions(hfnc_is_support=yes)).low for yes in (True, False)}) == 2


def test_a_result_dated_ahead_turns_when_it_arrives() -> None:
    chart, told = Chart(state_of(observation("platelets", 80, at=after(2)))), count(1)
    assert [chart.remembered("q", after(at), DAILY, lambda: next(told)) for at in (0, 1.9, 2, 25.9, 26)] == [
        1,
        1,
        2,
        2,
        3,
    ]


def test_a_result_dated_at_the_end_of_the_calendar_turns_never() -> None:
    late = datetime.max.replace(tzinfo=T0.tzinfo)
    assert Chart(state_of(observation("platelets", 80, at=late))).stretch(DAILY, after(1))[1] == late


# --- the next chart --------------------------------------------------------------------------------------------------


def more(chart: Chart, *new: object) -> PatientState:
    """As the join leaves it: what did not change is the very same object."""
    state = state_of(*new)  # type: ignore[arg-type]  # observations
    return type(state)(state.patient, {**chart.state.results, **state.results})


def test_the_next_chart_lays_out_only_what_changed() -> None:
    chart = Chart(state_of(observation("platelets", 80)))
    assert score(chart, after(2), OPTIONS).low == 2
    following = chart.followed_by(more(chart, observation("bilirubin", 3, at=after(1))))
    assert following.series("platelets") is chart.series("platelets")
    assert following.series("bilirubin") is not chart.series("bilirubin")
    assert score(following, after(2), OPTIONS).low == 4
    assert score(chart, after(2), OPTIONS).low == 2
    assert chart.followed_by(chart.state) is chart


def test_of_an_old_series_what_lies_elsewhere_is_taken_over_as_it_is() -> None:
    first, last = observation("platelets", 80), observation("platelets", 70, at=after(9))
    chart = Chart(state_of(first, last))
    items = chart.series("platelets").items
    following = chart.followed_by(state_of(first, observation("platelets", 60, at=after(4)), last))
    assert [item.observation.original.value for item in following.series("platelets").items] == ["80", "60", "70"]
    assert following.series("platelets").items[0] is items[0]
    assert following.series("platelets").items[2] is items[1]


def test_a_second_feed_that_tells_the_same_makes_no_second_item_but_is_told() -> None:
    one, same = observation("platelets", 80), observation("platelets", 80, identity="fhir")
    chart = Chart(state_of(one))
    assert len(chart.series("platelets").told.items) == 1
    following = chart.followed_by(state_of(one, same))
    assert (len(following.series("platelets").items), len(following.series("platelets").told.items)) == (1, 2)
    again = following.followed_by(state_of(one))
    assert len(again.series("platelets").told.items) == 1


def test_a_corrected_result_is_read_again() -> None:
    wrong = observation("platelets", 40, identity="A")
    chart = Chart(state_of(wrong))
    assert score(chart, after(1), OPTIONS).low == 3
    right = observation("platelets", 400, identity="A", status="corrected", issued=after(1))
    assert score(chart.followed_by(state_of(wrong, right)), after(1), OPTIONS).low == 0


def test_a_gas_is_divided_again_when_its_oxygen_is_told_late() -> None:
    gas, air = observation("pao2", 80, at=after(1), specimen="arterial"), observation("fio2", "0.21")
    chart = Chart(state_of(gas, air))
    assert score(chart, after(2), OPTIONS).organs["respiration"].score == 1
    following = chart.followed_by(state_of(gas, air, observation("fio2", "0.5", at=after(0.5))))
    assert score(following, after(2), OPTIONS).organs["respiration"].score == 2
    assert score(chart, after(2), OPTIONS).organs["respiration"].score == 1


def test_a_drug_told_before_is_laid_out_once_however_many_follow_it() -> None:
    first, second = given("norepinephrine", "0.1"), given("norepinephrine", "0.2", at=after(2))
    before = Therapy((first,))
    after_it = before.followed_by((first, second))
    assert before.followed_by(before.said) is before
    assert after_it.of("norepinephrine-rate")[0] is before.of("norepinephrine-rate")[0]
    assert len(after_it.of("norepinephrine-rate")) == 2
    assert before.of("propofol-rate") == ()
