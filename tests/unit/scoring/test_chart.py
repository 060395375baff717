"""A series in order of time: which items a window, a span and a moment take of it, and what stays two."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from adapter.domain.patient import Window
from adapter.scoring.chart import Chart, Series, Timed
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import score
from tests.builders import T0, after, given, hours, observation, state_of

HOURS = (0, 2, 4, 4, 6)
"""Two results stand at four o'clock."""


def series() -> Series:
    told = [observation("platelets", 100 + i, at=after(h), identity=str(i)) for i, h in enumerate(HOURS)]
    return Chart(state_of(*told)).series("platelets")


def shown(items: tuple[Timed, ...]) -> list[str]:
    return [item.observation.identity for item in items]


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (-1, 6, "01234"),
        (0, 6, "1234"),
        (0, 5.9, "123"),
        (2, 4, "23"),
        (4, 6, "4"),
        (4, 5, ""),
        (6, 9, ""),
        (-9, -1, ""),
    ],
)
def test_a_window_is_open_at_its_start_and_closed_at_its_end(start: float, end: float, found: str) -> None:
    assert shown(series().within(Window(after(end), hours(end - start)))) == list(found)


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        (0, 6, "01234"),
        (0.1, 5.9, "123"),
        (4, 4, "23"),
        (6, 6, "4"),
        (6, 9, "4"),
        (6.1, 9, ""),
        (-9, -1, ""),
        (2.5, 3, ""),
    ],
)
def test_a_span_holds_both_its_ends(first: float, last: float, found: str) -> None:
    assert shown(series().between(after(first), after(last))) == list(found)


@pytest.mark.parametrize(
    ("moment", "not_such", "found"),
    [
        (7, "", "4"),
        (6, "", "23"),
        (4, "", "1"),
        (0, "", ""),
        (7, "4", "23"),
        (7, "43", "2"),
        (7, "432", "1"),
        (7, "4321", "0"),
        (7, "43210", ""),
        (6, "2", "23"),
    ],
)
def test_before_a_moment_stand_the_last_that_are_such_with_all_of_their_time(
    moment: float, not_such: str, found: str
) -> None:
    """An item of the same time that comes later and is not such is left out, an earlier one comes along."""
    assert shown(series().before(after(moment), lambda item: item.observation.identity not in not_such)) == list(found)


@pytest.mark.parametrize(("at", "found"), [(-1, None), (0, "0"), (1.9, "0"), (2, "1"), (4, "3"), (9, "4")])
def test_the_last_one_at_or_before_a_moment(at: float, found: str | None) -> None:
    item = series().last(after(at))
    assert (item.observation.identity if item else None) == found


@pytest.mark.parametrize(("at", "hold", "found"), [(9, 3, "4"), (9, 2.9, None), (6, 0, "4"), (-1, 9, None)])
def test_the_latest_holds_for_a_while_and_no_longer(at: float, hold: float, found: str | None) -> None:
    item = series().latest(after(at), hours(hold))
    assert (item.observation.identity if item else None) == found


@pytest.mark.parametrize(("moment", "found"), [(-1, "01234"), (0, "1234"), (4, "4"), (6, "")])
def test_what_is_later_than_a_moment(moment: float, found: str) -> None:
    assert shown(series().later(after(moment))) == list(found)


def test_what_is_concluded_of_an_item_is_asked_once_and_again_of_those_that_are_renewed() -> None:
    whole = series()
    asked: list[str] = []

    def conclude(item: Timed) -> str:
        asked.append(item.observation.identity)
        return item.observation.identity

    for _ in range(2):
        assert [item.said("q", conclude) for item in whole.items] == list("01234")
    assert asked == list("01234")
    assert [item.said("q", conclude) for item in whole.renewed(after(4)).items] == list("01234")
    assert asked == list("01234234")


def test_times_are_utc_whatever_clock_they_were_told_by() -> None:
    """In Athens half past three comes twice on that night: the order of the two is that of UTC."""
    night = datetime(2026, 10, 25, 3, 30, tzinfo=ZoneInfo("Europe/Athens"))
    told = [observation("platelets", value, at=night.replace(fold=value), identity=str(value)) for value in (1, 0)]
    found = Chart(state_of(*told)).series("platelets")
    assert shown(found.items) == ["0", "1"]
    assert all(time.tzinfo is UTC for time in found.times)


def test_a_cut_chart_knows_nothing_but_its_concepts_in_its_span() -> None:
    told = observation("platelets", 80, at=after(1)), observation("platelets", 70, at=after(5)), observation("map", 60)
    drug = given("norepinephrine", "0.1", until=after(2))
    cut = Chart(state_of(*told, administrations=(drug,))).between(T0, after(2), ["platelets"])
    assert [item.time for item in cut.series("platelets").items] == [after(1)] == list(cut.series("platelets").times)
    assert cut.series("map").items == cut.series("norepinephrine-rate").items == ()


def test_a_charted_rate_and_a_given_one_of_the_same_dose_stay_two() -> None:
    """The drug given was told until when it ran; the rate charted beside it holds two hours."""
    drug, charted = given("norepinephrine", "0.05", until=after(30)), observation("norepinephrine-rate", "0.05")
    state = state_of(charted, administrations=(drug,))
    assert len(Chart(state).series("norepinephrine-rate").items) == 3  # and the mark of the end
    assert score(state, after(29), ScoringOptions()).organs["cardiovascular"].score == 3


@pytest.mark.parametrize(
    ("concept", "parts", "count"),
    [
        ("platelets", {"specimen": "capillary"}, 1),
        ("platelets", {"value": 81}, 2),
        ("platelets", {"at": after(0.5)}, 2),
        ("pao2", {"specimen": "arterial"}, 2),
        ("pao2", {}, 1),
        ("pf-ratio", {"specimen": "arterial"}, 2),
        ("respiratory-support", {"value": "niv"}, 2),
        ("respiratory-support", {"value": "80"}, 1),
    ],
)
def test_results_of_one_moment_and_value_are_one_but_two_specimens_stay_two(
    concept: str, parts: dict[str, object], count: int
) -> None:
    other = {"value": 80, "at": T0, **parts}
    value, at = other.pop("value"), other.pop("at")
    assert isinstance(at, datetime)
    same = observation(concept, str(value), at=at, identity="b", **other)
    found = Chart(state_of(observation(concept, "80", identity="a"), same)).series(concept)
    assert (len(found.items), len(found.told.items)) == (count, 2)


def test_an_item_of_the_record_reads_its_result_when_asked_and_knows_no_other_name() -> None:
    item = Chart(state_of(observation("platelets", 100, identity="a"))).series("platelets").items[0]
    assert not hasattr(item, "results")
    assert (item.identity, item.observation.identity) == ("a", "a")
    assert item == Timed(item.time, item.observation)
    assert item != Timed(after(1), item.observation)
