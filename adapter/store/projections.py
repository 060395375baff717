"""What follows from the inbox and can be made again: its messages read once more, and the tables they lead to."""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, delete, func, insert, select, update

from adapter.domain.message import MessageKind
from adapter.domain.patient import PatientId
from adapter.store import codec, emptied, persons
from adapter.store.erased import erased_messages, opt_outs
from adapter.store.identities import unjudged
from adapter.store.inbox import Item, read_item
from adapter.store.locks import advance
from adapter.store.patients import key_of, names_of
from adapter.store.quarantine import DISCARDED
from adapter.store.schema import (
    candidate_aliases,
    candidate_history,
    candidates,
    contested_ids,
    inbox,
    inbox_outcomes,
    inbox_pending,
    patients,
    results,
    screening_ids,
    statements,
    ties,
)
from adapter.store.streaming import in_runs, mapped

STATE = (patients, ties, results, statements)
WORKLIST = (candidates, candidate_history, candidate_aliases)


@dataclass(frozen=True, slots=True)
class Span:
    """Which ended messages are told again: those received at or after `since`, or all."""

    since: datetime | None = None

    def rows(self) -> tuple[Any, ...]:
        started = () if self.since is None else (inbox.c.received >= codec.instant(self.since),)
        # What a person gave up stays given up, what was erased cannot be read; what still waits is the daemon's.
        emptied = inbox.c.id.not_in(select(erased_messages.c.id))
        # A canary was judged when it was told; here nothing is judged before the end.
        theirs = inbox.c.kind != str(MessageKind.CANARY)
        return (*started, emptied, theirs, inbox_outcomes.c.reason.is_distinct_from(DISCARDED))


def told(conn: Connection, span: Span, after: int, limit: int) -> list[Item]:
    """Ended messages behind `after`, oldest first, with their bytes."""
    wanted = select(inbox).join(inbox_outcomes, inbox_outcomes.c.id == inbox.c.id)
    found = conn.execute(wanted.where(inbox.c.id > after, *span.rows()).order_by(inbox.c.id).limit(limit))
    return [read_item(row, attempts=0) for row in found]


def admit(tx: Connection, items: Sequence[Item]) -> None:
    """Into a second store, to be processed there: under their own ids, without their bytes."""
    tx.execute(insert(inbox), [_headless(item) for item in items])
    tx.execute(
        insert(inbox_pending), [{"id": item.id, "source": codec.storable(item.message.source)} for item in items]
    )


def _headless(item: Item) -> dict[str, object]:
    said = item.message
    words = {name: codec.storable(getattr(said, name)) for name in ("source", "sender", "control_id", "type")}
    fixed = {"site": said.site, "kind": said.kind.value, "peer": said.peer, "quarantine": said.quarantine}
    digest = hashlib.sha256(said.body).digest()
    empty = {"sha256": digest, "acknowledgment": b"", "body": b""}
    return {"id": item.id, "received": codec.instant(said.received), **words, **fixed, **empty}


def waiting(conn: Connection) -> set[int]:
    return set(conn.execute(select(inbox_pending.c.id)).scalars())


def people(conn: Connection) -> tuple[list[PatientId], list[PatientId]]:
    """Every identifier in its order: those that stand alone, and those that are tied to others."""
    found: tuple[list[PatientId], list[PatientId]] = [], []
    for *who, knot in conn.execute(select(*(patients.c[n] for n in ("site", "authority", "value", "knot")))):
        found[knot is not None].append(PatientId(*who))
    return sorted(found[0]), sorted(found[1])


def seed_state(source: Connection, tx: Connection, span: Span) -> None:
    """The state on record without what the messages of the span said of it: they are told again. Names and ties stay: of names
    nobody keeps which message said them, and a tie that is told again is the same.
    """
    again = set(source.execute(select(inbox.c.id).join(inbox_outcomes).where(*span.rows())).scalars())
    for table in (patients, ties):
        _carry(source, tx, table)
    for row in mapped(source, select(results)):
        versions = codec.read_versions(row["versions"])
        kept = tuple(version for version in versions if int(version.message) not in again)
        if kept:
            changed = {"versions": codec.versions_text(kept), "effective": codec.instant(kept[-1].effective)}
            tx.execute(insert(results), dict(row) | changed)
    for row in mapped(source, select(statements)):
        if int(json.loads(row["body"]).get("message", 0)) not in again:  # what a person said is told again as it was
            tx.execute(insert(statements), dict(row))


def seed_erased(source: Connection, tx: Connection, *, whole: bool) -> None:
    """Who wants no part; and where the `whole` inbox is told, what emptied messages said of others, their merges and moves, too:
    nobody can tell it again. Their names come with it.
    """
    for row in mapped(source, select(opt_outs)):
        tx.execute(insert(opt_outs), dict(row))
    gone = set(emptied.shared(source)) if whole else set()
    if not gone:
        return
    columns = (patients.c.site, patients.c.authority, patients.c.value, patients.c.demographics)
    for row in mapped(source, select(results, *columns).join(patients, patients.c.key == results.c.patient)):
        said = codec.read_versions(row["versions"])
        kept = tuple(version for version in said if int(version.message) in gone)
        if kept:
            changed = {"versions": codec.versions_text(kept), "effective": codec.instant(kept[-1].effective)}
            tx.execute(insert(results), _seeded(tx, row, results) | changed)
    for row in mapped(source, select(statements, *columns).join(patients, patients.c.key == statements.c.patient)):
        if int(json.loads(row["body"]).get("message", 0)) in gone:
            tx.execute(insert(statements), _seeded(tx, row, statements))
    _seed_ties(source, tx, gone)


def _seed_ties(source: Connection, tx: Connection, gone: Collection[int]) -> None:
    for tie, message in persons.stated(source, gone):
        for who in tie.records:
            _named(tx, who, names_of(source, who))
        persons.record(tx, persons.knot(tx, tie.records[0], tie), [tie], message)


def _seeded(tx: Connection, row: Any, table: Table) -> dict[str, Any]:
    """The row with its patient in the other store."""
    key = _named(tx, PatientId(row["site"], row["authority"], row["value"]), row["demographics"])
    return {column.name: row[column.name] for column in table.columns} | {"patient": key}


def _named(tx: Connection, who: PatientId, demographics: str) -> int:
    """The key of the patient, who goes by this name."""
    key = key_of(tx, who)
    tx.execute(update(patients).where(patients.c.key == key).values(demographics=demographics))
    return key


def seed_worklist(source: Connection, tx: Connection) -> None:
    """What people see, were told and did: no message says it again."""
    wanted = select(candidates, patients.c.site, patients.c.authority, patients.c.value)
    for row in source.execute(wanted.join(patients).order_by(candidates.c.id)).mappings():
        patient = PatientId(row["site"], row["authority"], row["value"])
        columns = {column.name: row[column.name] for column in candidates.columns}
        tx.execute(insert(candidates), columns | {"patient": key_of(tx, patient)})
    for table in (candidate_history, candidate_aliases, screening_ids, contested_ids):
        _carry(source, tx, table)


def replace_all(source: Connection, tx: Connection) -> None:
    """The projections of the second store instead of ours, in our one transaction."""
    for table in reversed((*STATE, *WORKLIST, unjudged)):
        tx.execute(delete(table))
    for table in (*STATE, *WORKLIST):
        _carry(source, tx, table)
    advance(tx, patients.c.key, candidate_history.c.id)


def _carry(source: Connection, tx: Connection, table: Table) -> None:
    for rows in in_runs(source, _rows_of(table)):
        tx.execute(insert(table), rows)


def _rows_of(table: Table) -> Select[Any]:
    """Patients whom others were merged into come before those: a row points to what is there already."""
    return select(table).order_by(patients.c.merged_into.is_not(None)) if table is patients else select(table)


def lines(conn: Connection) -> Iterator[str]:
    """State and worklist as canonical text, one line a row, sorted; keys and the time of the last look left out.

    Two stores with the same lines believe the same and show the same.
    """
    names = {key: list(who) for key, *who in conn.execute(select(*list(patients.c)[:4]))}
    found = []
    for table in (*STATE, candidates):
        for row in conn.execute(select(table)).mappings():
            said = {name: value for name, value in row.items() if name not in {"key", "evaluated_at"}}
            named = ("patient", "one", "other", "merged_into", "knot")
            said |= {name: names[said[name]] for name in named if said.get(name) is not None}
            found.append(codec.canonical([table.name, said]))
    yield from sorted(found)


def count(conn: Connection) -> int:
    """How many persons are known."""
    return conn.execute(select(func.count()).where(patients.c.merged_into.is_(None))).scalar_one()
