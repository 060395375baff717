"""Whether a trial flags as often as it used to, by days and by messages (reliability 5.3, P12)."""

import random
from datetime import datetime, timedelta

import pytest

from adapter.domain.frequency import DAY, EXPECTED, LEARNED, SEVERAL, Flagged, is_silent, storms
from tests.builders import T0

GAP = 1000
"""Messages from one flag to the next, which are a day apart."""


def flags(number: int, gap: int = GAP, days: float = 1.0) -> list[Flagged]:
    return [Flagged(n * gap, T0 + timedelta(days=n * days)) for n in range(number)]


def after(known: list[Flagged], number: int, gap: int, hours: float) -> list[Flagged]:
    last = known[-1]
    more = (Flagged(last.message + n * gap, last.at + timedelta(hours=n * hours)) for n in range(1, number + 1))
    return [*known, *more]


def later(known: list[Flagged], gaps: float, days: float) -> tuple[int, datetime]:
    return round(known[-1].message + gaps * GAP), known[-1].at + timedelta(days=days)


@pytest.mark.parametrize(
    ("gaps", "days", "silent"),
    [
        (EXPECTED, EXPECTED, False),
        (EXPECTED + 0.001, EXPECTED + 0.001, True),
        (5 * EXPECTED, EXPECTED, False),
        (EXPECTED, 5 * EXPECTED, False),
    ],
    ids=["as ever", "by both", "a feed that joined", "an outage"],
)
def test_a_trial_is_silent_when_ten_flags_should_have_come_by_days_and_by_messages(
    gaps: float, days: float, silent: bool
) -> None:
    known = flags(LEARNED + 1)
    assert is_silent(known, *later(known, gaps, days)) is silent


def test_it_is_not_silent_before_it_was_half_so_long_again_without_a_flag() -> None:
    known = after(after(flags(LEARNED), 1, 12 * GAP, 12 * 24), 1, GAP, 24)
    assert not is_silent(known, *later(known, 18, 18))
    assert is_silent(known, *later(known, 18.001, 18.001))


@pytest.mark.parametrize(
    "known",
    [[], flags(1), flags(LEARNED - 1), flags(LEARNED, days=0.7)],
    ids=["none", "one", "few", "since lately"],
)
def test_of_a_trial_that_is_new_nothing_is_usual(known: list[Flagged]) -> None:
    if known:
        assert not is_silent(known, *later(known, 10**6, 10**4))
        known = after(known, 50, 1, 0.01)
    assert not storms(known, known[-1].at if known else T0)


@pytest.mark.parametrize(
    ("number", "gap", "storm"),
    [(SEVERAL, GAP // 5 - 1, True), (SEVERAL - 2, 1, False), (SEVERAL, GAP, False), (500, 1, True)],
    ids=["a storm", "few", "with as many messages: a backlog", "hundreds"],
)
def test_many_flags_in_a_day_with_few_messages_are_a_storm_for_a_day(number: int, gap: int, storm: bool) -> None:
    known = after(flags(LEARNED), 1, GAP, 24)
    known = after(known, number, gap, 1 / number)
    last = known[-1].at
    assert storms(known, last + timedelta(hours=1)) is storm
    assert not storms(known, last + DAY)


@pytest.mark.parametrize(("busiest", "storm"), [(3, True), (4, False), (9, False)])
def test_a_day_is_no_storm_unless_twice_the_busiest_before(busiest: int, storm: bool) -> None:
    known = after(after(flags(LEARNED), busiest, 1, 24 / 20), 1, GAP, 48)
    assert storms(after(known, SEVERAL - 1, 1, 1), known[-1].at + timedelta(hours=10)) is storm


def test_flags_that_come_by_chance_are_hardly_ever_called_unlike_before() -> None:
    """Twenty wards of a flag a day, half a year each, looked at twice a day."""
    unlike = 0
    for seed in range(20):
        dice, known, at = random.Random(seed), list[Flagged](), 0.0
        coming = dice.expovariate(1)
        while at < 180:
            at += 0.5
            while coming <= at:
                known.append(Flagged(round(coming * GAP), T0 + timedelta(days=coming)))
                coming += dice.expovariate(1)
            now = T0 + timedelta(days=at)
            unlike += is_silent(known, round(at * GAP), now) or storms(known, now)
    assert unlike <= 5
