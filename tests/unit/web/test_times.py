"""Clocks as people read them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from adapter.domain.trial import Clock
from adapter.web import times
from adapter.web.times import Tone

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
ATHENS = ZoneInfo("Europe/Athens")
TRIAL_CLOCK = Clock("start", "I6", timedelta(hours=72), (timedelta(hours=24), timedelta(hours=12)))


@pytest.mark.parametrize(
    ("left", "tone", "text"),
    [
        (timedelta(hours=72), Tone.CALM, "72\u00a0h"),
        (timedelta(hours=41, minutes=59), Tone.CALM, "41\u00a0h"),
        (timedelta(hours=24, seconds=1), Tone.CALM, "24\u00a0h"),
        (timedelta(hours=24), Tone.SOON, "24\u00a0h"),
        (timedelta(hours=12), Tone.NOW, "12\u00a0h"),
        (timedelta(hours=5, minutes=10), Tone.NOW, "5\u00a0h 10\u00a0min"),
        (timedelta(seconds=59), Tone.NOW, "under 1\u00a0min"),
        (timedelta(0), Tone.OVER, "0\u00a0h"),
        (timedelta(hours=-1), Tone.OVER, "0\u00a0h"),
    ],
)
def test_time_left_is_rounded_down_and_toned_by_the_trials_own_marks(left: timedelta, tone: Tone, text: str) -> None:
    seen = times.countdown(NOW + left, NOW, TRIAL_CLOCK)
    assert (seen.tone, seen.text) == (tone, text)


def test_a_clock_that_has_not_started_says_so() -> None:
    assert times.countdown(None, NOW, TRIAL_CLOCK).words == "Clock not started"


def test_a_trial_without_a_clock_still_shows_the_time_left() -> None:
    assert times.countdown(NOW + timedelta(hours=2), NOW, None).tone is Tone.CALM


def test_times_are_shown_in_the_zone_of_the_site() -> None:
    assert times.local("2026-01-02T12:00:00+00:00", ATHENS) == "Fri 2 Jan 14:00"
    assert times.local(None, ATHENS) == "–"
    assert times.local("no time", ATHENS) == "no time"
    assert times.zone_name(ATHENS, NOW) == "Europe/Athens (+02:00)"
    assert times.zone_name(UTC, NOW) == "UTC"


def test_an_hour_the_clock_skips_is_refused_and_one_it_repeats_means_the_first() -> None:
    assert times.typed("2026-03-29T03:30", ATHENS) is None
    repeated = times.typed("2026-10-25T03:30", ATHENS)
    assert repeated is not None
    assert repeated.utcoffset() == timedelta(hours=3)
    assert times.typed("yesterday", ATHENS) is None


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("9999-12-31T23:00", "America/New_York"),
        ("0001-01-01T00:00", "Europe/Athens"),
        ("9999-12-31T23:00-05:00", "UTC"),
    ],
)
def test_a_time_beyond_all_years_is_unreadable(text: str, zone: str) -> None:
    assert times.typed(text, ZoneInfo(zone)) is None


@pytest.mark.parametrize(
    ("past", "text"),
    [(10, "just now"), (120, "2 min ago"), (7200, "2 h ago"), (200_000, "2 d ago")],
)
def test_how_long_ago(past: int, text: str) -> None:
    assert times.ago(NOW - timedelta(seconds=past), NOW) == text


def test_age_turns_on_the_birthday() -> None:
    assert times.age("1950-01-03", NOW.date()) == 75
    assert times.age("1950-01-02", NOW.date()) == 76
    assert times.age("1950", NOW.date()) is None
