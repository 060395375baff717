"""What erasing a person does with each table of the store: all of them stand here (docs/adr/0044)."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, select, update

from adapter.domain.patient import PatientId, PatientState
from adapter.store import (
    calling,
    emptied,
    erased,
    erased_episodes,
    missed_cases,
    people,
    polls,
    schema,
    screening_ids,
    team,
)
from adapter.store.identities import contested_ids, ties, unjudged
from adapter.store.patients import key_if_known
from adapter.store.secret import SiteSecret

AT_ONCE = emptied.AT_ONCE


@dataclass(frozen=True, slots=True)
class Whom:
    """What a person is known by in the store: rows, the hospital's numbers, worklist ids of now and formerly, screening numbers,
    messages (and whether each speaks of others too).
    """

    keys: tuple[int, ...]
    known_as: frozenset[str]
    candidates: tuple[str, ...]
    numbers: tuple[str, ...]
    messages: Mapping[int, bool]
    reasons: frozenset[str]
    cause: str
    at: datetime

    @property
    def subjects(self) -> tuple[str, ...]:
        """What deliveries are about."""
        return (*self.candidates, *self.numbers)


Act = Callable[[Connection, Whom], int]


@dataclass(frozen=True, slots=True)
class Fate:
    """In words, and done: how many rows."""

    words: str
    act: Act | None = None


def _gone(column: Column[Any], of: str) -> Act:
    """Rows whose `column` is one of these."""

    def act(tx: Connection, whom: Whom) -> int:
        runs = _runs(tuple(getattr(whom, of)))
        return sum(tx.execute(delete(column.table).where(column.in_(run))).rowcount for run in runs)

    return act


def _runs(found: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    yield from (found[first : first + AT_ONCE] for first in range(0, len(found), AT_ONCE))


def _both(*acts: Act) -> Act:
    return lambda tx, whom: sum(act(tx, whom) for act in acts)


def _emptied(tx: Connection, whom: Whom) -> int:
    return emptied.empty(tx, whom.messages, (whom.cause, whom.at), whom.known_as)


def _unsaid(tx: Connection, whom: Whom) -> int:
    table = missed_cases.missed_cases
    one = update(table).where(table.c.candidate.in_(whom.candidates))
    return tx.execute(one.values(candidate="", note="")).rowcount


def _forget_searches(tx: Connection, _whom: Whom) -> int:
    return tx.execute(update(people.sessions).where(people.sessions.c.ways != "").values(ways="")).rowcount


def _apart(tx: Connection, whom: Whom) -> int:
    """Nobody points to what will be gone; who is left of a knot is tied anew by the caller."""
    for pointer in (schema.patients.c.merged_into, schema.patients.c.knot):
        tx.execute(update(schema.patients).where(pointer.in_(whom.keys)).values({pointer.name: None}))
    return _both(_gone(ties.c.one, "keys"), _gone(ties.c.other, "keys"))(tx, whom)


NOTHING, STAFF = "nothing: numbers and codes, no patient", "nothing: of the people who work here"

STAFF_TABLES = (
    *(
        people.users,
        people.sign_in_tokens,
        people.recovery_codes,
        people.proposals,
        people.break_glass,
    ),
    team.looks,
)

FATES: Mapping[Table, Fate] = {
    schema.inbox: Fate("the bytes go, and a control id that holds the number; row, hash, size and fate stay", _emptied),
    schema.inbox_pending: Fate("what waits ends as ignored (with `inbox`)"),
    schema.inbox_outcomes: Fate("what was odd is unsaid; quarantined becomes ignored (with `inbox`)"),
    schema.unmapped: Fate("what these messages counted is taken back (with `inbox`)"),
    schema.feeds: Fate("the counts of endings follow (with `inbox`)"),
    erased.erased_messages: Fate("one row a message: when, why and how long it was (with `inbox`)"),
    polls.resources: Fate("gone: the server is asked again for what else it holds", _gone(polls.resources.c.message, "messages")),
    erased.erased_episodes: Fate("one row an episode, by days and without identifiers", erased_episodes.keep),
    team.claims: Fate("gone", _gone(team.claims.c.candidate, "candidates")),
    team.candidate_notes: Fate("gone", _gone(team.candidate_notes.c.candidate, "candidates")),
    team.seen: Fate("gone", _gone(team.seen.c.candidate, "candidates")),
    calling.calls: Fate("gone", _gone(calling.calls.c.candidate, "candidates")),
    calling.openings: Fate("gone", _gone(calling.openings.c.candidate, "candidates")),
    missed_cases.missed_cases: Fate("the case stays and is counted; worklist id and note go", _unsaid),
    schema.outbox: Fate("gone, sent or not: nothing more goes out", _gone(schema.outbox.c.subject, "subjects")),
    schema.outbox_remotes: Fate("gone", _gone(schema.outbox_remotes.c.subject, "subjects")),
    contested_ids: Fate("gone", _gone(contested_ids.c.screening_id, "numbers")),
    schema.screening_ids: Fate("gone: a number the EDC holds leads nowhere any more", _gone(schema.screening_ids.c.screening_id, "numbers")),
    schema.candidate_history: Fate("gone", _gone(schema.candidate_history.c.candidate, "candidates")),
    schema.candidate_aliases: Fate("gone", _gone(schema.candidate_aliases.c.candidate, "candidates")),
    schema.candidates: Fate("gone, once `erased_episodes` counts them", _gone(schema.candidates.c.id, "candidates")),
    unjudged: Fate("gone", _gone(unjudged.c.patient, "keys")),
    schema.statements: Fate("gone: visits, drugs, diagnoses, answers and decisions", _gone(schema.statements.c.patient, "keys")),
    schema.results: Fate("gone", _gone(schema.results.c.patient, "keys")),
    ties: Fate("gone", _apart),
    schema.patients: Fate("gone: number, name, date of birth", _gone(schema.patients.c.key, "keys")),
    erased.opt_outs: Fate("with --opt-out a keyed hash of each number, else nothing"),
    schema.audit: Fate("never touched: it holds ids only, and one entry more"),
    schema.analytes: Fate(NOTHING),
    schema.marks: Fate(NOTHING),
    polls.bookmarks: Fate(NOTHING),
    people.identity_proposals: Fate("gone", _gone(people.identity_proposals.c.candidate, "candidates")),
    people.sessions: Fate("what anybody searched for goes, sealed as it is", _forget_searches),
    calling.messages: Fate("nothing: who was told and when, not of whom"),
    **dict.fromkeys(STAFF_TABLES, Fate(STAFF)),
}  # fmt: skip
"""In this order, which the foreign keys want."""


@dataclass(frozen=True, slots=True)
class Why:
    """The cause, when, and the reason codes of the trials."""

    cause: str
    at: datetime
    reasons: frozenset[str]


def whom(
    conn: Connection, secret: SiteSecret, records: Collection[PatientId], messages: Mapping[int, bool], why: Why
) -> Whom:
    """As the store knows the person with these records."""
    keys = tuple(key for one in sorted(records) if (key := key_if_known(conn, one)) is not None)
    mine, former = schema.candidates.c, schema.candidate_aliases.c
    now = tuple(conn.execute(select(mine.id).where(mine.patient.in_(keys)).order_by(mine.id)).scalars())
    once = tuple(conn.execute(select(former.former).where(former.candidate.in_(now)).order_by(former.former)).scalars())
    numbers = tuple(screening_ids.of(conn, secret, records))
    known_as = frozenset(one.value for one in records)
    return Whom(keys, known_as, now + once, numbers, messages, why.reasons, why.cause, why.at)


def erase(tx: Connection, whom: Whom) -> dict[str, int]:
    """By table that lost anything: how many rows."""
    done = {table.name: fate.act(tx, whom) for table, fate in FATES.items() if fate.act is not None}
    return {name: number for name, number in done.items() if number}


def take_out(tx: Connection, record: PatientId, theirs: PatientState) -> None:
    """Results that stand under the record of somebody else: a visit that moved."""
    key = key_if_known(tx, record)
    table = schema.results.c
    identities = tuple(one.identity for known in theirs.results.values() for one in known)
    for run in _runs(identities):
        tx.execute(delete(schema.results).where(table.patient == key, table.identity.in_(run)))
