"""Who is on call at a moment: a pattern by week, and a calendar of dates that goes before it."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from adapter.alerting.hours import Hours

COLUMNS = ("from", "until", "who")


@dataclass(frozen=True, slots=True)
class Weekly:
    """`who` in the order in which they are called."""

    days: frozenset[int]
    hours: Hours
    who: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dated:
    """Aware moments; `until` is not part of it."""

    start: datetime
    until: datetime
    who: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rota:
    """Of dates that overlap the later line counts, so that a swap is one line more."""

    zone: tzinfo = UTC
    weekly: tuple[Weekly, ...] = ()
    calendar: tuple[Dated, ...] = ()

    def on_call(self, now: datetime) -> tuple[str, ...]:
        """First to last; nobody where no line speaks of the moment."""
        for line in reversed(self.calendar):
            if line.start <= now < line.until:
                return line.who
        local = now.astimezone(self.zone)
        for shift in self.weekly:
            if shift.hours.covers(local.time()) and shift.hours.began(local).weekday() in shift.days:
                return shift.who
        return ()


@dataclass(frozen=True, slots=True)
class Turn:
    """An unbroken time with the same people on call."""

    start: datetime
    until: datetime
    who: tuple[str, ...]


def turns(rota: Rota, start: datetime, days: int) -> Iterator[Turn]:
    """The rota as people read it, to the quarter of an hour; a turn of nobody is a gap to be filled."""
    step, end = timedelta(minutes=15), start + timedelta(days=days)
    began, who = start, rota.on_call(start)
    now = start - timedelta(minutes=start.minute % 15, seconds=start.second, microseconds=start.microsecond)
    while now < end:
        now += step
        then = rota.on_call(now)
        if then != who or now >= end:
            yield Turn(began, min(now, end), who)
            began, who = now, then


def read_calendar(text: str, zone: tzinfo, known: Iterable[str]) -> tuple[Dated, ...]:
    """CSV with `from,until,who`: local times (`2026-12-24 08:00`), people with `;` between them. Raises ValueError
    naming the line.
    """
    rows, people = csv.DictReader(text.splitlines()), frozenset(known)
    try:
        if tuple(name.strip() for name in rows.fieldnames or ()) != COLUMNS:
            raise ValueError(f"line 1: the columns are {','.join(COLUMNS)}")
        rows.fieldnames = COLUMNS
        return tuple(_dated(row, rows.line_num, zone, people) for row in rows)
    except csv.Error:
        raise ValueError(f"line {rows.reader.line_num}: this is no CSV — save the calendar as CSV again") from None


def _dated(row: dict[str, str | None], line: int, zone: tzinfo, people: frozenset[str]) -> Dated:
    who = tuple(name.strip() for name in (row["who"] or "").split(";") if name.strip())
    strangers = [name for name in who if name not in people]
    if strangers or not who:
        raise ValueError(f"line {line}: {', '.join(strangers) or 'nobody'} is no [[alerts.person]] — name them there")
    start, until = (_moment(row[name] or "", line, zone) for name in ("from", "until"))
    if until <= start:
        raise ValueError(f"line {line}: it ends before it begins")
    return Dated(start, until, who)


def _moment(text: str, line: int, zone: tzinfo) -> datetime:
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d %H:%M").replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"line {line}: '{text}' is no moment — write it as 2026-12-24 08:00") from None
