"""Whether a patient was sedated at a moment, by the RASS charted round it."""

from datetime import datetime
from enum import StrEnum

from adapter.domain.patient import Window
from adapter.scoring.chart import Chart, Timed
from adapter.scoring.options import ScoringOptions
from adapter.scoring.thresholds import INVASIVE, RASS_AFTER, SEDATED_RASS


class Sedation(StrEnum):
    SEDATED = "sedated"
    AWAKE = "awake"
    UNKNOWN = "unknown"


def sedation(chart: Chart, at: datetime, end: datetime, options: ScoringOptions) -> Sedation:
    """By the last RASS that still holds, else the first one charted soon after; nothing after `end` is known yet.

    An opioid alone is not sedation (decisions B7). A tube charted between the two parts them: the coma was the reason
    for it, and the sedation came with it.
    """
    rass = chart.series("rass")
    item = rass.latest(at, options.device_hold)
    if item is None:
        later = rass.between(at, min(at + RASS_AFTER, end))
        item = later[0] if later and not _tube_between(chart, at, later[0].time, options) else None
    if item is None:
        return Sedation.UNKNOWN
    return Sedation.SEDATED if is_deep(item) else Sedation.AWAKE


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


def deep_within(chart: Chart, window: Window) -> tuple[datetime, ...]:
    """The moments of the window at which sedation was charted."""
    return tuple(item.time for item in chart.series("rass").within(window) if is_deep(item))
