"""Whether a patient was sedated at a moment: by the sedatives that ran, and by the RASS charted round it."""

from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile

from adapter.domain.patient import Window
from adapter.scoring.chart import Chart, Series, Timed
from adapter.scoring.options import ScoringOptions
from adapter.scoring.rates import held, in_order, is_off, is_rate, told_end
from adapter.scoring.therapy import Given
from adapter.scoring.thresholds import (
    INVASIVE,
    RASS_AFTER,
    SEDATED_RASS,
    SEDATION_DOUBTFUL,
    SEDATION_LASTS,
    SEDATIVES,
)


class Sedation(StrEnum):
    SEDATED = "sedated"
    AWAKE = "awake"
    UNKNOWN = "unknown"
    DOUBTFUL = "doubtful"
    """A sedative was begun, and nobody said until when it ran."""


def sedation(chart: Chart, at: datetime, end: datetime, options: ScoringOptions) -> Sedation:
    """By the last RASS that still holds, else the first one charted soon after; nothing after `end` is known yet.

    A sedative that runs, or ended within the hour, sedates unless a RASS of -1 or lighter was charted since it began. An
    opioid alone is not sedation (decisions B7). A tube charted between coma and RASS parts them: the coma was the reason
    for it, and the sedation came with it.
    """
    rass = chart.series("rass")
    item = rass.latest(at, options.device_hold)
    drug = sedatives(chart, at, None if item is None else item.time, options)
    if drug is not None:
        return drug
    if item is None:
        later = rass.between(at, min(at + RASS_AFTER, end))
        item = later[0] if later and not _tube_between(chart, at, later[0].time, options) else None
    if item is None:
        return Sedation.UNKNOWN
    return Sedation.SEDATED if is_deep(item) else Sedation.AWAKE


def sedatives(chart: Chart, at: datetime, rass: datetime | None, options: ScoringOptions) -> Sedation | None:
    """What the sedatives say of `at` that began after the `rass` that holds; none where they say nothing."""
    found = {_drugged(chart, drug, at, rass, options) for drug in SEDATIVES if chart.series(drug).times}
    return next((depth for depth in (Sedation.SEDATED, Sedation.DOUBTFUL) if depth in found), None)


def _drugged(chart: Chart, drug: str, at: datetime, rass: datetime | None, options: ScoringOptions) -> Sedation | None:
    rates = in_order(chart.series(drug).before(at + timedelta.resolution, is_rate))
    if not rates or (rass is not None and _begun(chart, drug, at, options) <= rass):
        return None
    last = rates[-1]
    if at <= (last.time if is_off(last) else _until(chart, drug, last, options)) + SEDATION_LASTS:
        return Sedation.SEDATED
    infusion = _infusion(chart, drug, at)
    if infusion is None or (rass is not None and infusion.time <= rass):
        return None
    return Sedation.DOUBTFUL if not is_off(infusion) and told_end(infusion) is None else None


def _infusion(chart: Chart, drug: str, at: datetime) -> Timed | None:
    """The last rate of the day before; a bolus is none, and says nothing of the infusion that ran beside it."""
    rates = in_order(filter(is_rate, _day(chart.series(drug), at)))
    return next((item for item in reversed(rates) if not _is_bolus(item)), None)


def _is_bolus(item: Timed) -> bool:
    return isinstance(item.observation, Given) and item.observation.bolus


def _until(chart: Chart, drug: str, last: Timed, options: ScoringOptions) -> datetime:
    """The end of the last rate, or a later one told of a giving of the day before it: a bolus ends no infusion, a stop does."""
    day = takewhile(lambda item: not is_off(item), reversed(_day(chart.series(drug), last.time)))
    told = (held(item, options) for item in day if isinstance(item.observation, Given) and item.observation.until)
    return max((held(last, options), *told))


def _begun(chart: Chart, drug: str, at: datetime, options: ScoringOptions) -> datetime:
    """Of the infusion that the last rate belongs to: rates that follow each other within the hour are one."""
    series = chart.series(drug)
    rates = in_order(filter(is_rate, (*series.before(at - SEDATION_DOUBTFUL, is_rate), *_day(series, at))))
    begun = rates[-1]
    for earlier in reversed(rates[:-1]):
        if is_off(earlier) or begun.time > held(earlier, options) + SEDATION_LASTS:
            break
        begun = earlier
    return begun.time


def _day(series: Series, at: datetime) -> tuple[Timed, ...]:
    return series.between(at - SEDATION_DOUBTFUL, at)


def _tube_between(chart: Chart, at: datetime, later: datetime, options: ScoringOptions) -> bool:
    """Intubated after `at`, and no later than `later`."""
    devices = chart.series("respiratory-support")
    before = devices.latest(at, options.device_hold)
    if before is not None and before.observation.code == INVASIVE:
        return False
    return any(item.observation.code == INVASIVE for item in devices.between(at, later))


def is_deep(item: Timed) -> bool:
    quantity = item.observation.quantity
    return quantity is not None and quantity.value <= SEDATED_RASS


def deep_within(chart: Chart, window: Window, options: ScoringOptions) -> tuple[datetime, ...]:
    """The moments of the window at which sedation was charted, the first one of each sedative's."""
    rass = tuple(item.time for item in chart.series("rass").within(window) if is_deep(item))
    return (*rass, *(moment for drug in SEDATIVES for moment in _drugged_within(chart, drug, window, options)))


def _drugged_within(chart: Chart, drug: str, window: Window, options: ScoringOptions) -> tuple[datetime, ...]:
    times = (item.time for item in chart.series(drug).within(window))
    deep = (time for time in times if sedation(chart, time, time, options) is Sedation.SEDATED)
    first = next(deep, None)
    return () if first is None else (first,)
