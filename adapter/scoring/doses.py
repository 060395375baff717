"""The dose of an infusion in the unit of the score, by the weight and the concentration that are on record."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from adapter.domain.observation import Observation
from adapter.scoring.chart import Chart, Timed
from adapter.scoring.flows import Flow, flow, strength
from adapter.scoring.therapy import Given
from adapter.scoring.thresholds import WEIGHT_AGE

WEIGHT_MISSING = "weight_missing"
WEIGHT_LATER = "weight_charted_later"
WEIGHT_OLD = "weight_old"
WEIGHT_STATED = "weight_stated"
CONCENTRATION_MISSING = "concentration_missing"
DOSE_UNKNOWN = "dose_unknown"


@dataclass(frozen=True, slots=True)
class Dose:
    """`value` in ug/kg/min (vasopressin: [IU]/min), none where it cannot be known; `basis` is what the weight rests on."""

    value: Fraction | None
    flags: tuple[str, ...] = ()
    basis: tuple[Observation, ...] = ()


def dose(chart: Chart, item: Timed, end: datetime) -> Dose:
    """Of one charted or given rate, by what is known up to `end`; a weight is never assumed."""
    one = item.observation
    if one.quantity is not None:
        return Dose(one.quantity.value)
    found = item.said("flow", _flow)
    if found is None:
        return Dose(None, (DOSE_UNKNOWN,))
    if found.kind == "mL":
        told = one.concentration if isinstance(one, Given) else None
        inside = None if told is None else strength(told)
        if inside is None:
            return Dose(None, (CONCENTRATION_MISSING,))
        found = Flow(found.amount * inside[0], inside[1], found.per_kg)
    return Dose(found.amount) if found.per_kg or found.kind == "U" else _by_weight(chart, item.time, end, found.amount)


def _flow(item: Timed) -> Flow | None:
    native = item.observation.native
    return None if native is None or native.comparator is not None else flow(native)


def _by_weight(chart: Chart, at: datetime, end: datetime, amount: Fraction) -> Dose:
    found = weight(chart, at, end)
    return (
        Dose(None, (WEIGHT_MISSING,)) if found is None else Dose(amount / found.kilograms, found.flags, (found.basis,))
    )


@dataclass(frozen=True, slots=True)
class Weight:
    kilograms: Fraction
    basis: Observation
    flags: tuple[str, ...]


def weight(chart: Chart, at: datetime, end: datetime) -> Weight | None:
    """Of `at`, by what is known up to `end`."""
    for one, flags in _weights(chart, at, end):
        if one.quantity is not None and one.quantity.comparator is None and one.quantity.value > 0:
            return Weight(one.quantity.value, one, flags)
    return None


def _weights(chart: Chart, at: datetime, end: datetime) -> Iterator[tuple[Observation, tuple[str, ...]]]:
    """The last measured of seven days, the first one thereafter, an older one, then what was only stated."""
    measured, stated = chart.series("weight"), chart.series("weight-stated")
    before, after = measured.last(at), measured.between(at, end)
    said = stated.last(at) or next(iter(stated.between(at, end)), None)
    if before is not None and before.time >= at - WEIGHT_AGE:
        yield before.observation, ()
    if after:
        yield after[0].observation, (WEIGHT_LATER,)
    if before is not None:
        yield before.observation, (WEIGHT_OLD,)
    if said is not None:
        yield said.observation, (WEIGHT_STATED,)
