"""The SOFA of calendar days, by hand."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from adapter.domain.assessment import OrganStatus
from adapter.domain.follow_up import DaySofa
from adapter.domain.observation import Observation
from adapter.scoring.chart import Chart
from adapter.scoring.daily import IMPUTED, day_sofa, study_day
from adapter.scoring.options import ScoringOptions
from tests.builders import observation, state_of

ATHENS = ZoneInfo("Europe/Athens")
FIRST = date(2026, 1, 5)
TWO_DAYS = timedelta(hours=48)


def athens(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ATHENS).astimezone(UTC)


def platelets(value: str, at: str) -> Observation:
    return observation("platelets", value, None, athens(at))


def sofa(number: int, *results: Observation, carry: timedelta = TWO_DAYS) -> DaySofa:
    options = ScoringOptions(timezone=ATHENS)
    return day_sofa(Chart(state_of(*results)), study_day(FIRST, number, ATHENS), ATHENS, carry, options)


def coagulation(number: int, *results: Observation, carry: timedelta = TWO_DAYS) -> int | None:
    return sofa(number, *results, carry=carry).organs["coagulation"].score


def test_a_day_is_the_calendar_day_where_the_hospital_lies() -> None:
    day = study_day(FIRST, 3, ATHENS)
    assert (day.number, day.date) == (3, date(2026, 1, 7))
    assert (day.start, day.end) == (athens("2026-01-07"), athens("2026-01-08"))


@pytest.mark.parametrize(("on", "length"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_day_on_which_the_clocks_change_is_shorter_or_longer(on: date, length: int) -> None:
    day = study_day(on, 1, ATHENS)
    assert day.end - day.start == timedelta(hours=length)
    score = day_sofa(Chart(state_of()), day, ATHENS, TWO_DAYS, ScoringOptions()).sofa
    assert (score.at, str(score.window_hours)) == (day.last, str(length))


@pytest.mark.parametrize(
    ("at", "expected"), [("2026-01-05T23:59", None), ("2026-01-06T00:00", 2), ("2026-01-06T23:59:59", 2), ("2026-01-07T00:00", None)]
)  # fmt: skip
def test_midnight_belongs_to_the_day_that_begins(at: str, expected: int | None) -> None:
    assert coagulation(2, platelets("90", at), carry=timedelta(0)) == expected


def test_the_worst_of_the_day_counts() -> None:
    found = sofa(
        1,
        platelets("90", "2026-01-05T08:00"),
        platelets("18", "2026-01-05T12:00"),
        platelets("120", "2026-01-05T20:00"),
    )
    organ = found.organs["coagulation"]
    assert (organ.score, organ.status, found.carried) == (4, OrganStatus.MEASURED, ())


def test_an_organ_nobody_measured_keeps_the_score_of_the_day_before_and_says_so() -> None:
    found = sofa(2, platelets("90", "2026-01-05T08:00"), platelets("60", "2026-01-05T20:00"))
    organ = found.organs["coagulation"]
    assert (organ.score, organ.status) == (2, OrganStatus.CARRIED)
    assert IMPUTED in organ.flags
    assert found.carried == ("coagulation",)


def test_a_score_is_carried_no_further_than_its_age_allows() -> None:
    early, late = platelets("90", "2026-01-04T23:00"), platelets("90", "2026-01-05T01:00")
    assert coagulation(2, late) == 2  # 47 h before the end of day 2
    assert coagulation(2, early) is None
    assert coagulation(3, late) is None
    assert coagulation(3, late, carry=timedelta(hours=72)) == 2


@pytest.mark.parametrize(
    ("at", "expected"), [("2026-01-05T11:59", None), ("2026-01-05T12:00", 2), ("2026-01-05T13:00", 2)]
)
def test_what_is_too_old_at_the_end_of_the_day_is_not_carried_though_others_of_its_day_would_be(
    at: str, expected: int | None
) -> None:
    assert coagulation(2, platelets("90", at), carry=timedelta(hours=36)) == expected


def test_the_day_before_is_a_calendar_day_of_the_hospital_too() -> None:
    """At one in the morning in Athens it is still the day before in UTC."""
    assert coagulation(2, platelets("18", "2026-01-05T01:00"), platelets("90", "2026-01-05T12:00")) == 4


@pytest.mark.parametrize(("hours", "expected"), [(47, None), (47.5, 2), (48, 2)])
def test_a_short_day_lets_a_score_be_carried_from_further_back(hours: float, expected: int | None) -> None:
    """23 hours of 29 March and 24 of the 28th: half past eleven in the evening of the 27th is 47 and a half hours ago."""
    day, late = study_day(date(2026, 3, 29), 1, ATHENS), platelets("90", "2026-03-27T23:30")
    carry = timedelta(hours=hours)
    found = day_sofa(Chart(state_of(late)), day, ATHENS, carry, ScoringOptions(timezone=ATHENS))
    assert found.organs["coagulation"].score == expected


def test_the_newest_earlier_day_counts_even_where_an_older_one_was_worse() -> None:
    older, newer = platelets("18", "2026-01-05T12:00"), platelets("90", "2026-01-06T12:00")
    assert coagulation(3, older, newer, carry=timedelta(hours=96)) == 2


def test_what_nobody_ever_measured_stays_missing_and_spreads_the_total() -> None:
    found = sofa(1, platelets("90", "2026-01-05T08:00"))
    assert (found.sofa.low, found.sofa.high) == (2, 22)
    assert found.carried == ()


def test_a_carried_score_is_never_carried_on() -> None:
    assert coagulation(3, platelets("90", "2026-01-05T23:00")) is None  # day 2 carried it
