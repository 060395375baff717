"""How fast one person may ask: so many requests a minute, all at once if they like (reliability 2.2, D)."""

import math
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

MINUTE = 60.0
REMEMBERED = 10_000
"""People, of whom whoever came least lately is forgotten first."""


@dataclass(slots=True)
class _Purse:
    """What is left, as of when; `told`: a request was refused since it was last half full."""

    left: float
    at: datetime
    told: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`wait`: seconds until the next request is answered, 0 for this one; `first`: of the refusals of one haste."""

    wait: int = 0
    first: bool = False


GO = Verdict()


class Pace:
    """A purse for each person, filled evenly up to a minute's worth: a quick hand is not stopped, a script that never rests is.

    Nothing here outlives the process; where several serve the pages, each counts for itself.
    """

    def __init__(self, a_minute: int) -> None:
        self._most = float(a_minute)
        self._purses: OrderedDict[str, _Purse] = OrderedDict()

    def ask(self, who: str, now: datetime) -> Verdict:
        purse = self._filled(who, now)
        if purse.left >= self._most / 2:
            purse.told = False
        if purse.left >= 1:
            purse.left -= 1
            return GO
        first, purse.told = not purse.told, True
        return Verdict(max(1, math.ceil((1 - purse.left) * MINUTE / self._most)), first)

    def _filled(self, who: str, now: datetime) -> _Purse:
        purse = self._purses.setdefault(who, _Purse(self._most, now))
        self._purses.move_to_end(who)
        while len(self._purses) > REMEMBERED:
            self._purses.popitem(last=False)
        elapsed = max(
            0.0, (now - purse.at).total_seconds()
        )  # a clock that was set back fills nothing, and takes nothing
        purse.left, purse.at = min(self._most, purse.left + elapsed * self._most / MINUTE), now
        return purse
