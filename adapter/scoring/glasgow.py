"""The Glasgow coma scores of a patient: charted totals, else sums of eye, verbal and motor answers."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from adapter.domain.assessment import OrganStatus
from adapter.domain.observation import Observation
from adapter.scoring.chart import Chart, Timed
from adapter.scoring.thresholds import (
    GCS_BEST,
    GCS_PARTS_TOGETHER,
    GCS_RANGES,
    UNVERBAL_BEST,
    VERBAL_BEST,
    VERBAL_NONE,
)
from adapter.scoring.turns import PARTS

FROM_PARTS = "gcs_from_components"
PART_MISSING = "gcs_component_missing"
VERBAL_IMPUTED = "gcs_verbal_imputed"
Intubated = Callable[[datetime], bool]


@dataclass(frozen=True, slots=True)
class Coma:
    """A score as charted, and the best it can be where a tube kept the patient from answering."""

    time: datetime
    total: int
    best: int
    basis: tuple[Observation, ...]
    status: OrganStatus = OrganStatus.MEASURED
    flags: tuple[str, ...] = ()


def comas(chart: Chart, first: datetime, last: datetime, intubated: Intubated) -> list[Coma]:
    """All scores of `[first, last]` in order of time; a charted total is preferred to the sum of its moment.

    Under a tube the verbal answer cannot be tested: E + M + 5 is the best the patient may be (clinical 2.7). A total
    above 11 must have counted a verbal answer and stands as charted.
    """
    times = {item.time for name in PARTS for item in chart.series(name).between(first, last)}
    summed = {time: coma for time in times if (coma := _sum(chart, time, tube=intubated(time))) is not None}
    totals = chart.series("gcs-total").between(first, last)
    charted = {coma.time: coma for coma in _charted(totals, summed, intubated)}
    return sorted((summed | charted).values(), key=lambda coma: coma.time)


def parts_within(chart: Chart, first: datetime, last: datetime) -> bool:
    return any(chart.series(name).between(first, last) for name in PARTS)


def _charted(items: Iterable[Timed], summed: dict[datetime, Coma], intubated: Intubated) -> Iterator[Coma]:
    for item in items:
        coma = item.said("coma", _as_charted)
        if coma is None:
            continue
        one, total = item.observation, coma.total
        if total > UNVERBAL_BEST or not intubated(item.time):
            yield coma
        elif item.time in summed:
            yield summed[item.time]
        else:
            best = min(total - VERBAL_NONE + VERBAL_BEST, GCS_BEST)
            yield Coma(item.time, total, best, (one,), flags=(VERBAL_IMPUTED,))


def _as_charted(item: Timed) -> Coma | None:
    total = _whole(item)
    return None if total is None else Coma(item.time, total, total, (item.observation,))


def _sum(chart: Chart, time: datetime, *, tube: bool) -> Coma | None:
    """Eye, verbal and motor of the last six hours; a missing answer is not taken for normal."""
    parts = {name: _part(chart, name, time) for name in PARTS}
    eye, verbal, motor = (parts[name] for name in PARTS)
    if eye is None or motor is None or (verbal is None and not tube):
        return None
    spoken = verbal[0] if verbal is not None else VERBAL_NONE
    untested = tube and spoken == VERBAL_NONE
    rest = eye[0] + motor[0]
    return Coma(
        time,
        rest + spoken,
        rest + (VERBAL_BEST if untested else spoken),
        tuple(part[1] for part in (eye, verbal, motor) if part is not None),
        OrganStatus.DERIVED,
        (FROM_PARTS, VERBAL_IMPUTED) if untested else (FROM_PARTS,),
    )


def _part(chart: Chart, name: str, time: datetime) -> tuple[int, Observation] | None:
    item = chart.series(name).latest(time, GCS_PARTS_TOGETHER)
    value = _whole(item) if item is not None else None
    return None if item is None or value is None else (value, item.observation)


def _whole(item: Timed) -> int | None:
    """Only whole numbers of the scale are a score."""
    quantity = item.observation.quantity
    least, most = GCS_RANGES[item.observation.concept]
    if quantity is None or quantity.comparator is not None or quantity.value.denominator != 1:
        return None
    whole = quantity.value.numerator
    return whole if least <= whole <= most else None
