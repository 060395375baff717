"""What was concluded from a patient's chart, kept for the next state of the patient as far as it still holds.

It may change speed, never a result: what is kept is what would be concluded again (tests/laws/test_memory.py).
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

Concluded = TypeVar("Concluded")
Search = Callable[[datetime | None], datetime | None]
"""The first moment later than the one given (`None`: of all) at which something holds."""

MOST = 600
"""Conclusions kept of one patient before old ones are forgotten: a day on an ICU leaves some 150."""
OLD = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Searched:
    """`found`, or nothing up to and including `until`."""

    until: datetime
    found: datetime | None


@dataclass(frozen=True, slots=True)
class Memory:
    """Conclusions that rest on no result later than a moment of their own."""

    _kept: dict[Hashable, tuple[datetime, Any]] = field(default_factory=dict)
    _searched: dict[Hashable, Searched] = field(default_factory=dict)

    def recalled(self, key: Hashable, until: datetime, conclude: Callable[..., Concluded], *of: object) -> Concluded:
        """What `conclude(*of)` makes of the results up to `until`. `key` names the question and all else it rests on."""
        known = self._kept.get(key)
        if known is None:
            known = self._kept[key] = (until, conclude(*of))
        conclusion: Concluded = known[1]
        return conclusion

    def first(self, key: Hashable, until: datetime, search: Search) -> datetime | None:
        """The first moment up to `until` that `search` finds; where it looked before it does not look again.

        Only for what holds at a moment by results up to that moment.
        """
        known = self._searched.get(key)
        if known is None or (known.found is None and known.until < until):
            known = Searched(until, search(None if known is None else known.until))
            self._searched[key] = known
        return known.found if known.found is not None and known.found <= until else None

    def before(self, change: datetime) -> "Memory":
        """What is still true when results of `change` or later are no longer what they were."""
        forgotten = change - OLD if len(self._kept) > MOST else None
        kept = {
            key: known
            for key, known in self._kept.items()
            if known[0] < change and (forgotten is None or known[0] >= forgotten)
        }
        return Memory(kept, {key: _cut(known, change) for key, known in self._searched.items()})


def _cut(known: Searched, change: datetime) -> Searched:
    found = known.found if known.found is not None and known.found < change else None
    return Searched(min(known.until, change - timedelta.resolution), found)
