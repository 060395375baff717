"""Who is in doubt, and what was proposed: numbers of two persons, persons of two numbers, numbers two may claim."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from adapter.domain.overlay import SAME_PERSON
from adapter.errors import RejectedError
from adapter.pipeline.numbers import WHICH_NUMBER
from adapter.store import accounts, contested, doubted
from adapter.store.accounts import EVERYWHERE, Scope
from adapter.store.candidate_rows import CandidateRow
from adapter.store.database import Snapshot
from adapter.store.doubted import Proposed
from adapter.web import times
from adapter.web.roles import Right, may
from adapter.web.sessions import Visitor
from adapter.web.tongue import mark, say

TWO_PERSONS, TWO_NUMBERS, CLAIMED = "two-persons", "two-numbers", "claimed-number"
WORDS = {
    TWO_PERSONS: mark("Two persons were described under one hospital number"),
    TWO_NUMBERS: mark("One person has two screening numbers"),
    CLAIMED: mark("Screening numbers that two persons may claim"),
}
KINDS = ((SAME_PERSON, TWO_PERSONS), (WHICH_NUMBER, TWO_NUMBERS))
NOT_ONES_OWN = mark("Another investigator of this site must approve what you proposed.")
GONE = mark("This proposal was decided already, or the doubt is another one now. Look at the page again.")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A candidate of whom nothing leaves until it is settled on its page; `waits`: what was proposed, where anything was."""

    kind: str
    candidate: str
    trial: str
    waits: Proposed | None

    @property
    def words(self) -> str:
        return say(WORDS[self.kind])


@dataclass(frozen=True, slots=True)
class Question:
    """As a candidate's page asks it: what waits for an investigator, or what was sent back last and why."""

    waits: Proposed | None
    back: Proposed | None
    at: str
    approves: bool
    """Whether the reader may: nobody does what they proposed, unless nobody else could."""
    returns: bool
    approvers: tuple[str, ...]
    """Who may approve what waits, none where no investigator has an account for this site and trial. Nobody is mailed: they are called."""


def answers(row: CandidateRow) -> dict[str, tuple[str, ...]]:
    """What each open question can be answered with, as the message will hold it."""
    told = row.assessment or {}
    described = " ".join(told.get("described") or ())
    return {WHICH_NUMBER: tuple(told.get("screening_ids") or ()), SAME_PERSON: (described,) if described else ()}


def doubts(conn: Snapshot, rows: Sequence[CandidateRow]) -> list[Doubt]:
    """Of those people see."""
    return list(_doubts(conn, rows))


def _doubts(conn: Snapshot, rows: Sequence[CandidateRow]) -> Iterator[Doubt]:
    for row in rows:
        possible = answers(row)
        for question, kind in KINDS:
            if possible[question]:
                waits = doubted.waiting(conn, row.id, question, possible[question])
                yield Doubt(kind, row.id, row.trial, waits)


def counts(conn: Snapshot, rows: Sequence[CandidateRow], scope: Scope) -> dict[str, int]:
    """Of every kind, none too. A disputed number names no site: of some sites those count that a candidate there may claim."""
    found = Counter(kind for row in rows for question, kind in KINDS if answers(row)[question])
    among = None if scope == EVERYWHERE else {n for row in rows for n in row.assessment.get("screening_ids") or ()}
    return {TWO_PERSONS: found[TWO_PERSONS], TWO_NUMBERS: found[TWO_NUMBERS], CLAIMED: contested.number(conn, among)}


def open_one(conn: Snapshot, row: CandidateRow, number: int) -> Proposed:
    """Of this candidate; raises RejectedError for one that is decided, or can be no answer any more."""
    possible = answers(row)
    for one in doubted.of(conn, row.id):
        if one.id == number and one.state == doubted.OPEN and one.answer in possible.get(one.question, ()):
            return one
    raise RejectedError(GONE)


def others_approve(conn: Snapshot, row: CandidateRow, name: str) -> bool:
    """Whether an investigator of this site and trial has an account, other than `name`."""
    return any(one != name for one in _approve(conn, row))


def approvers(conn: Snapshot, row: CandidateRow) -> tuple[str, ...]:
    """Who may approve what is proposed of somebody in doubt. Of anybody else nobody is looked for."""
    return _approve(conn, row) if any(answers(row).values()) else ()


def _approve(conn: Snapshot, row: CandidateRow) -> tuple[str, ...]:
    known = (user for user in accounts.list_users(conn) if not user.disabled and may(user.role, Right.IDENTIFY))
    return tuple(user.name for user in known if user.scope.holds(row.patient.site, row.trial))


def questions(
    row: CandidateRow, proposed: Sequence[Proposed], reader: Visitor, who: tuple[str, ...], zone: tzinfo
) -> dict[str, Question]:
    """By question, of those that are open. `who`: all that may approve."""
    found = {}
    for question, possible in answers(row).items():
        if not possible:
            continue
        mine = [one for one in proposed if one.question == question]
        waits = doubted.newest_open(mine, question, possible)
        last = mine[-1] if mine else None
        back = last if waits is None and last is not None and last.state == doubted.SENT_BACK else None
        at: datetime | None = waits.at if waits else back.decided_at if back else None
        own, may_approve = waits is not None and waits.by == reader.name, reader.may(Right.IDENTIFY)
        others = tuple(name for name in who if waits and name != waits.by)
        found[question] = Question(
            waits=waits,
            back=back,
            at=times.local(at, zone),
            approves=may_approve and not (own and others),
            returns=may_approve or own,
            approvers=others or who,
        )
    return found
