"""Which screening id is a person's: one, or several until somebody chooses, or one that two persons may claim (reliability P9)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from adapter.domain.patient import Determination, PatientId, PatientState
from adapter.domain.persons import Person
from adapter.pipeline.knots import Contest, Torn
from adapter.store import contested, screening_ids
from adapter.store.contested import Dispute
from adapter.store.database import Snapshot
from adapter.store.secret import SiteSecret

WHICH_NUMBER = "screening-id"
"""The question a person answers when two records with a screening id each turn out to be one person, or the reverse."""


Answer = tuple[PatientId, Determination]
"""Of whom, and which."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """`own` is empty for somebody who has none, or while it is not known which: then `rivals` are asked about.

    `won`: it was disputed, and a person gave it to this one.
    """

    own: str = ""
    rivals: tuple[str, ...] = ()
    won: bool = False

    @property
    def all(self) -> tuple[str, ...]:
        return (self.own,) if self.own else self.rivals


@dataclass(frozen=True, slots=True)
class Register:
    """The screening ids of one trial, as the store holds them."""

    conn: Snapshot
    secret: SiteSecret
    trial: str

    def of(self, person: Person, states: Iterable[PatientState], contests: Iterable[Contest] = ()) -> Numbers:
        """`states` are those of all whose records hang together with the person's, `contests` those not yet on record."""
        known = (screening_ids.find(self.conn, self.secret, self.trial, member) for member in person.members)
        found = {number for number in known if number}
        disputed = contested.disputes(self.conn, self.secret, self.trial, person.members)
        fresh = {c.number for c in contests if c.trial == self.trial and _several(person, c)}
        if not disputed and not fresh and len(found) < 2:  # noqa: PLR2004 — two are one too many
            return Numbers(next(iter(found), ""))
        return _chosen(person, found, _answers(self.trial, states), disputed, fresh)

    def contests(self, torn: Torn) -> Iterator[Contest]:
        """What was theirs, or disputed already; two numbers that waited for a choice go back to where each came from."""
        had = self.of(torn.person, torn.states)
        disputed = contested.disputes(self.conn, self.secret, self.trial, torn.person.members)
        for number in (had.own, *had.rivals):
            if number and (number == had.own or number in disputed):
                yield Contest(self.trial, number, torn.among)


def _several(person: Person, contest: Contest) -> bool:
    return bool(person.members & contest.records) and bool(contest.records - person.members)


def _chosen(
    person: Person, found: set[str], answers: list[Answer], disputed: Mapping[str, Dispute], fresh: set[str]
) -> Numbers:
    winners: dict[str, PatientId | None] = {n: _winner(answers, n, dispute) for n, dispute in disputed.items()}
    winners |= dict.fromkeys(fresh)
    unclaimed = {number for number, winner in winners.items() if winner is None}
    mine = (found - winners.keys()) | {number for number, winner in winners.items() if winner == person.name}
    chosen = [said.note for who, said in answers if who == person.name and said.note in mine]
    if chosen:
        return Numbers(chosen[-1], won=chosen[-1] in winners)
    if unclaimed or len(mine) > 1:
        return Numbers(rivals=tuple(sorted(mine | unclaimed)))
    return Numbers(next(iter(mine), ""))


def _answers(trial: str, states: Iterable[PatientState]) -> list[Answer]:
    """Oldest first."""
    said = [
        (state.patient, answer)
        for state in states
        for answer in state.determinations
        if answer.trial == trial and answer.criterion == WHICH_NUMBER
    ]
    return sorted(said, key=lambda pair: (pair[1].at, pair[1].digest))


def _winner(answers: list[Answer], number: str, dispute: Dispute) -> PatientId | None:
    """Who was given the number first, since it is disputed: it is nobody else's then."""
    return next((who for who, said in answers if said.note == number and said.at >= dispute.since), None)
