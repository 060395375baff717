"""The SOFA of calendar days: the worst of each organ from midnight to midnight where the hospital lies."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from adapter.domain.assessment import OrganScore, OrganStatus, SofaScore
from adapter.domain.follow_up import DaySofa, StudyDay
from adapter.domain.patient import Window
from adapter.scoring.chart import Chart
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import organs

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
IMPUTED = "imputed_locf"
"""The flag of an organ that was not measured on the day and keeps an earlier score (clinical 2.4)."""

Organs = dict[str, OrganScore]


def study_day(first: date, number: int, zone: tzinfo) -> StudyDay:
    """Day 1 is `first`; there is no day 0."""
    on = first + (number - 1) * DAY
    return StudyDay(number, on, _midnight(on, zone), _midnight(on + DAY, zone))


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def day_sofa(chart: Chart, day: StudyDay, zone: tzinfo, carry_forward: timedelta, options: ScoringOptions) -> DaySofa:
    """Organs without a result that day keep the score of the newest earlier day that has one, as long as it may be carried."""
    found, carried = _organs(chart, day, options), []
    earliest = day.end - carry_forward
    before = [_organs(chart, one, options) for one in _days_before(day, earliest, zone)] if _missing(found) else []
    for name in _missing(found):
        kept = _kept(name, before, earliest)
        if kept is not None:
            found[name] = replace(kept, status=OrganStatus.CARRIED, flags=(*kept.flags, IMPUTED))
            carried.append(name)
    hours = (day.end - day.start) // HOUR
    return DaySofa(day, SofaScore(day.last, hours, found), tuple(carried))


def _organs(chart: Chart, day: StudyDay, options: ScoringOptions) -> Organs:
    return organs(chart, Window(day.last, day.end - day.start), options)


def _missing(found: Organs) -> list[str]:
    return [name for name, organ in found.items() if organ.score is None]


def _days_before(day: StudyDay, earliest: datetime, zone: tzinfo) -> list[StudyDay]:
    """The newest first; those that reach into the time from which a score may be carried: a day of 23 hours lets one more."""
    days = [study_day(day.date - back * DAY, 1, zone) for back in range(1, (day.end - earliest) // DAY + 2)]
    return [one for one in days if one.end > earliest]


def _kept(name: str, before: Sequence[Organs], earliest: datetime) -> OrganScore | None:
    for found in before:
        if found[name].score is not None:
            newest = max((item.effective for item in found[name].evidence), default=None)
            return found[name] if newest is not None and newest >= earliest else None
    return None
