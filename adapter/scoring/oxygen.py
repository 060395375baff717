"""The oxygen a patient breathed and the support they had at one moment, by what was charted up to then."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from adapter.domain.observation import Observation
from adapter.scoring.chart import Chart, Timed
from adapter.scoring.options import ScoringOptions
from adapter.scoring.thresholds import (
    FIO2_BY_FLOW,
    FIO2_BY_VALVE,
    FULL_OXYGEN,
    HIGH_FLOW,
    ROOM_AIR,
    ROOM_AIR_FIO2,
    SUPPORT,
)

FIO2_ESTIMATED = "fio2_estimated"


@dataclass(frozen=True, slots=True)
class Oxygen:
    """FiO2 as a fraction, with the range the published tables leave where it was estimated from a flow."""

    fio2: Fraction
    low: Fraction
    high: Fraction
    basis: tuple[Observation, ...]
    flags: tuple[str, ...] = ()


def oxygen(chart: Chart, at: datetime, options: ScoringOptions, beside: Observation | None = None) -> Oxygen | None:
    """FiO2 of the same blood-gas report first, else the latest charted or documented; never assumed (clinical D10).

    A later change of device outdates a charted FiO2: 0.60 on the ventilator is not what the nasal cannula gives.
    """
    charted = _charted(chart, at, options, beside)
    begun = _device_begun(chart, at, options)
    if begun is not None and (charted is None or charted.time < begun.time):
        device = chart.series("respiratory-support").latest(at, options.device_hold) or begun
        derived = _derived(chart, at, options, begun, device.observation)
        if derived is not None:
            return derived
        if charted is not None and _changed_since(chart, charted, begun, options):
            return None
    return _measured(charted.observation) if charted is not None else None


def support(
    chart: Chart, at: datetime, options: ScoringOptions, kinds: frozenset[str] | None = None
) -> tuple[bool | None, str, tuple[Observation, ...]]:
    """Whether the patient had respiratory support (of `kinds`, where named), the device, and who says so; `None` when nothing was charted."""
    device = chart.series("respiratory-support").latest(at, options.device_hold)
    if device is None or device.observation.code is None:
        return None, "", ()
    code = device.observation.code
    supported = code in (kinds or SUPPORT) or (code == HIGH_FLOW and options.hfnc_is_support)
    return supported, code, (device.observation,)


def _charted(chart: Chart, at: datetime, options: ScoringOptions, beside: Observation | None) -> Timed | None:
    held = chart.series("fio2").between(at - options.device_hold, at)[::-1]
    same = (item for item in held if beside is not None and _one_report(item.observation, beside))
    return next((item for item in (*same, *held) if _value(item) is not None), None)


def _one_report(fio2: Observation, gas: Observation) -> bool:
    if fio2.specimen_id and fio2.specimen_id == gas.specimen_id:
        return True
    return fio2.message == gas.message and fio2.effective == gas.effective


def _device_begun(chart: Chart, at: datetime, options: ScoringOptions) -> Timed | None:
    """The first charting of the device in place: hourly repetition is no change."""
    held = chart.series("respiratory-support").between(at - options.device_hold, at)
    begun = None
    for item in reversed(held):
        if begun is not None and item.observation.code != begun.observation.code:
            break
        begun = item
    return begun


def _changed_since(chart: Chart, charted: Timed, begun: Timed, options: ScoringOptions) -> bool:
    """Another device was in place when the FiO2 was charted; where none was known, this one may have been."""
    before = chart.series("respiratory-support").latest(charted.time, options.device_hold)
    return before is not None and before.observation.code not in {None, begun.observation.code}


def _derived(chart: Chart, at: datetime, options: ScoringOptions, begun: Timed, device: Observation) -> Oxygen | None:
    """Room air as documented; else an estimate from the flow on this device (clinical 2.5)."""
    code = device.code or ""
    if code == ROOM_AIR:
        return Oxygen(ROOM_AIR_FIO2, ROOM_AIR_FIO2, ROOM_AIR_FIO2, (device,))
    flow = chart.series("oxygen-flow").latest(at, options.device_hold)
    litres = _value(flow) if flow is not None and flow.time >= begun.time else None
    if flow is None or litres is None:
        return None
    ends = estimates(code, litres)
    if not ends:
        return None
    return Oxygen(ends[0], min(ends), max(ends), (flow.observation, device), (FIO2_ESTIMATED,))


def estimates(device: str, litres: Fraction) -> tuple[Fraction, ...]:
    """FiO2 by each published table, the first as the estimate; nothing outside the tables."""
    if device == "venturi":
        printed = FIO2_BY_VALVE.get(litres)
        return () if printed is None else (printed,)
    table = FIO2_BY_FLOW.get(device)
    return tuple(line.at(litres) for line in table.lines(litres)) if table is not None else ()


def _measured(one: Observation) -> Oxygen | None:
    fio2 = one.quantity.value if one.quantity is not None else None
    return None if fio2 is None else Oxygen(fio2, fio2, fio2, (one,))


def _value(item: Timed) -> Fraction | None:
    """A plain fraction or flow; bounds and impossible fractions are no FiO2."""
    quantity = item.observation.quantity
    if quantity is None or quantity.comparator is not None:
        return None
    possible = item.observation.concept != "fio2" or ROOM_AIR_FIO2 <= quantity.value <= FULL_OXYGEN
    return quantity.value if possible else None
