"""The audit log: who saw and did what, append-only, each entry chained to the one before (reliability 4.2)."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from adapter.store.codec import canonical, instant, moment, storable
from adapter.store.locks import Lock, take
from adapter.store.schema import audit, candidates, screening_ids
from adapter.store.streaming import mapped

_HEAD = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_APPEND = insert(audit)
GENESIS = "0" * 64
"""What the first entry is chained to."""
PORTION = 64
"""Entries between two rests of `verify`: it is work in Python, which the threads that receive and screen want too."""


@dataclass(frozen=True, slots=True)
class Act:
    """Ids only, never a name or a value of a patient: erasure must not break the chain."""

    actor: str
    role: str
    action: str
    object_type: str = ""
    object_id: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    outcome: str = "ok"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AuditRow:
    seq: int
    at: datetime
    act: Act
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry; kept outside the host, it proves later that nothing was cut off (reliability P14)."""

    seq: int
    hash: str


def append(tx: Connection, act: Act, now: datetime) -> Head:
    """In the transaction of the act itself."""
    take(tx, Lock.TALLY)
    last = head(tx)
    row = {
        "seq": last.seq + 1,
        "at": instant(now),
        "actor": storable(act.actor),
        "role": act.role,
        "action": act.action,
        "object_type": act.object_type,
        "object_id": storable(act.object_id),
        "detail": canonical(dict(act.detail)),
        "outcome": act.outcome,
        "reason": storable(act.reason),
        "previous": last.hash,
    }
    digest = _hash(row)
    tx.execute(_APPEND, row | {"hash": digest})
    return Head(last.seq + 1, digest)


def head(conn: Connection) -> Head:
    """(0, genesis) before the first entry."""
    row = conn.execute(_HEAD).one_or_none()
    return Head(0, GENESIS) if row is None else Head(row.seq, row.hash)


def verify(conn: Connection, anchor: Head | None = None, between: Callable[[], None] = lambda: None) -> list[str]:
    """What is wrong with the chain, oldest first; empty when whole. Only with an anchor is a cut end noticed.

    `between` is called before each portion; what it raises ends the walk.
    """
    chain, problems = Chain(), list[str]()
    for number, row in enumerate(mapped(conn, select(audit).order_by(audit.c.seq))):
        if number % PORTION == 0:
            between()
        problems += chain.step(dict(row))
    return problems + ([] if anchor is None else anchored(conn, [anchor]))


@dataclass(slots=True)
class Chain:
    """Walks from entry to entry. `last` is where it stands; another than the beginning is what somebody vouches for."""

    last: Head = Head(0, GENESIS)

    def step(self, row: dict[str, Any]) -> list[str]:
        """What is wrong with this entry, the next one."""
        before, self.last = self.last, Head(row["seq"], row["hash"])
        return list(_problems(row, before))


def _problems(row: dict[str, Any], before: Head) -> Iterator[str]:
    if row["seq"] != before.seq + 1:
        yield f"entries {before.seq + 1} to {row['seq'] - 1} are missing"
    if row["previous"] != before.hash:
        yield f"entry {row['seq']} is not chained to the entry before it"
    if row.pop("hash") != _hash(row):
        yield f"entry {row['seq']} was changed"


def anchored(conn: Connection, heads: Sequence[Head]) -> list[str]:
    """What is wrong with entries that were noted outside the store: a cut end, a log written anew."""
    wanted = select(audit.c.seq, audit.c.hash).where(audit.c.seq.in_({one.seq for one in heads}))
    there = {row.seq: row.hash for row in conn.execute(wanted)} | {0: GENESIS}
    newest, problems = head(conn).seq, []
    for one in heads:
        if one.seq > newest:
            problems.append(f"entries {newest + 1} to {one.seq} are missing at the end")
        elif there.get(one.seq) != one.hash:
            problems.append(f"entry {one.seq} is not the one that was anchored")
    return problems


def portion(conn: Connection, after: int, upto: int, most: int) -> list[dict[str, Any]]:
    """Entries as they are stored, column by column, behind number `after`."""
    wanted = select(audit).where(audit.c.seq > after, audit.c.seq <= upto).order_by(audit.c.seq).limit(most)
    return [dict(row) for row in conn.execute(wanted).mappings()]


def counted(conn: Connection, after: int, upto: int) -> dict[tuple[str, str], int]:
    """Entries behind number `after`, by action and outcome."""
    wanted = select(audit.c.action, audit.c.outcome, func.count()).where(audit.c.seq > after, audit.c.seq <= upto)
    return {
        (action, outcome): number
        for action, outcome, number in conn.execute(wanted.group_by(audit.c.action, audit.c.outcome))
    }


def trials_of(conn: Connection, names: Collection[str]) -> dict[str, str]:
    """Of the worklist's ids and of screening numbers, as far as they are known."""
    wanted = select(candidates.c.id, candidates.c.trial).where(candidates.c.id.in_(names))
    numbers = select(screening_ids.c.screening_id, screening_ids.c.trial).where(screening_ids.c.screening_id.in_(names))
    return {name: trial for rows in (wanted, numbers) for name, trial in conn.execute(rows)}


def _hash(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(dict(row)).encode()).hexdigest()


def newest(conn: Connection, limit: int, *, actor: str | None = None, without: Collection[str] = ()) -> list[AuditRow]:
    """Newest first; of one actor, or without what is about some kinds of objects."""
    wanted = select(audit).order_by(audit.c.seq.desc()).limit(limit)
    if actor is not None:
        wanted = wanted.where(audit.c.actor == actor)
    if without:
        wanted = wanted.where(audit.c.object_type.not_in(without))
    return [_read(row) for row in conn.execute(wanted).mappings()]


def listing(conn: Connection, *, limit: int | None = None, after: int = 0) -> Iterator[AuditRow]:
    """Oldest first, as a stream."""
    wanted = select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(limit)
    yield from map(_read, mapped(conn, wanted))


def _read(row: Any) -> AuditRow:
    names = ("actor", "role", "action", "object_type", "object_id", "outcome", "reason")
    act = Act(**{name: row[name] for name in names}, detail=json.loads(row["detail"]))
    return AuditRow(row["seq"], moment(row["at"]), act, row["previous"], row["hash"])
