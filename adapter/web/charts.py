"""The candidate's course as pictures drawn on the server, each with a table that says the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from fractions import Fraction
from itertools import groupby

from adapter.domain.assessment import ORGANS, OrganScore, SofaScore
from adapter.domain.observation import Observation
from adapter.domain.quantity import decimal_text
from adapter.domain.trial import Trial
from adapter.eligibility.rules import comparisons
from adapter.scoring.thresholds import WORST_TOTAL
from adapter.screening.course import Course
from adapter.web import coded, times, words
from adapter.web.tongue import say

WIDE, TOP, BOTTOM, LEFT = 640, 10, 130, 34
ROOM = Fraction(11, 10)
"""Above the highest point."""
MOST_TICKS = 6
DASH = 4


@dataclass(frozen=True, slots=True)
class Tick:
    x: int
    label: str


@dataclass(frozen=True, slots=True)
class Cell:
    """`?` where nothing is known; `tone` is the score, for its colour."""

    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class ScoreRow:
    at: str
    cells: tuple[Cell, ...]
    total: str


@dataclass(frozen=True, slots=True)
class ScoreChart:
    """`band` runs along the highest and back along the lowest possible score; `lines` where every organ was measured: a score
    that is not known must not look like one that fell.
    """

    organs: tuple[str, ...]
    rows: tuple[ScoreRow, ...]
    band: str
    lines: tuple[str, ...]
    ticks: tuple[Tick, ...]
    levels: tuple[tuple[int, int], ...]
    onset: int | None
    says: str


@dataclass(frozen=True, slots=True)
class Dot:
    x: int
    y: int
    text: str
    at: str
    laboratory: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold of the trial's strata."""

    y: int
    text: str


@dataclass(frozen=True, slots=True)
class MarkerChart:
    label: str
    line: str
    dots: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    top: str
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class _Axis:
    first: datetime
    last: datetime

    def x(self, at: datetime) -> int:
        span = max((self.last - self.first).total_seconds(), 1)
        return LEFT + round((at - self.first).total_seconds() / span * (WIDE - LEFT - TOP))

    def ticks(self, zone: tzinfo) -> tuple[Tick, ...]:
        """Midnights of the site by their day, or the two ends where there is one at most."""
        day = self.first.astimezone(zone).date()
        midnights = []
        while (at := datetime.combine(day, datetime.min.time(), zone)) <= self.last:
            midnights += [at] if at >= self.first else []
            day += timedelta(days=1)
        if len(midnights) > 1:
            chosen = midnights[:: -(-len(midnights) // MOST_TICKS)]
            return tuple(Tick(self.x(at), times.day_of(at)) for at in chosen)
        return tuple(Tick(self.x(at), times.local(at, zone)) for at in (self.first, self.last))


def scores(course: Course, onset: datetime | None, zone: tzinfo) -> ScoreChart | None:
    """`None` where nothing was ever measured."""
    found = course.scores
    if not found:
        return None
    axis = _Axis(found[0].at, found[-1].at)
    low, high = [_point(axis, s.at, s.low) for s in found], [_point(axis, s.at, s.high) for s in found]
    shown = onset is not None and axis.first <= onset <= axis.last
    return ScoreChart(
        organs=tuple(words.organ(name) for name in ORGANS),
        rows=tuple(_row(one, zone) for one in reversed(found)),
        band=" ".join((*high, *reversed(low))),
        lines=tuple(_lines(axis, found)),
        ticks=axis.ticks(zone),
        levels=tuple((points, _height(points, WORST_TOTAL)) for points in range(0, WORST_TOTAL + 1, 8)),
        onset=axis.x(onset) if onset is not None and shown else None,
        says=say(
            "SOFA from %(first)s to %(last)s: first %(then)s, now %(now)s",
            first=times.local(axis.first, zone),
            last=times.local(axis.last, zone),
            then=_total(found[0]),
            now=_total(found[-1]),
        ),
    )


def _lines(axis: _Axis, found: Sequence[SofaScore]) -> Iterator[str]:
    """One for each stretch without a missing organ; a single score is a dash."""
    for whole, stretch in groupby(found, key=lambda one: not one.missing):
        points = [_point(axis, one.at, one.low) for one in stretch] if whole else []
        if points:
            x, y = map(int, points[-1].split(","))
            yield " ".join((*points, f"{x + DASH},{y}")) if len(points) == 1 else " ".join(points)


def markers(course: Course, trial: Trial, zone: tzinfo) -> tuple[MarkerChart, ...]:
    return tuple(_marker(name, seen, _limits(trial, name), zone) for name, seen in course.markers.items() if seen)


def _limits(trial: Trial, name: str) -> list[Fraction]:
    """What the strata compare this marker with."""
    asked = (rule for stratum in trial.strata for rule in comparisons(stratum.met_when))
    mine = (one.value for one in asked if one.fact.removesuffix(".latest") == name)
    return sorted({value for value in mine if isinstance(value, Fraction)})


def _marker(name: str, seen: Sequence[Observation], limits: Sequence[Fraction], zone: tzinfo) -> MarkerChart:
    axis = _Axis(seen[0].effective, seen[-1].effective)
    numbers = [one.quantity.value if one.quantity else Fraction(0) for one in seen]
    top = max(max(numbers) * ROOM, *(limit * ROOM for limit in limits), Fraction(1))
    dots = tuple(_dot(axis, one, number, (top, zone)) for one, number in zip(seen, numbers, strict=True))
    unit = next((one.quantity.unit for one in seen if one.quantity), "")
    line = " ".join(f"{dot.x},{dot.y}" for dot in dots)
    ticks = axis.ticks(zone) if len(seen) > 1 else (Tick(dots[0].x, dots[0].at),)
    lines = tuple(Limit(_height(limit, top), words.quantity(decimal_text(limit), unit)) for limit in limits)
    return MarkerChart(words.concept(name), line, dots, ticks, words.quantity(str(round(max(numbers))), unit), lines)


def _dot(axis: _Axis, one: Observation, number: Fraction, scale: tuple[Fraction, tzinfo]) -> Dot:
    top, zone = scale
    at = times.local(one.effective, zone)
    return Dot(axis.x(one.effective), _height(number, top), quantity(one), at, say(str(one.laboratory)))


def quantity(one: Observation) -> str:
    """Value and unit, a bound with its sign."""
    if one.quantity is None:
        return coded.answer(one.code or "")
    number = f"{one.quantity.comparator or ''}{decimal_text(one.quantity.value)}"
    converted = one.native is not None and one.native.unit != one.quantity.unit
    return words.quantity(words.rounded(number) if converted else number, one.quantity.unit)


def _row(one: SofaScore, zone: tzinfo) -> ScoreRow:
    return ScoreRow(times.local(one.at, zone), tuple(_cell(one.organs[name]) for name in ORGANS), _total(one))


def _cell(organ: OrganScore) -> Cell:
    return Cell("?", "x") if organ.score is None else Cell(str(organ.score), str(organ.score))


def _total(one: SofaScore) -> str:
    return words.interval(one.low, one.high)


def _point(axis: _Axis, at: datetime, points: int) -> str:
    return f"{axis.x(at)},{_height(points, WORST_TOTAL)}"


def _height(number: Fraction | int, top: Fraction | int) -> int:
    return round(BOTTOM - Fraction(number) / Fraction(top) * (BOTTOM - TOP))
