"""What messages say of whose record is whose: merges, what takes them back, and visits that move (HL7 v2 chapter 3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from adapter.domain.observation import BEGINNING
from adapter.domain.patient import PatientId


@dataclass(frozen=True, slots=True)
class Merge:
    """`merged` is from now on `survivor`. `at` is the sender's time, here and below."""

    merged: PatientId
    survivor: PatientId
    at: datetime = BEGINNING

    @property
    def records(self) -> tuple[PatientId, PatientId]:
        return self.merged, self.survivor


@dataclass(frozen=True, slots=True)
class Unlink:
    """The two are not one person, whatever was said before."""

    one: PatientId
    other: PatientId
    at: datetime = BEGINNING

    @property
    def records(self) -> tuple[PatientId, PatientId]:
        return self.one, self.other


@dataclass(frozen=True, slots=True)
class Move:
    """Visit `visit` of `source` is from now on visit `into` of `target`; with `account`, every visit of the account `visit`
    belongs to account `into` of `target` and keeps its number.
    """

    source: PatientId
    target: PatientId
    visit: str
    into: str
    at: datetime = BEGINNING
    account: bool = False

    @property
    def records(self) -> tuple[PatientId, PatientId]:
        return self.source, self.target


Tie = Merge | Unlink | Move


def in_force(ties: Iterable[Tie]) -> frozenset[Merge]:
    """The merges that nothing later took back.

    An unlink names the record that was merged away and the one it ended in, which need not be the one it was merged into:
    after A→B→C it is A and C that go apart, by undoing what was said of A.
    """
    said = set(ties)
    merges = {tie for tie in said if isinstance(tie, Merge) and tie.merged != tie.survivor}
    unlinks = [tie for tie in said if isinstance(tie, Unlink)]
    for unlink in sorted(unlinks, key=lambda u: (u.at, *sorted(u.records))):
        earlier = {merge for merge in merges if merge.at < unlink.at}
        for gone, kept in (unlink.records, unlink.records[::-1]):
            merges -= {m for m in earlier if m.merged == gone and kept in _led_to(m.survivor, earlier, but=gone)}
    return frozenset(merges)


def _led_to(start: PatientId, merges: set[Merge], but: PatientId) -> set[PatientId]:
    """Where a record ends by its merges, none of which passes through `but`."""
    found, waiting = {start}, [start]
    while waiting:
        one = waiting.pop()
        for merge in merges:
            if merge.merged == one and merge.survivor not in found and merge.survivor != but:
                found.add(merge.survivor)
                waiting.append(merge.survivor)
    return found
