"""What was concluded of a patient, kept for the patient's next state as far as it still holds.

It may change speed, never a result: what is kept is what would be concluded again (tests/laws/test_memory.py). Three
kinds of conclusion are kept, each by what could make it untrue:

- `Kept`: of the present. It holds while nothing it rests on changes and time has passed none of its turns.
- `Settled`: of a moment in the past. It holds until a result of that moment or earlier changes.
- `Searched`: up to where the first moment of something was looked for; a change takes the search back to its own time.
"""

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

Concluded = TypeVar("Concluded")
Past = TypeVar("Past")
Search = Callable[[datetime | None], datetime | None]
"""The first moment later than the one given (`None`: of all) at which something holds."""
Changes = Mapping[str, datetime]
"""The earliest effective time at which the results of a concept are no longer what they were."""

STRETCHES = 3
"""Of each present question so many answers are kept: the search for an onset looks back and forth."""
MOST = 12
"""Of the past so many are kept: the admission score, and the onset of each trial and visit."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was concluded from results of `concepts`, given `given`; the same at every moment of `[since, until)`."""

    conclusion: Any
    concepts: Collection[str]
    given: tuple[object, ...]
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """What was concluded, given `given`, from results of `concepts` up to `until`."""

    conclusion: Any
    given: tuple[object, ...]
    until: datetime
    concepts: Collection[str]


@dataclass(frozen=True, slots=True)
class Searched:
    """`found`, or nothing up to and including `until`; given `given`, from results of `concepts`."""

    until: datetime
    found: datetime | None
    given: tuple[object, ...]
    concepts: Collection[str]


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one chart; what still holds goes on to the next."""

    _present: dict[Hashable, tuple[Kept, ...]] = field(default_factory=dict)
    _settled: dict[Hashable, Settled] = field(default_factory=dict)
    _searched: dict[Hashable, Searched] = field(default_factory=dict)

    def kept(self, question: Hashable, at: datetime, given: tuple[object, ...]) -> Kept | None:
        for one in self._present.get(question, ()):
            if one.since <= at < one.until and one.given == given:
                return one
        return None

    def keep(self, question: Hashable, kept: Kept) -> None:
        """The newest answer first."""
        self._present[question] = (kept, *self._present.get(question, ())[: STRETCHES - 1])

    def settled(
        self,
        question: Hashable,
        until: datetime,
        concepts: Collection[str],
        conclude: Callable[[], Concluded],
        *given: object,
    ) -> Concluded:
        """What `conclude()` makes of the results of `concepts` up to `until`; `given` is all else it rests on."""
        known = self._settled.get(question)
        if known is None or known.until != until or known.given != given:
            known = Settled(conclude(), given, until, concepts)
            _place(self._settled, question, known)
        conclusion: Concluded = known.conclusion
        return conclusion

    def first(
        self, question: Hashable, until: datetime, concepts: Collection[str], search: Search, *given: object
    ) -> datetime | None:
        """The first moment up to `until` that `search` finds; where it looked before it does not look again.

        Only for what holds at a moment by results of `concepts` up to that moment, and by what is `given`.
        """
        known = self._searched.get(question)
        if known is not None and known.given != given:
            known = None
        if known is None or (known.found is None and known.until < until):
            known = Searched(until, search(None if known is None else known.until), given, concepts)
            _place(self._searched, question, known)
        return known.found if known.found is not None and known.found <= until else None

    def past(self) -> "Memory":
        """Without what holds of the present: little to hold, and what costs most to conclude again."""
        return Memory({}, self._settled, self._searched)

    @property
    def settlements(self) -> int:
        """How many conclusions about past moments are held."""
        return len(self._settled)

    def after(self, changes: Changes) -> "Memory":
        """What is still true when results are no longer what they were."""
        if not changes:
            return self
        return Memory(
            {key: kept for key, kept in self._present.items() if changes.keys().isdisjoint(kept[0].concepts)},
            {key: one for key, one in self._settled.items() if not _touched(changes, one.concepts, one.until)},
            {key: _cut(one, changes) for key, one in self._searched.items()},
        )


def _place(kept: dict[Hashable, Past], question: Hashable, one: Past) -> None:
    """The oldest gives way."""
    kept.pop(question, None)
    while len(kept) >= MOST:
        del kept[next(iter(kept))]
    kept[question] = one


def _touched(changes: Changes, concepts: Collection[str], until: datetime) -> bool:
    return any(change <= until and concept in concepts for concept, change in changes.items())


def _cut(searched: Searched, changes: Changes) -> Searched:
    change = min((moment for concept, moment in changes.items() if concept in searched.concepts), default=None)
    if change is None:
        return searched
    found = searched.found if searched.found is not None and searched.found < change else None
    return replace(searched, until=min(searched.until, change - timedelta.resolution), found=found)
