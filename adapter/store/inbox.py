"""The inbox: every message as it came, stored once; what became of it; and the counts that must add up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, Select, bindparam, cast, delete, func, insert, select, update

from adapter.domain.issue import Issue
from adapter.domain.message import MessageKind, MessageState, RawMessage
from adapter.store import unmapped
from adapter.store.codec import canonical, instant, moment, moment_or_none, storable
from adapter.store.columns import NUMBER
from adapter.store.erased import erased_messages
from adapter.store.inbox_put import put_many
from adapter.store.locks import Lock, take
from adapter.store.partitions import ALL
from adapter.store.schema import feeds, inbox, inbox_outcomes, inbox_pending
from adapter.store.streaming import streamed

__all__ = [
    "Ending",
    "InboxCounts",
    "InboxRow",
    "Item",
    "counts",
    "failed",
    "find",
    "finish",
    "finish_many",
    "listing",
    "pending",
    "put_many",
    "raw",
    "read_item",
    "state",
]

AT_ONCE_BYTES = 4 * 1024 * 1024
"""Messages in memory at a time for screening: more only where one alone is bigger."""


@dataclass(frozen=True, slots=True)
class Item:
    """A stored message that waits; `attempts` counts the tries that failed, `again`: it was read before (store/again.py)."""

    id: int
    message: RawMessage
    attempts: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a message at `at`; `reason` is a stable code, `ledger` the coverage ledger's JSON."""

    state: MessageState
    at: datetime
    reason: str | None = None
    ledger: Mapping[str, int] | None = None
    issues: Sequence[Issue] = ()


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """`received` = applied + duplicate + ignored + quarantined + pending (reliability R11).

    Each is counted where it happens: what came by the ids given (they have no gaps), what waits in the waiting
    list, what ended with the ending.
    """

    received: int
    applied: int
    duplicate: int
    ignored: int
    quarantined: int
    pending: int
    control_id_reuse: int
    oldest_pending: datetime | None
    last_received: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class InboxRow:
    id: int
    source: str
    control_id: str
    type: str
    received: datetime
    state: MessageState
    reason: str | None
    sha256: str
    duplicates: int
    erased: datetime | None


_MESSAGE = (
    inbox.c.source,
    inbox.c.site,
    inbox.c.kind,
    inbox.c.body,
    inbox.c.received,
    inbox.c.sender,
    inbox.c.control_id,
    inbox.c.type,
    inbox.c.peer,
    inbox.c.quarantine,
    inbox.c.acknowledgment,
)

_PENDING = (
    select(inbox_pending.c.id, inbox_pending.c.attempts, inbox_pending.c.again, *_MESSAGE)
    .join(inbox, inbox.c.id == inbox_pending.c.id)
    .order_by(inbox_pending.c.id)
    .limit(bindparam("limit"))
)

_BEYOND = select(inbox_pending.c.id).order_by(inbox_pending.c.id).offset(bindparam("number")).limit(1)

_PENDING_OF = _PENDING.where(inbox_pending.c.partition.in_(bindparam("partitions", expanding=True)))

_NOT_PENDING = delete(inbox_pending).where(inbox_pending.c.id == bindparam("item"))

_ENDED = (
    select(inbox.c.source, func.count().label("number"))
    .where(inbox.c.id.in_(bindparam("items", expanding=True)))
    .group_by(inbox.c.source)
    .subquery()
)

_COUNT = {
    state: update(feeds)
    .where(feeds.c.source == _ENDED.c.source)
    .values({str(state): feeds.c[str(state)] + _ENDED.c.number})
    for state in (MessageState.APPLIED, MessageState.IGNORED, MessageState.QUARANTINED)
}


def pending(conn: Connection, limit: int, partitions: frozenset[int] = ALL) -> list[Item]:
    """What waits in these partitions of patients, oldest first; fewer than `limit` where they are big."""
    taken: list[Item] = []
    size = 0
    for row in _waiting(conn, limit, partitions):
        taken.append(read_item(row, row.attempts, again=bool(row.again)))
        size += len(row.body)
        if size >= AT_ONCE_BYTES:
            break
    return taken


def more_wait_than(conn: Connection, number: int) -> bool:
    """Counted no further than that."""
    return conn.execute(_BEYOND, {"number": number}).first() is not None


def _waiting(conn: Connection, limit: int, partitions: frozenset[int]) -> CursorResult[Any]:
    if partitions == ALL:
        return conn.execute(_PENDING, {"limit": limit})
    return conn.execute(_PENDING_OF, {"limit": limit, "partitions": sorted(partitions)})


def read_item(row: Any, attempts: int, *, again: bool = False) -> Item:
    message = RawMessage(
        source=row.source,
        site=row.site,
        kind=MessageKind(row.kind),
        body=row.body,
        received=moment(row.received),
        sender=row.sender,
        control_id=row.control_id,
        type=row.type,
        peer=row.peer,
        quarantine=row.quarantine,
        acknowledgment=row.acknowledgment,
    )
    return Item(row.id, message, attempts, again)


def finish(tx: Connection, item_id: int, ending: Ending) -> None:
    """The message is done; raises LookupError when it was not waiting (it is finished once)."""
    finish_many(tx, [(item_id, ending)])


def finish_many(tx: Connection, endings: Sequence[tuple[int, Ending]]) -> None:
    """As `finish`, for the messages of a batch: a handful of statements, however many they are."""
    if not endings:
        return
    items = [{"item": item_id} for item_id, _ in endings]
    if tx.execute(_NOT_PENDING, items).rowcount != len(items):
        raise LookupError(f"not all are pending: message {', '.join(str(item_id) for item_id, _ in endings)}")
    tx.execute(insert(inbox_outcomes), [_outcome(item_id, ending) for item_id, ending in endings])
    take(tx, Lock.TALLY)
    unmapped.add(tx, ((item_id, ending.issues) for item_id, ending in endings))
    for state, count in _COUNT.items():
        ended = [item_id for item_id, ending in endings if ending.state is state]
        if ended:
            tx.execute(count, {"items": ended})


def _outcome(item_id: int, ending: Ending) -> dict[str, object]:
    return {
        "id": item_id,
        "state": str(ending.state),
        "reason": ending.reason,
        "ledger": None if ending.ledger is None else canonical(dict(ending.ledger)),
        "issues": canonical([asdict(issue) for issue in ending.issues]),
        "finished": instant(ending.at),
    }


def failed(tx: Connection, item_id: int, error_code: str) -> int:
    """One try more that failed; the message keeps waiting. Returns how many tries there were."""
    waiting = inbox_pending.c.id == item_id
    tx.execute(
        update(inbox_pending).where(waiting).values(attempts=inbox_pending.c.attempts + 1, error=storable(error_code))
    )
    attempts: int = tx.execute(select(inbox_pending.c.attempts).where(waiting)).scalar_one()
    return attempts


def counts(conn: Connection) -> InboxCounts:
    names = ("applied", "duplicate", "ignored", "quarantined", "control_id_reuse")
    sums = (cast(func.coalesce(func.sum(feeds.c[name]), 0), NUMBER).label(name) for name in names)
    total = conn.execute(select(*sums)).one()
    waiting = conn.execute(select(func.count()).select_from(inbox_pending)).scalar_one()
    stored = conn.execute(select(func.coalesce(func.max(inbox.c.id), 0))).scalar_one()
    oldest = select(func.min(inbox_pending.c.id)).scalar_subquery()
    received = conn.execute(select(inbox.c.received).where(inbox.c.id == oldest)).scalar()
    last = conn.execute(select(feeds.c.source, feeds.c.last_received))
    return InboxCounts(
        **total._asdict(),
        received=stored + total.duplicate,
        pending=waiting,
        oldest_pending=moment_or_none(received),
        last_received={source: moment(at) for source, at in last},
    )


_ALL = inbox.outerjoin(inbox_outcomes, inbox_outcomes.c.id == inbox.c.id).outerjoin(
    erased_messages, erased_messages.c.id == inbox.c.id
)


def _rows() -> Select[Any]:
    return select(
        inbox.c.id,
        inbox.c.source,
        inbox.c.control_id,
        inbox.c.type,
        inbox.c.received,
        inbox_outcomes.c.state,
        inbox_outcomes.c.reason,
        inbox.c.sha256,
        inbox.c.duplicates,
        erased_messages.c.at.label("erased"),
    ).select_from(_ALL)


def listing(conn: Connection, *, limit: int | None = None, last: int | None = None, of: str = "") -> Iterator[InboxRow]:
    """Oldest first, as a stream; all of it, or `of` a source, unless limited to the first or the `last`."""
    theirs = [inbox.c.source == of] if of else []
    if last is not None:
        newest = select(inbox.c.id).where(*theirs).order_by(inbox.c.id.desc()).limit(last)
        theirs = [inbox.c.id.in_(newest)]
    yield from map(_row, streamed(conn, _rows().where(*theirs).order_by(inbox.c.id).limit(limit)))


def find(conn: Connection, inbox_id: int) -> InboxRow | None:
    row = conn.execute(_rows().where(inbox.c.id == inbox_id)).one_or_none()
    return None if row is None else _row(row)


def _row(row: Any) -> InboxRow:
    return InboxRow(
        id=row.id,
        source=row.source,
        control_id=row.control_id,
        type=row.type,
        received=moment(row.received),
        state=MessageState.PENDING if row.state is None else MessageState(row.state),
        reason=row.reason,
        sha256=row.sha256.hex(),
        duplicates=row.duplicates,
        erased=moment_or_none(row.erased),
    )


def state(conn: Connection, inbox_id: int) -> MessageState | None:
    """`None` for an id that was never given."""
    row = find(conn, inbox_id)
    return None if row is None else row.state


def raw(conn: Connection, inbox_id: int) -> bytes:
    """The bytes as they came; raises LookupError for an id that was never given."""
    body = conn.execute(select(inbox.c.body).where(inbox.c.id == inbox_id)).scalar_one_or_none()
    if body is None:
        raise LookupError(f"no message {inbox_id}")
    return bytes(body)
