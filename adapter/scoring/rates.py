"""What the rates of one drug say: in which order, until when, and which of them are none."""

from collections.abc import Iterable
from datetime import datetime

from adapter.scoring.chart import Timed
from adapter.scoring.options import ScoringOptions
from adapter.scoring.therapy import Given


def in_order(rates: Iterable[Timed]) -> list[Timed]:
    """Of two at one moment the pump that runs outdoes the one that stops: a bag was changed."""
    return sorted(rates, key=lambda item: (item.time, not is_off(item)))


def is_rate(item: Timed) -> bool:
    """And not the mark of an end."""
    return not (isinstance(item.observation, Given) and item.observation.ends)


def is_off(item: Timed) -> bool:
    quantity = item.observation.quantity
    return quantity is not None and quantity.value.numerator == 0


def held(item: Timed, options: ScoringOptions) -> datetime:
    """To its end where one was told, else as long as a charted rate holds."""
    told = item.observation.until if isinstance(item.observation, Given) else None
    return item.time + options.rate_hold if told is None else told
