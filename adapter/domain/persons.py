"""Which identifiers are one person, and where a visit belongs, from all that was ever stated, in any order (docs/adr/0021).

A merge says "`merged` is from now on `survivor`". Chains, reversed chains and cycles are all the same question: which
identifiers hang together, and which of them names the person. Arrival order is never asked.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from adapter.domain.patient import PatientId
from adapter.domain.ties import Merge, Move, Tie, in_force


@dataclass(frozen=True, slots=True)
class Person:
    """`name` is the identifier all others of `members` were merged into; in a cycle the smallest of them."""

    name: PatientId
    members: frozenset[PatientId]
    cycle: bool = False


@dataclass(frozen=True)
class Knot:
    """Records that statements tie together, and the persons they are: one after a merge, several where one was taken back
    or a visit moved. Whoever speaks of one of its records may change what holds of all its persons.
    """

    persons: tuple[Person, ...]
    moves: tuple[Move, ...]
    """By the sender's time."""

    @cached_property
    def _person(self) -> dict[PatientId, Person]:
        return {record: person for person in self.persons for record in person.members}

    @property
    def root(self) -> PatientId:
        """What the knot is kept by."""
        return self.persons[0].name

    @property
    def records(self) -> list[PatientId]:
        return sorted(self._person)

    def person(self, record: PatientId) -> Person:
        return self._person[record]

    def name(self, record: PatientId) -> PatientId:
        return self._person[record].name

    def place(self, record: PatientId, visit: str, accounts: Collection[str] = ()) -> tuple[PatientId, str]:
        """Whose visit it is now, and by which number, of what was said of `record`: the moves of its person, one after
        the other.
        """
        name, number, held = self.name(record), visit, set(accounts)
        for move in self.moves:
            if self.name(move.source) != name:
                continue
            if move.account and (move.visit == number or move.visit in held):
                name, held = self.name(move.target), {move.into}
            elif not move.account and move.visit == number:
                name, number = self.name(move.target), move.into
        return name, number


def knot_of(records: Iterable[PatientId], ties: Iterable[Tie]) -> Knot:
    """The persons of `records` and of all records that `ties` name."""
    known = set(ties)
    merges = in_force(known)
    waiting = set(records) | {record for tie in known for record in tie.records}
    persons = []
    while waiting:
        found = _hanging_together(min(waiting), merges)
        waiting -= found.members
        persons.append(found)
    moves = (tie for tie in known if isinstance(tie, Move))
    return Knot(
        tuple(sorted(persons, key=lambda p: p.name)),
        tuple(sorted(moves, key=lambda m: (m.at, m.source, m.target, m.visit, m.into, m.account))),
    )


def person_of(patient: PatientId, ties: Iterable[Tie]) -> Person:
    """The person behind an identifier, given what ties it to others directly or through others."""
    return _hanging_together(patient, in_force(ties))


def _hanging_together(patient: PatientId, merges: frozenset[Merge]) -> Person:
    members, waiting = {patient}, [patient]
    while waiting:
        one = waiting.pop()
        for merge in merges:
            if one in merge.records:
                new = set(merge.records) - members
                members |= new
                waiting += new
    survivors = members - {merge.merged for merge in merges}
    return Person(min(survivors or members), frozenset(members), cycle=not survivors)
