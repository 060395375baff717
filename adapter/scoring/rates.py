"""What the rates of one drug say: in which order, until when, and which of them are none."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from adapter.domain.observation import Observation
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
    told = told_end(item)
    return item.time + options.rate_hold if told is None else told


def told_end(item: Timed) -> datetime | None:
    return item.observation.until if isinstance(item.observation, Given) else None


def ran_until(one: Observation, moment: datetime) -> bool:
    """A giving whose end is later than `moment` and was told when it had passed: what was told ahead is a plan."""
    if not isinstance(one, Given) or one.ends or one.until is None or one.sender_time is None:
        return False
    return moment < one.until <= one.sender_time


def in_turn(
    rates: Sequence[Timed], end: datetime, options: ScoringOptions
) -> Iterator[tuple[Timed, datetime, datetime]]:
    """Each rate from when to when: until the next one, or its own end; after a giving that ended, the one before it
    that is known to have run longer runs on, unless it was stopped.
    """
    for index, item in enumerate(rates):
        following = rates[index + 1].time if index + 1 < len(rates) else end
        over = min(following, held(item, options))
        yield item, item.time, over
        while over < following and (longer := _running_on(rates[: index + 1], over)):
            began, over = over, min(following, held(longer, options))
            yield longer, began, over


def _running_on(begun: Sequence[Timed], at: datetime) -> Timed | None:
    if told_end(begun[-1]) is None:
        return None
    for item in reversed(begun):
        if is_off(item):
            return None
        if ran_until(item.observation, at):
            return item
    return None
