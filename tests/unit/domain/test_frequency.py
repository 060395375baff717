"""Whether a trial flags as often as it used to, counted in messages (reliability 5.3, P12)."""

import random
from datetime import timedelta

import pytest

from adapter.domain.frequency import EXPECTED, LATELY, LEARNED, Flagged, is_silent, storms
from tests.builders import T0

GAP = 1000
"""Messages from one flag to the next."""


def flags(number: int, gap: int = GAP, *, days: float = 20.0) -> list[Flagged]:
    return [Flagged(n * gap, T0 + timedelta(days=days) * n / max(number - 1, 1)) for n in range(number)]


def after(known: list[Flagged], number: int, gap: int) -> list[Flagged]:
    last = known[-1]
    return [*known, *(Flagged(last.message + (n + 1) * gap, last.at + timedelta(hours=1)) for n in range(number))]


@pytest.mark.parametrize(("since", "silent"), [(EXPECTED * GAP, False), (EXPECTED * GAP + 1, True)])
def test_a_trial_is_silent_when_seven_flags_should_have_come_and_it_was_never_so_long_without(
    since: int, silent: bool
) -> None:
    known = flags(LEARNED + 1)
    assert is_silent(known, known[-1].message + since) is silent
    rare = after(after(known, 1, 6 * GAP), 1, GAP)
    assert not is_silent(rare, rare[-1].message + 9 * GAP)
    assert is_silent(rare, rare[-1].message + 9 * GAP + 1)


@pytest.mark.parametrize(
    "known", [[], flags(1), flags(LEARNED - 1), flags(LEARNED, days=13.9)], ids=["none", "one", "few", "since lately"]
)
def test_of_a_trial_that_is_new_nothing_is_usual(known: list[Flagged]) -> None:
    newest = known[-1].message if known else 0
    assert not is_silent(known, newest + 10**9)
    assert not storms(after(known, LATELY, 1) if known else known, T0)


def test_a_stay_without_messages_is_no_silence() -> None:
    """A month of outage: nothing came, so nothing could be flagged."""
    known = flags(LEARNED)
    assert not is_silent(known, known[-1].message)


@pytest.mark.parametrize(("gap", "storm"), [(GAP // 5 - 1, True), (GAP // 5, False), (GAP, False)])
def test_ten_flags_five_times_as_fast_are_a_storm_until_a_day_after_the_last(gap: int, storm: bool) -> None:
    known = after(flags(LEARNED), LATELY, gap)
    last = known[-1].at
    assert storms(known, last) is storm
    assert storms(known, last + timedelta(hours=24)) is storm
    assert not storms(known, last + timedelta(hours=25))


def test_flags_that_come_by_chance_are_hardly_ever_called_unlike_before() -> None:
    """Thirty wards, 200 independent flags each, looked at after every flag and in the middle of each gap."""
    silent = stormy = 0
    for seed in range(30):
        dice, message, known = random.Random(seed), 0, list[Flagged]()
        for n in range(200):
            gap = round(dice.expovariate(1 / GAP))
            silent += is_silent(known[-200:], message + gap)
            message += gap
            known.append(Flagged(message, T0 + timedelta(days=n)))
            stormy += storms(known, known[-1].at)
    assert silent + stormy <= 10
