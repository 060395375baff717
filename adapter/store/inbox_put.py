"""Storing a batch of messages: a handful of statements however many messages, because a sender waits for each."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from adapter.domain.message import RawMessage, Receipt
from adapter.store.codec import instant, instant_once, storable
from adapter.store.driver import Cursor
from adapter.store.driver import cursor as driver_cursor
from adapter.store.locks import Lock, take

Key = tuple[str, str, str, bytes]
"""(source, sender, control id, SHA-256 of the bytes): what makes a message the same one (decisions C3)."""

# Plain SQL on the driver's own cursor: bookkeeping round each statement would cost as much as the commit of a message.

ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

INSERT = """
INSERT INTO inbox (source, sender, control_id, sha256, site, kind, type, peer, received, quarantine, acknowledgment, body)
VALUES {rows} ON CONFLICT (source, sender, control_id, sha256) DO NOTHING
"""

INSERTS = {size: INSERT.format(rows=", ".join([ROW] * size)) for size in (64, 16, 4, 1)}
"""Many rows in one statement: the driver gives up the interpreter for each, and may wait for it behind who computes."""

LAST = "SELECT coalesce(max(id), 0) FROM inbox"

SINCE = "SELECT source, sender, control_id, sha256, id FROM inbox WHERE id > ?"

PENDING = "INSERT INTO inbox_pending (id, source) SELECT id, source FROM inbox WHERE id > ?"

STORED = "SELECT id, acknowledgment FROM inbox WHERE source = ? AND sender = ? AND control_id = ? AND sha256 = ?"

AGAIN = "UPDATE inbox SET duplicates = duplicates + 1 WHERE id = ?"

RESOLUTION = timedelta(seconds=1)
"""Of a feed's `last_received`: its row is written once a second, or when there is something to count."""

NEVER = datetime.min.replace(tzinfo=UTC)

# Known key fields with other bytes are counted here (decisions C3). `source || ''` keeps the planner on the few new ids:
# by source it would walk the whole inbox.
FEED = """
INSERT INTO feeds (source, duplicate, control_id_reuse, last_received) VALUES (?1, ?2, (
  SELECT count(*) FROM inbox AS new WHERE id > ?3 AND source || '' = ?1 AND control_id <> '' AND EXISTS (
    SELECT 1 FROM inbox AS old WHERE old.source = new.source AND old.sender = new.sender
    AND old.control_id = new.control_id AND old.id < new.id)), ?4)
ON CONFLICT (source) DO UPDATE SET duplicate = feeds.duplicate + excluded.duplicate,
  control_id_reuse = feeds.control_id_reuse + excluded.control_id_reuse,
  last_received = CASE WHEN feeds.last_received < excluded.last_received
    THEN excluded.last_received ELSE feeds.last_received END
WHERE feeds.last_received <= ?5 OR excluded.duplicate > 0 OR excluded.control_id_reuse > 0
"""


REUSED = """
SELECT count(*) FROM inbox AS new WHERE id > ? AND control_id <> '' AND EXISTS (
  SELECT 1 FROM inbox AS old WHERE old.source = new.source AND old.sender = new.sender
  AND old.control_id = new.control_id AND old.id < new.id)
"""
"""What `FEED` counts, asked alone where that row is not due."""


def put_many(tx: Connection, messages: Sequence[RawMessage]) -> list[Receipt]:
    """Receipts in the order of the messages; they are proof only after the transaction's commit.

    A message already there (in the store or earlier in the batch) makes no row: its row counts it, and its receipt
    carries the stored acknowledgment. Known key fields with other bytes make a new row and count as control-id reuse.
    """
    if not messages:
        return []
    take(tx, Lock.INBOX)
    return put_by(driver_cursor(tx), messages)


def put_by(cursor: Cursor, messages: Sequence[RawMessage], told: dict[str, datetime] | None = None) -> list[Receipt]:
    """The same where whoever stores is alone already, and inside a transaction.

    `told` remembers when the row of each feed was looked at, for who comes often.
    """
    rows = [_row(message) for message in messages]
    stored = _insert(cursor, rows)
    before = _last(cursor, stored) - stored
    if stored:
        cursor.execute(PENDING, (before,))
    if stored == len(rows):
        # All new, so they stand in this order behind the last one.
        receipts = [Receipt(before + n, False, message.acknowledgment) for n, message in enumerate(messages, 1)]  # noqa: FBT003 — not a duplicate
    else:
        receipts = list(_receipts(cursor, rows, messages, before))
    if told is None or stored < len(rows) or _due(told, messages) or cursor.execute(REUSED, (before,)).fetchone()[0]:
        _count(cursor, messages, receipts, before)
    return receipts


def _last(cursor: Cursor, stored: int) -> int:
    """The greatest id, which SQLite tells whoever just made a row."""
    if stored and cursor.lastrowid is not None:
        return cursor.lastrowid
    last: int = cursor.execute(LAST).fetchone()[0]
    return last


def _insert(cursor: Cursor, rows: Sequence[tuple[Any, ...]]) -> int:
    """In the order given; how many were new."""
    stored = start = 0
    for size, statement in INSERTS.items():
        while len(rows) - start >= size:
            cursor.execute(statement, [value for row in rows[start : start + size] for value in row])
            stored += cursor.rowcount
            start += size
    return stored


def _row(message: RawMessage) -> tuple[Any, ...]:
    return (
        storable(message.source),
        storable(message.sender),
        storable(message.control_id),
        hashlib.sha256(message.body).digest(),
        message.site,
        message.kind.value,
        storable(message.type),
        message.peer,
        instant_once(message.received),
        message.quarantine,
        message.acknowledgment,
        message.body,
    )


def _receipts(
    cursor: Cursor, rows: Sequence[tuple[Any, ...]], messages: Sequence[RawMessage], before: int
) -> Iterator[Receipt]:
    """Some were there already: the unique constraint has decided which, never a look beforehand (reliability R7)."""
    new: dict[Key, int] = {(a, b, c, d): inbox_id for a, b, c, d, inbox_id in cursor.execute(SINCE, (before,))}
    for row, message in zip(rows, messages, strict=True):
        inbox_id = new.pop(row[:4], None)
        if inbox_id is not None:
            yield Receipt(inbox_id, duplicate=False, acknowledgment=message.acknowledgment)
            continue
        known, acknowledgment = cursor.execute(STORED, row[:4]).fetchone()
        cursor.execute(AGAIN, (known,))
        yield Receipt(known, duplicate=True, acknowledgment=acknowledgment)


def _due(told: dict[str, datetime], messages: Sequence[RawMessage]) -> bool:
    """Whether some feed's row may have to say that a message came."""
    due = {one.source: one.received for one in messages if one.received - told.get(one.source, NEVER) >= RESOLUTION}
    told.update(due)
    return bool(due)


def _count(cursor: Cursor, messages: Sequence[RawMessage], receipts: Sequence[Receipt], before: int) -> None:
    last = {message.source: message.received for message in messages}
    again = Counter([messages[n].source for n, receipt in enumerate(receipts) if receipt.duplicate])
    for source, received in last.items():
        earlier = instant(received - RESOLUTION)
        cursor.execute(FEED, (storable(source), again[source], before, instant(received), earlier))
