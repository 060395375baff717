"""Clocks as people read them: hours left (never overstated), local times, "as of" ages."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from adapter.domain.trial import Clock as TrialClock
from adapter.web.tongue import month, say, weekday

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Tone(StrEnum):
    """How urgent a clock looks; the words beside it say the same without colour."""

    NOW = "now"
    SOON = "soon"
    CALM = "calm"
    OVER = "over"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Countdown:
    """`share` is what is left of the limit in percent, for the bar."""

    text: str
    tone: Tone
    words: str
    deadline: datetime | None
    share: int


def countdown(deadline: datetime | None, now: datetime, clock: TrialClock | None) -> Countdown:
    """Time left until the deadline (strict: nothing is left at it) in the tones of the trial's own warning marks."""
    if deadline is None:
        return Countdown("–", Tone.NONE, say("Clock not started"), None, 0)
    left = (deadline - now).total_seconds()
    if left <= 0:
        return Countdown(say("%(hours)s\u00a0h", hours=0), Tone.OVER, say("Time is over"), deadline, 0)
    limit = clock.limit.total_seconds() if clock else left
    tone, words = _tone(left, sorted(clock.warn_left) if clock else [])
    return Countdown(duration(left), tone, words, deadline, max(1, min(100, int(100 * left / limit))))


def _tone(left: float, marks: list[timedelta]) -> tuple[Tone, str]:
    for index, mark in enumerate(marks):
        if left <= mark.total_seconds():
            hours = int(mark.total_seconds() // HOUR)
            return (Tone.NOW if index == 0 else Tone.SOON), say("Under %(hours)s h left", hours=hours)
    return Tone.CALM, say("Time left")


def duration(seconds: float) -> str:
    """`41 h`, `5 h 10 min`, `8 min`: rounded down, so that nobody is promised time that is not there."""
    hours, minutes = int(seconds // HOUR), int(seconds % HOUR // MINUTE)
    if hours and minutes and seconds < DAY:
        return say("%(hours)s\u00a0h %(minutes)s\u00a0min", hours=hours, minutes=minutes)
    if hours:
        return say("%(hours)s\u00a0h", hours=hours)
    return say("%(minutes)s\u00a0min", minutes=minutes) if minutes else say("under 1\u00a0min")


def ago(moment: datetime | None, now: datetime) -> str:
    """`just now`, `12 min ago`, `3 d ago`."""
    if moment is None:
        return say("never")
    seconds = (now - moment).total_seconds()
    if seconds < MINUTE:
        return say("just now")
    if seconds < HOUR:
        return say("%(number)s min ago", number=int(seconds // MINUTE))
    if seconds < 2 * DAY:
        return say("%(number)s h ago", number=int(seconds // HOUR))
    return say("%(number)s d ago", number=int(seconds // DAY))


def local(moment: datetime | str | None, zone: tzinfo) -> str:
    """`Fri 2 Jan 03:04` in the site's zone; text that is no time is shown as it is."""
    if not moment:
        return "–"
    try:
        aware = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    except ValueError:
        return str(moment)
    shown = (aware if aware.tzinfo else aware.replace(tzinfo=UTC)).astimezone(zone)
    return f"{weekday(shown.weekday())} {day_of(shown)} {shown:%H:%M}"


def day_of(day: date) -> str:
    """`2 Jan`; the order is the language's."""
    return say("%(day)s %(month)s", day=day.day, month=month(day.month))


def zone_name(zone: tzinfo, now: datetime) -> str:
    """`Europe/Athens (+02:00)`: what the times on this page mean."""
    name = zone.key if isinstance(zone, ZoneInfo) else "UTC"
    return name if name == "UTC" else f"{name} ({offset(zone, now)})"


def offset(zone: tzinfo, now: datetime) -> str:
    """`+02:00`: beside a time where those of several zones stand together."""
    return now.astimezone(zone).isoformat()[-6:]


def typed(text: str, zone: tzinfo) -> datetime | None:
    """What a person typed into a local time field. `None`: unreadable, or an hour the clock skipped.

    An hour the clock ran through twice means its first pass.
    """
    try:
        naive = datetime.fromisoformat(text.strip())
        aware = naive if naive.tzinfo else naive.replace(tzinfo=zone)
        exists = aware.astimezone(UTC).astimezone(aware.tzinfo) == aware
    except (ValueError, OverflowError):  # beyond the first and the last year there is no time
        return None
    return aware if exists else None


def age(birth_date: Any, today: date) -> int | None:
    """Whole years, from a date or its ISO text."""
    try:
        born = birth_date if isinstance(birth_date, date) else date.fromisoformat(str(birth_date))
    except ValueError:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
