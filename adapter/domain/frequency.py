"""How often a trial flags somebody, counted in messages: whether it fell silent, or flags far more than before (reliability 5.3, P12).

In messages and not in days, so that an outage is no silence and the backlog after it no storm: `feed-silent` tells of those.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

LEARNED = 20
"""Flags before anything is usual."""
LEAST = timedelta(days=14)
"""… that go back so far: a ward that is new to the adapter flags whoever lies there, once."""
EXPECTED = 7
"""So many flags would have come: of independent ones none comes once in a thousand times (e to the -7)."""
TIMES_LONGEST = 1.5
"""Nor was it ever half so long again without one."""
LATELY, TIMES = 10, 5
"""The last ten came five times as fast as those before; of independent ones they do once in twenty thousand times."""
STORM = timedelta(days=1)
"""After its last flag a storm is over."""


@dataclass(frozen=True, slots=True)
class Flagged:
    """`message`: the inbox id that raised the flag; `at`: when."""

    message: int
    at: datetime


def is_silent(flags: Sequence[Flagged], newest: int) -> bool:
    """`flags` of one trial, oldest first; `newest` is the id of the newest message."""
    if not _learned(flags):
        return False
    longest = max(after.message - before.message for before, after in pairwise(flags))
    return newest - flags[-1].message > max(EXPECTED * _usual(flags), TIMES_LONGEST * longest)


def storms(flags: Sequence[Flagged], now: datetime) -> bool:
    before, lately = flags[:-LATELY], flags[-LATELY:]
    if not _learned(before) or now - lately[-1].at > STORM:
        return False
    return (lately[-1].message - before[-1].message) * TIMES < _usual(before) * LATELY


def _learned(flags: Sequence[Flagged]) -> bool:
    return len(flags) >= LEARNED and flags[-1].at - flags[0].at >= LEAST


def _usual(flags: Sequence[Flagged]) -> float:
    """Messages from one flag to the next."""
    return (flags[-1].message - flags[0].message) / (len(flags) - 1)
