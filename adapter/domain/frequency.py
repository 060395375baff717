"""How often a trial flags somebody: whether it fell silent, or flags far more than before (reliability 5.3, P12).

Both by days and by messages. By days alone an outage is a silence and the backlog after it a storm; by messages alone a feed that
joins is a silence, and one that leaves a storm. What both say is neither.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

LEARNED = 20
"""Flags before anything is usual."""
LEAST = timedelta(days=14)
"""… that go back so far."""
EXPECTED = 10
"""So many flags would have come since the last."""
TIMES_LONGEST = 1.5
"""Nor was it ever half so long again without one."""
DAY = timedelta(days=1)
SEVERAL, TIMES = 10, 2
"""A storm: so many flags in a day, twice those of the busiest day before …"""
FASTER = 5
"""… and for each of them a fifth of the messages that one took before."""


@dataclass(frozen=True, slots=True, order=True)
class Flagged:
    """`message`: the inbox id that raised the flag; `at`: when."""

    message: int
    at: datetime


def is_silent(flags: Sequence[Flagged], newest: int, now: datetime) -> bool:
    """`flags` of one trial, in the order of their messages; `newest` is the id of the newest message."""
    if not _learned(flags):
        return False
    told, times = [float(one.message) for one in flags], sorted(one.at.timestamp() for one in flags)
    return _long(told, newest) and _long(times, now.timestamp())


def storms(flags: Sequence[Flagged], now: datetime) -> bool:
    lately = [one for one in flags if one.at > now - DAY]
    before = [one for one in flags if one.at <= now - DAY]
    if len(lately) < SEVERAL or not _learned(before) or len(lately) <= TIMES * max(_days(before)):
        return False
    return (lately[-1].message - lately[0].message) * FASTER < _usual([one.message for one in before]) * len(lately)


def _learned(flags: Sequence[Flagged]) -> bool:
    return len(flags) >= LEARNED and max(one.at for one in flags) - min(one.at for one in flags) >= LEAST


def _long(places: Sequence[float], now: float) -> bool:
    """Whether nothing came for much longer than it used to, along messages or along time."""
    longest = max(after - before for before, after in pairwise(places))
    return now - places[-1] > max(EXPECTED * _usual(places), TIMES_LONGEST * longest)


def _usual(places: Sequence[float]) -> float:
    """From one flag to the next."""
    return (places[-1] - places[0]) / (len(places) - 1)


def _days(flags: Sequence[Flagged]) -> Iterator[int]:
    """How many came within a day that ends with each of them."""
    times = sorted(one.at for one in flags)
    first = 0
    for place, at in enumerate(times):
        while times[first] <= at - DAY:
            first += 1
        yield place - first + 1
