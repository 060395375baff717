"""After an erasure: what was deleted leaves the files too, as far as that is ours to do (docs/adr/0044)."""

import time
from collections.abc import Collection
from typing import TYPE_CHECKING, cast

from adapter.errors import StorageFailedError, UnavailableError
from adapter.store.database import Database

if TYPE_CHECKING:
    from adapter.store.postgres import PostgresDatabase

PATIENCE = 5.0
"""Seconds in which whoever reads a page of the log has gone on."""


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
