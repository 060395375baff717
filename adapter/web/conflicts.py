"""Who is in doubt: numbers under which two persons were described, persons with two screening numbers, numbers two may claim."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from adapter.store import contested
from adapter.store.accounts import EVERYWHERE, Scope
from adapter.store.candidate_rows import CandidateRow
from adapter.store.database import Snapshot
from adapter.web.tongue import mark, say

TWO_PERSONS, TWO_NUMBERS, CLAIMED = "two-persons", "two-numbers", "claimed-number"
WORDS = {
    TWO_PERSONS: mark("Two persons were described under one hospital number"),
    TWO_NUMBERS: mark("One person has two screening numbers"),
    CLAIMED: mark("Screening numbers that two persons may claim"),
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """A candidate of whom nothing leaves until a person has answered on its page."""

    kind: str
    candidate: str
    trial: str

    @property
    def words(self) -> str:
        return say(WORDS[self.kind])


def doubts(rows: Sequence[CandidateRow]) -> list[Doubt]:
    """Of those people see."""
    kinds = (("described", TWO_PERSONS), ("screening_ids", TWO_NUMBERS))
    return [Doubt(kind, row.id, row.trial) for row in rows for key, kind in kinds if row.assessment.get(key)]


def counts(conn: Snapshot, rows: Sequence[CandidateRow], scope: Scope) -> dict[str, int]:
    """Of every kind, none too. A disputed number names no site: of some sites those count that a candidate there may claim."""
    found = Counter(one.kind for one in doubts(rows))
    among = None if scope == EVERYWHERE else {n for row in rows for n in row.assessment.get("screening_ids") or ()}
    return {TWO_PERSONS: found[TWO_PERSONS], TWO_NUMBERS: found[TWO_NUMBERS], CLAIMED: contested.number(conn, among)}
