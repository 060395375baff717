"""The list in brief, cut into its parts; and how many lines of it are news, for everybody who asks, without going through all."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adapter.store.accounts import EVERYWHERE, Scope
from adapter.store.board import Entry, Marks, Part

Parts = Mapping[Part, Sequence[Entry]]
WITH_NEWS = (Part.OPEN, Part.OVER, Part.WITHDRAWN)
"""What was decided is news only where it comes back onto the list."""


def parted(entries: Iterable[Entry]) -> Parts:
    """By part, in order; what was taken back, and whose time is over, the newest first."""
    parts: dict[Part, list[Entry]] = {part: [] for part in Part}
    for entry in entries:
        parts[entry.part].append(entry)
    parts[Part.OVER].reverse()
    parts[Part.WITHDRAWN].sort(key=lambda one: one.changed, reverse=True)
    return parts


@dataclass(frozen=True, slots=True)
class Told:
    """When there was news of each: in order, and by candidate."""

    moments: Sequence[str]
    by_id: Mapping[str, str]

    @classmethod
    def of(cls, parts: Parts) -> "Told":
        by_id = {one.id: one.news for part in WITH_NEWS for one in parts[part]}
        return cls(sorted(by_id.values()), by_id)

    def news(self, marks: Marks) -> int:
        """As many as `Marks.news` says of one by one."""
        since = len(self.moments) - bisect_right(self.moments, marks.looked)
        opened = ((self.by_id[one], at) for one, at in marks.opened.items() if one in self.by_id)
        return since + sum((told > at) - (told > marks.looked) for told, at in opened)


class Choice(NamedTuple):
    """What may be left out of the list by what the entries themselves say; empty: nothing."""

    scope: Scope = EVERYWHERE
    trial: str = ""
    stratum: str = ""
    ward: str = ""

    def among(self, entries: Iterable[Entry]) -> Iterable[Entry]:
        """In their order; of ten thousand nothing is asked that leaves nobody out."""
        sites, trials = self.scope.sites, self.scope.trials
        checks: tuple[tuple[object, Callable[[Entry], bool]], ...] = (
            (sites is not None, lambda one: self.scope.site(one.site)),
            (trials is not None, lambda one: self.scope.trial(one.trial)),
            (self.trial, lambda one: one.trial == self.trial),
            (self.stratum, lambda one: one.stratum == self.stratum),
            (self.ward, lambda one: one.ward == self.ward),
        )
        return narrowed(entries, [check for asked, check in checks if asked])


def narrowed(entries: Iterable[Entry], checks: Iterable[Callable[[Entry], bool]]) -> Iterable[Entry]:
    """Those that pass every check."""
    for check in checks:
        entries = filter(check, entries)
    return entries


@dataclass(frozen=True, slots=True)
class Cut:
    """One choice of the list, the same for everybody who makes it; `wards`: where its candidates lie."""

    parts: Parts
    told: Told
    wards: tuple[str, ...]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Cut":
        parts = parted(entries)
        lying = {one.ward for part in Part if part is not Part.WITHDRAWN for one in parts[part]}
        return cls(parts, Told.of(parts), tuple(sorted(lying - {""})))
