"""Hours of the day as people write them (`22:00-07:00`), days of the week (`mon-fri`), and what they mean at a moment."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAILY = frozenset(range(len(DAYS)))
MIDNIGHT = time(0)

_CLOCK = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hours:
    """From `start` until before `end`, over midnight where the end is not later; equal ends are the whole day."""

    start: time
    end: time

    def covers(self, clock: time) -> bool:
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end

    def began(self, local: datetime) -> date:
        """The day on which the hours that cover this moment began."""
        over_midnight = self.start >= self.end and local.time() < self.start
        return local.date() - timedelta(days=1) if over_midnight else local.date()


WHOLE_DAY = Hours(MIDNIGHT, MIDNIGHT)


def read_clock(text: str) -> time:
    """`07:30`; `24:00` is midnight. Raises ValueError with what to write instead."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None or (int(found[1]) == 24 and found[2] != "00"):  # noqa: PLR2004 — the hours of a day
        raise ValueError(f"'{text}' is no time of day: write it as 07:30")
    return time(int(found[1]) % 24, int(found[2]))


def read_hours(text: str) -> Hours | None:
    """`22:00-07:00`; nothing for an empty text. Raises ValueError."""
    if not text.strip():
        return None
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"'{text}' are no hours: write them as 22:00-07:00")
    return Hours(read_clock(start), read_clock(end))


def read_days(text: str) -> frozenset[int]:
    """`daily`, `mon-fri`, `sat,sun`. Raises ValueError."""
    if text.strip().lower() == "daily":
        return DAILY
    found: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = part.strip().partition("-")
        one, other = _day(first, text), _day(last or first, text)
        found |= {(one + step) % len(DAYS) for step in range((other - one) % len(DAYS) + 1)}
    return frozenset(found)


def _day(word: str, text: str) -> int:
    if word.strip() not in DAYS:
        raise ValueError(f"'{text}' are no days: write daily, mon-fri or sat,sun")
    return DAYS.index(word.strip())


def latest(clocks: tuple[time, ...], now: datetime, zone: tzinfo) -> datetime | None:
    """The newest of these times of day that is not after `now`, by the clock on the wall."""
    today = now.astimezone(zone).date()
    moments = (
        datetime.combine(today - timedelta(days=back), clock, zone).astimezone(now.tzinfo)
        for back in (0, 1)
        for clock in clocks
    )
    return max((moment for moment in moments if moment <= now), default=None)
