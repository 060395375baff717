"""After an erasure: what was deleted leaves the files too, as far as that is ours to do (docs/adr/0044)."""

import time
from collections.abc import Collection
from typing import TYPE_CHECKING, cast

from adapter.errors import StorageFailedError, UnavailableError
from adapter.store import marks
from adapter.store.database import Database, Transaction

if TYPE_CHECKING:
    from adapter.store.postgres import PostgresDatabase

OWED = "scrub-owed"
PATIENCE = 5.0
"""Seconds in which whoever reads a page of the log has gone on."""


def owe(tx: Transaction, entry: int, tables: Collection[str]) -> None:
    """Of an erasure, by its entry of the audit log: kept until it was done, also over a restart."""
    marks.put(tx, OWED, " ".join((str(entry), *sorted({*tables, *marks.said(tx, OWED).split()[1:]}))))


def settle(database: Database, more: Collection[str] = ()) -> bool:
    """What erasures owe, and `more`, is scrubbed; False where it could not be done now, and is owed still. Raises UnavailableError."""
    with database.read() as conn:
        owed = marks.said(conn, OWED)
    tables = {*more, *owed.split()[1:]}
    if tables and not scrub(database, tables):
        return False
    if owed:
        with database.write() as tx:
            if marks.said(tx, OWED) == owed:  # another erasure may have come meanwhile
                marks.put(tx, OWED, "")
    return True


def scrub(database: Database, tables: Collection[str]) -> bool:
    """SQLite wrote zeros over what it deleted (`secure_delete`): the log is copied into the database and emptied. PostgreSQL is told
    to vacuum. False where that could not be done now: what was deleted is deleted all the same. Raises StorageFailedError.
    """
    try:
        return _scrubbed(database, tables)
    except StorageFailedError:
        raise
    except UnavailableError:
        return False


def _scrubbed(database: Database, tables: Collection[str]) -> bool:
    if database.many_writers:
        cast("PostgresDatabase", database).vacuum(tables)
        return True
    until = time.monotonic() + PATIENCE
    while True:
        database.make_room()
        if database.sizes()[1] == 0:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(PATIENCE / 50)
