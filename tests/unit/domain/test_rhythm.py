"""Silence and drift of an analyte, learned from what came before (reliability C44, C45, 5.3)."""

from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.domain.rhythm import BEFORE, LEARNED, MOST, RECENT, SILENCE, Rhythm, patience
from tests.builders import T0


def every(hours: float, times: int, value: Fraction = Fraction(100)) -> Rhythm:
    rhythm = Rhythm()
    for n in range(times):
        rhythm = rhythm.told([(T0 + n * timedelta(hours=hours), [value])])
    return rhythm


@pytest.mark.parametrize(
    ("hours", "quiet", "silent"),
    [
        (1, 5.9, False),
        (1, 6.1, True),
        (4, 11.9, False),
        (4, 12.1, True),
        (24, 71, False),
        (24, 73, True),
    ],
)
def test_three_times_the_usual_gap_and_never_less_than_six_hours(hours: float, quiet: float, silent: bool) -> None:
    rhythm = every(hours, LEARNED + 1)
    assert rhythm.last is not None
    assert rhythm.silent(rhythm.last + timedelta(hours=quiet)) is silent


@pytest.mark.parametrize(
    ("hours", "times", "minutes"),
    [(0.5, 97, 150), (0.5, 96, 360), (1, 51, 300), (0.02, 2401, 15), (0.04, 1201, 15), (2, 51, 360), (48, 49, 360)],
)
def test_a_source_may_be_silent_for_five_of_its_usual_gaps_within_a_quarter_of_an_hour_and_six(
    hours: float, times: int, minutes: float
) -> None:
    assert patience([every(hours, times)]) == timedelta(minutes=minutes)


def test_of_a_source_what_comes_most_often_tells_its_rhythm_and_a_night_it_had_is_allowed_for() -> None:
    often, seldom, hardly = every(0.5, 97), every(6, LEARNED), every(0.1, LEARNED)
    assert patience([seldom, often, hardly]) == timedelta(minutes=150)
    assert often.last is not None
    after_a_night = often.told([(often.last + timedelta(hours=3), [])])
    assert patience([after_a_night, seldom]) == timedelta(hours=4.5)
    assert patience([]) == SILENCE


def test_a_pause_that_there_was_before_is_no_silence() -> None:
    rhythm = every(1, LEARNED + 1)
    assert rhythm.last is not None
    after_a_weekend = rhythm.told([(rhythm.last + timedelta(hours=48), [Fraction(1)])])
    assert after_a_weekend.last is not None
    assert not after_a_weekend.silent(after_a_weekend.last + timedelta(hours=71))
    assert after_a_weekend.silent(after_a_weekend.last + timedelta(hours=73))


@pytest.mark.parametrize("rhythm", [Rhythm(), every(1, LEARNED - 1), every(0.1, LEARNED + 1)])
def test_nothing_is_missed_that_was_hardly_known(rhythm: Rhythm) -> None:
    assert not rhythm.silent(T0 + timedelta(days=400))


def test_messages_that_come_late_and_out_of_order_make_no_negative_gap() -> None:
    rhythm = Rhythm().told([(T0, [])]).told([(T0 - timedelta(hours=3), [])])
    assert (rhythm.last, rhythm.usual, rhythm.messages) == (T0, timedelta(0), 2)


@pytest.mark.parametrize(
    ("before", "now", "shift"),
    [
        (100, 100, None),
        (100, 399, None),
        (100, 1000, 8),
        (100, 100_000, 1024),
        (1000, 100, Fraction(1, 8)),
        (1, Fraction(1, 40), Fraction(1, 64)),
    ],
)
def test_a_median_that_moves_by_more_than_five_is_seen(
    before: Fraction | int, now: Fraction | int, shift: Fraction | int | None
) -> None:
    rhythm = every(1, BEFORE + RECENT, Fraction(before))
    for _ in range(RECENT):
        rhythm = rhythm.told([(T0, [Fraction(now)])])
    assert rhythm.shift == shift


def test_a_few_wild_values_move_nothing() -> None:
    rhythm = every(1, BEFORE + RECENT)
    for n in range(RECENT):
        rhythm = rhythm.told([(T0, [Fraction(100 if n % 3 else 100_000)])])
    assert rhythm.shift is None


def test_little_is_remembered_of_much() -> None:
    rhythm = Rhythm().told([(T0, [Fraction(n % 7) for n in range(3 * MOST)])])
    assert len(rhythm.recent) == RECENT
    assert sum(rhythm.history.values()) <= 2 * MOST
    assert len(rhythm.history) <= 3


def test_zero_has_no_size() -> None:
    assert Rhythm().told([(T0, [Fraction(0)])]).recent == ()


@pytest.mark.parametrize(
    ("value", "power"),
    [
        (Fraction(1), 0),
        (Fraction(8), 3),
        (Fraction(7), 2),
        (Fraction(1, 4), -2),
        (Fraction(1, 5), -3),
        (Fraction(3, 4), -1),
    ],
)
def test_the_size_of_a_value_is_the_power_of_two_below_it(value: Fraction, power: int) -> None:
    assert Rhythm().told([(T0, [value])]).recent == (power,)


@pytest.mark.no_cover
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2000).map(lambda minutes: T0 + timedelta(minutes=minutes)),
            st.lists(st.fractions(Fraction(0), Fraction(10**6)), max_size=3 * RECENT),
        ),
        max_size=40,
    )
)
def test_messages_told_together_are_messages_told_one_after_the_other(
    said: list[tuple[datetime, list[Fraction]]],
) -> None:
    one_by_one = Rhythm()
    for message in said:
        one_by_one = one_by_one.told([message])
    assert Rhythm().told(said) == one_by_one


@pytest.mark.parametrize("times", [RECENT - 1, RECENT, RECENT + BEFORE - 1])
def test_nothing_moves_before_enough_is_known_of_what_was(times: int) -> None:
    assert every(1, times).shift is None
