"""Which identifiers are one person, from the merges ever stated, in any order (HL7 v2 chapter 3, A40).

A merge says "`merged` is from now on `survivor`". Chains, reversed chains and cycles are all the same question: which
identifiers hang together, and which of them names the person. Arrival order is never asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from adapter.domain.patient import PatientId


@dataclass(frozen=True, slots=True)
class Merge:
    merged: PatientId
    survivor: PatientId


@dataclass(frozen=True, slots=True)
class Person:
    """`name` is the identifier all others of `members` were merged into; in a cycle the smallest of them."""

    name: PatientId
    members: frozenset[PatientId]
    cycle: bool = False


def person_of(patient: PatientId, merges: Iterable[Merge]) -> Person:
    """The person behind an identifier, given the merges that touch it directly or through others."""
    known = set(merges)
    members, waiting = {patient}, [patient]
    while waiting:
        one = waiting.pop()
        for merge in known:
            for other in (merge.merged, merge.survivor):
                if one in (merge.merged, merge.survivor) and other not in members:
                    members.add(other)
                    waiting.append(other)
    gone = {merge.merged for merge in known if merge.merged != merge.survivor and merge.merged in members}
    survivors = members - gone
    return Person(min(survivors or members), frozenset(members), cycle=not survivors)
