"""New messages stored by one statement that is its own transaction: on SQLite, the short way of `inbox_put`.

Each statement costs a sender as much as reading its message: the interpreter is let go and taken back for it, and another
thread may compute meanwhile. So what belongs to a new row is written by a trigger of a view that only this connection has.
Whatever is not perfectly ordinary (a duplicate, a feed's row that is due, a value no column takes) is refused as a whole,
and takes the long way.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from adapter.domain.message import RawMessage, Receipt
from adapter.store.inbox_put import LAST, RESOLUTION, row_of

MOST = 128
"""Rows in one statement."""

COLUMNS = "source, sender, control_id, sha256, site, kind, type, peer, received, quarantine, acknowledgment, body"
"""As `row_of` gives them."""

VIEW = f"CREATE TEMP VIEW IF NOT EXISTS arriving AS SELECT id, {COLUMNS} FROM inbox"  # noqa: S608 — our own names

# A row without an id is none: it fills the statement up. Known key fields with other bytes are counted (decisions C3);
# the feed's row is there, because the long way made it.
TRIGGER = f"""
CREATE TEMP TRIGGER IF NOT EXISTS arrived INSTEAD OF INSERT ON arriving WHEN new.id IS NOT NULL BEGIN
  INSERT INTO inbox (id, {COLUMNS}) VALUES (new.id, {", ".join(f"new.{name}" for name in COLUMNS.split(", "))});
  INSERT INTO inbox_pending (id, source) VALUES (new.id, new.source);
  UPDATE feeds SET control_id_reuse = control_id_reuse + 1 WHERE source = new.source AND new.control_id <> '' AND EXISTS (
    SELECT 1 FROM inbox AS old WHERE old.source = new.source AND old.sender = new.sender
    AND old.control_id = new.control_id AND old.id < new.id);
END
"""  # noqa: S608 — our own names

NOBODY = (None,) * (COLUMNS.count(",") + 2)


class Arrivals:
    """Of the one connection that writes; used under its turn, outside of any transaction."""

    def __init__(self) -> None:
        self._last: int | None = None
        """The greatest id, as far as we know: where others stored meanwhile, ours is taken and refused."""
        self._told: dict[str, datetime] = {}
        """When the row of each feed was last brought up to date."""

    def put(self, driver: sqlite3.Connection, messages: Sequence[RawMessage]) -> list[Receipt] | None:
        """Durable when it returns; None: nothing was stored, take the long way. Raises sqlite3.Error of the disk."""
        if not 0 < len(messages) <= MOST or any(self._due(message) for message in messages):
            return None
        if self._last is None:
            driver.execute(VIEW)
            driver.execute(TRIGGER)
            self._last = driver.execute(LAST).fetchone()[0]
        first = self._last + 1
        try:
            driver.execute(_insert(_room(len(messages))), list(_values(messages, first)))
        except (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.DataError, UnicodeError):
            self._last = None
            return None
        self._last += len(messages)
        return [Receipt(inbox_id, False, one.acknowledgment) for inbox_id, one in enumerate(messages, first)]  # noqa: FBT003 — not a duplicate

    def took_the_long_way(self, messages: Sequence[RawMessage]) -> None:
        """After its commit."""
        self._last = None
        for message in messages:
            if self._due(message):
                self._told[message.source] = message.received

    def _due(self, message: RawMessage) -> bool:
        told = self._told.get(message.source)
        return told is None or message.received - told >= RESOLUTION


def _room(size: int) -> int:
    """A power of two, so that the driver keeps a handful of statements prepared."""
    return 1 << (size - 1).bit_length()


@cache
def _insert(rows: int) -> str:
    row = f"({', '.join('?' * len(NOBODY))})"
    return f"INSERT INTO arriving (id, {COLUMNS}) VALUES {', '.join([row] * rows)}"  # noqa: S608 — our own names


def _values(messages: Sequence[RawMessage], first: int) -> Iterator[Any]:
    for inbox_id, message in enumerate(messages, first):
        yield inbox_id
        yield from row_of(message)
    for _ in range(_room(len(messages)) - len(messages)):
        yield from NOBODY
