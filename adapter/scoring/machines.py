"""Machines in the place of an organ: what the record says of renal replacement and of mechanical support in a window."""

from collections.abc import Collection

from adapter.domain.patient import Window
from adapter.scoring.chart import Chart, Timed
from adapter.scoring.thresholds import NO_THERAPY


def machines(chart: Chart, concept: str, window: Window, kinds: Collection[str] = ()) -> tuple[Timed, ...]:
    """Charted within the window and not as none; of `kinds` where some are named."""
    items = chart.series(concept).within(window)
    return tuple(
        i for i in items if i.observation.code not in {None, NO_THERAPY} and (not kinds or i.observation.code in kinds)
    )
