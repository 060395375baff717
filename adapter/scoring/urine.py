"""Urine of a day: what was collected, over how long it was observed, and what that lets one say."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from adapter.domain.assessment import Evidence, OrganStatus, evidence_of
from adapter.domain.observation import Observation
from adapter.domain.patient import Window
from adapter.domain.quantity import Comparator, decimal_text
from adapter.scoring.chart import Chart, Timed
from adapter.scoring.finding import CENSORED, Finding
from adapter.scoring.thresholds import (
    URINE,
    URINE_DAY,
    URINE_FIRST_ENTRY,
    URINE_LOOKBACK,
    URINE_PROVISIONAL,
    URINE_SCORED,
    URINE_SETTLED,
    URINE_SPARSE,
)

PROVISIONAL = "urine_provisional"
RINSED = "bladder_irrigation"
SPARSE = "urine_sparsely_charted"
BELOW = frozenset({Comparator.LESS, Comparator.AT_MOST})


@dataclass(frozen=True, slots=True)
class Volume:
    """One entry of the record, with the evidence made of it: a day's entries are shown together, again and again.

    Of a bound (`<50`, `>400`) `millilitres` are the least that it may be.
    """

    time: datetime
    millilitres: Fraction
    observation: Observation
    shown: Evidence
    bound: bool = False


@dataclass(frozen=True, slots=True)
class Collection:
    """`millilitres` passed in `length`: the volumes after the moment observation began."""

    millilitres: Fraction
    length: timedelta
    volumes: tuple[Volume, ...]
    gap: timedelta

    @property
    def per_day(self) -> Fraction:
        return self.millilitres * Fraction(URINE_DAY // timedelta.resolution, self.length // timedelta.resolution)


def urine(chart: Chart, window: Window) -> Iterator[Finding]:
    """Of 24-hour totals (never added to hourly volumes) and hourly volumes (clinical D12).

    500 mL already seen settles it; else what 22 to 30 observed hours make of a day; 12 to 22 hours decide nothing.
    """
    for volume in _volumes(chart, "urine-output-24h", window.start, window.end):
        if volume.time > window.start and not volume.bound:
            yield _total(volume)
    volumes = collected(chart, window.end - URINE_LOOKBACK, window.end)
    today = [volume for volume in volumes if volume.time > window.start]
    seen = _sum(today)
    if seen >= URINE_SETTLED:
        yield _settled(seen, today)
    elif today:
        record = chart.series("urine-output").times
        yield from _observed(volumes, from_the_start=volumes[0].time == record[0])


def scanty(chart: Chart, at: datetime) -> bool:
    """Less than 500 mL charted in the 24 hours before: only then can hourly volumes score."""
    volumes = collected(chart, at - URINE_DAY + timedelta.resolution, at)
    return _sum(volumes) < URINE_SETTLED


def collected(chart: Chart, first: datetime, last: datetime) -> list[Volume]:
    """What was collected, less what was rinsed into the bladder in the same time (clinical 2.8)."""
    volumes = _volumes(chart, "urine-output", first, last)
    rinsed = _volumes(chart, "bladder-irrigation", first, last) if volumes else []
    if not rinsed:
        return volumes
    away = (replace(one, millilitres=-one.millilitres) for one in rinsed)
    return sorted((*volumes, *away), key=lambda volume: volume.time)


def _volumes(chart: Chart, concept: str, first: datetime, last: datetime) -> list[Volume]:
    volumes = []
    for item in chart.series(concept).between(first, last):
        volume = item.said("volume", _volume)
        if volume is not None:
            volumes.append(volume)
    return volumes


def _volume(item: Timed) -> Volume | None:
    one, quantity = item.observation, item.observation.quantity
    if quantity is None:
        return None
    least = Fraction(0) if quantity.comparator in BELOW else quantity.value
    return Volume(item.time, least, one, evidence_of(one), bound=quantity.comparator is not None)


def _sum(volumes: list[Volume]) -> Fraction:
    """Exact; whole millilitres, as nearly all are, add up faster as integers."""
    whole = sum(volume.millilitres.numerator for volume in volumes if volume.millilitres.denominator == 1)
    return sum((volume.millilitres for volume in volumes if volume.millilitres.denominator != 1), Fraction(whole))


def _total(volume: Volume) -> Finding:
    points = URINE.points(volume.millilitres)
    return Finding(points, points, points, (volume.observation,), URINE.rule(points), "24-hour total")


def _settled(seen: Fraction, today: list[Volume]) -> Finding:
    basis, shown = _basis(today)
    return Finding(0, 0, 0, basis, URINE.rule(0), f"{decimal_text(seen)} mL within 24 h", shown=shown)


def _basis(volumes: Iterable[Volume]) -> tuple[tuple[Observation, ...], tuple[Evidence, ...]]:
    volumes = tuple(volumes)
    return tuple(volume.observation for volume in volumes), tuple(volume.shown for volume in volumes)


def _observed(volumes: list[Volume], *, from_the_start: bool) -> Iterator[Finding]:
    """The collection nearest to a day that begins at an entry; failing that, an hour before the first one ever made.

    Where a shift is silent nobody observed it: a void that nobody charted is not anuria (clinical 2.8).
    """
    known = [_collection(volumes, index, timedelta(0)) for index in range(len(volumes) - 1)]
    assumed = [_collection(volumes, -1, URINE_FIRST_ENTRY)] if from_the_start else []
    shortest, longest = URINE_SCORED
    for collections in (known, assumed):
        scored = [c for c in collections if shortest <= c.length <= longest]
        if scored:
            nearest = min(scored, key=lambda c: abs(c.length - URINE_DAY))
            yield _normalised(nearest, firm=nearest.gap <= URINE_SPARSE)
            return
    shown = [c for c in (*known, *assumed) if URINE_PROVISIONAL <= c.length < shortest]
    if shown:
        yield _normalised(max(shown, key=lambda c: c.length), firm=False)


def _collection(volumes: list[Volume], anchor: int, before: timedelta) -> Collection:
    """From the entry at `anchor`, whose own volume was passed earlier, or from `before` the first entry on."""
    after = volumes[anchor + 1 :]
    times = [volume.time for volume in volumes[max(anchor, 0) :]]
    begin = times[0] - before
    gaps = (later - earlier for earlier, later in pairwise(times))
    return Collection(_sum(after), times[-1] - begin, tuple(after), max(gaps, default=timedelta(0)))


def _normalised(collection: Collection, *, firm: bool) -> Finding:
    """What was rinsed in may still have to come out, so that the difference of both decides nothing; nor does a sum of bounds."""
    rinsed = any(volume.millilitres < 0 for volume in collection.volumes)
    bound = any(volume.bound for volume in collection.volumes)
    points = URINE.points(collection.per_day)
    hours = decimal_text(
        Fraction(collection.length // timedelta.resolution, timedelta(hours=1) // timedelta.resolution)
    )
    note = f"{decimal_text(collection.millilitres)} mL in {hours} h: {decimal_text(collection.per_day)} mL per 24 h"
    short = collection.length < URINE_SCORED[0]
    told = {PROVISIONAL: short, RINSED: rinsed, CENSORED: bound}
    flags = tuple(flag for flag, said in told.items() if said)
    certain = firm and not rinsed and not bound
    basis, shown = _basis(collection.volumes)
    return Finding(
        points,
        points if certain else 0,
        points,
        basis,
        URINE.rule(points),
        note,
        status=OrganStatus.DERIVED,
        flags=(*flags, SPARSE) if collection.gap > URINE_SPARSE else flags,
        firm=certain,
        shown=shown,
    )
