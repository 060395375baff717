"""Mean arterial pressure: one series out of line, cuff and arithmetic, and its lowest sustained value."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from adapter.domain.observation import Observation
from adapter.domain.patient import Window
from adapter.scoring.chart import Chart, Timed
from adapter.scoring.thresholds import DIASTOLIC_WEIGHT, MAP_NEIGHBOURS, MAP_REACH

MAP_DERIVED = "map_from_sbp_dbp"
NOT_SUSTAINED = "map_not_sustained"


@dataclass(frozen=True, slots=True)
class Pressure:
    time: datetime
    value: Fraction | int
    """Whole millimetres, as nearly all are, compare faster as integers."""
    basis: tuple[Observation, ...]
    flags: tuple[str, ...] = ()


def lowest_sustained(chart: Chart, window: Window) -> tuple[Pressure | None, Pressure | None]:
    """The lowest sustained pressure of the window, and the lowest single one where that was lower.

    A low value between higher neighbours is line flush or damping; a lone reading counts (decisions B5).
    """
    pressures = _one_series(chart, window)
    lowest = single = None
    for index, pressure in enumerate(pressures):
        if pressure.time <= window.start:
            continue
        sustained = _sustained(pressures, index)
        lowest = sustained if lowest is None or sustained.value <= lowest.value else lowest
        single = pressure if single is None or pressure.value <= single.value else single
    missed = lowest is not None and single is not None and single.value < lowest.value
    return lowest, single if missed else None


def _sustained(pressures: list[Pressure], index: int) -> Pressure:
    """The reading itself when it stands alone, else the higher of it and its lower neighbour."""
    own = pressures[index]
    around = pressures[max(index - 1, 0) : index] + pressures[index + 1 : index + 2]
    near = [other for other in around if abs(other.time - own.time) <= MAP_NEIGHBOURS]
    if not near:
        return own
    second = min(near, key=lambda pressure: pressure.value)
    return own if own.value >= second.value else second


def _one_series(chart: Chart, window: Window) -> list[Pressure]:
    """Readings from a little before the window on: the arterial line wins over a cuff near it, both over arithmetic."""
    first, last = window.start - MAP_REACH, window.end
    line, unsaid, cuff = (_charted(chart, concept, first, last) for concept in ("map-arterial", "map", "map-cuff"))
    lined = [pressure.time for pressure in line]
    measured = {p.time: p for p in cuff if not _near(p.time, lined)}
    measured |= {p.time: p for p in unsaid} | {p.time: p for p in line}
    times = sorted(measured)
    derived = {p.time: p for p in derived_pressures(chart, first, last, beside=times)}
    if derived:
        measured |= derived
        times = sorted(measured)
    return [measured[time] for time in times]


def _near(time: datetime, times: Sequence[datetime]) -> bool:
    index = bisect_left(times, time - MAP_NEIGHBOURS)
    return index < len(times) and times[index] <= time + MAP_NEIGHBOURS


def _charted(chart: Chart, concept: str, first: datetime, last: datetime) -> list[Pressure]:
    """The lowest of those that share a moment."""
    items = chart.series(concept).between(first, last)
    found = [p for item in items if (p := item.said("pressure", _measured)) is not None]
    lowest: dict[datetime, Pressure] = {}
    for pressure in found:
        known = lowest.get(pressure.time)
        if known is None or pressure.value < known.value:
            lowest[pressure.time] = pressure
    return list(lowest.values())


def _measured(item: Timed) -> Pressure | None:
    quantity = item.observation.quantity
    if quantity is None or quantity.comparator is not None:
        return None
    value = quantity.value
    return Pressure(item.time, value.numerator if value.denominator == 1 else value, (item.observation,))


def derived_pressures(
    chart: Chart, first: datetime, last: datetime, beside: Sequence[datetime] = ()
) -> Iterable[Pressure]:
    """From systolic and diastolic pressure of one moment, where nothing measured lies near."""
    diastolic = {item.time: item for item in chart.series("dbp").between(first, last)}
    for item in chart.series("sbp").between(first, last):
        below = diastolic.get(item.time)
        if below is None or _near(item.time, beside):
            continue
        mean = _mean(item, below)
        if mean is not None:
            yield mean


def _mean(systolic: Timed, diastolic: Timed) -> Pressure | None:
    high, low = _measured(systolic), _measured(diastolic)
    if high is None or low is None or low.value >= high.value:
        return None  # of one moment and the wrong way round: which is which is anybody's guess
    mean = Fraction(high.value + DIASTOLIC_WEIGHT * low.value) / (1 + DIASTOLIC_WEIGHT)
    return Pressure(systolic.time, mean, (*high.basis, *low.basis), (MAP_DERIVED,))
