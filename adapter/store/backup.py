"""A copy of the store beside its writer, what such a copy holds, and whether it is whole (reliability 5.4)."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, func, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from adapter.errors import UnavailableError
from adapter.store import audit
from adapter.store.codec import moment
from adapter.store.database import Database, Snapshot
from adapter.store.disk import OWNER_ONLY
from adapter.store.driver import sqlite_driver, transaction
from adapter.store.migrate import current_revision
from adapter.store.schema import inbox

PAGES = 256
"""Copied at a time: a mebibyte, after which whoever asked may say that it is enough."""
OPERATIONS = 100_000
"""Of SQLite's machine, between two looks whether the check of a copy is still wanted."""

REST = 0.002
"""Seconds between two portions: whoever receives goes first."""

Going = Callable[[], bool]
"""Whether to go on."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The last message of a source: its number, and when it came."""

    message: int
    received: datetime


@dataclass(frozen=True, slots=True)
class Contents:
    """How far a copy reaches."""

    schema: str
    feeds: Mapping[str, Reached]
    audit: audit.Head

    @property
    def last_message(self) -> int:
        return max((one.message for one in self.feeds.values()), default=0)


@dataclass(frozen=True, slots=True)
class Came:
    messages: int
    newest: datetime


class BrokenOffError(UnavailableError):
    """Somebody wanted it no more."""


class NoPlaceError(UnavailableError):
    """There is no room to bring it back to, or no right to: that says nothing of the backup."""


def contents(conn: Snapshot) -> Contents:
    newest = select(func.max(inbox.c.id).label("id")).group_by(inbox.c.source).subquery()
    rows = conn.execute(select(inbox.c.source, inbox.c.id, inbox.c.received).join(newest, newest.c.id == inbox.c.id))
    feeds = {row.source: Reached(row.id, moment(row.received)) for row in rows}
    return Contents(current_revision(conn) or "", dict(sorted(feeds.items())), audit.head(conn))


def after(conn: Snapshot, message: int) -> dict[str, Came]:
    """By source, what was stored behind this message."""
    newer = select(inbox.c.source, func.count(), func.max(inbox.c.received)).where(inbox.c.id > message)
    return {name: Came(number, moment(last)) for name, number, last in conn.execute(newer.group_by(inbox.c.source))}


def problems(conn: Snapshot, going: Going | None = None) -> list[str]:
    """What is wrong with it, by SQLite's own check and by the chain of the audit trail; empty when it is whole.

    Rests now and then where `going` is given: others work beside it. Raises BrokenOffError.
    """
    if conn.dialect.name == "sqlite" and not _is_sound(conn, going):
        return ["the database is damaged (integrity_check)"]

    def between() -> None:
        if going is not None:
            time.sleep(REST)
            if not going():
                raise BrokenOffError("broken off")

    return [f"audit trail: {problem}" for problem in audit.verify(conn, between=between)]


def _is_sound(conn: Snapshot, going: Going | None) -> bool:
    driver = sqlite_driver(conn)
    driver.set_progress_handler(None if going is None else lambda: not going(), OPERATIONS)
    try:
        found: str = conn.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
    finally:
        driver.set_progress_handler(None, 0)
    return found == "ok"


def copy(database: Database, target: Path, going: Going) -> None:
    """One snapshot of a SQLite store, taken by a reader: who writes goes on (reliability R2). Raises BrokenOffError.

    The reader's transaction is open from before the first page to the last, so that no commit makes the copy begin anew.
    """
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)
    try:
        _copied(database, target, going, handle)
    finally:
        os.close(handle)


def _copied(database: Database, target: Path, going: Going, handle: int) -> None:
    """Raises StorageFailedError where the store itself does not open: that is no failure of the copy."""
    with database.read() as conn:
        current_revision(conn)  # the snapshot is taken by the first look
        with _understood(target.name, going), contextlib.closing(sqlite3.connect(target)) as made:

            def progress(_status: int, _left: int, _total: int) -> None:
                if not going():
                    raise BrokenOffError("broken off")
                os.fsync(handle)  # a mebibyte now and not a gigabyte at once: the commits of the feed share this disk
                time.sleep(REST)

            made.execute("PRAGMA synchronous = OFF")  # the whole file is flushed at the end, or thrown away
            sqlite_driver(conn).backup(made, pages=PAGES, progress=progress)
            made.execute(
                "PRAGMA journal_mode = DELETE"
            )  # a copy is one file, and stays one when somebody looks into it


def exported(conn: Snapshot) -> str:
    """PostgreSQL's name for this snapshot, by which another program sees the same."""
    name: str = conn.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
    return name


@contextlib.contextmanager
def looked_into(path: Path, going: Going = lambda: True) -> Iterator[Snapshot]:
    """A copy, as a file that nobody writes. Raises BrokenOffError, UnavailableError for what is no database."""
    engine = _engine(f"{path.absolute().as_uri()}?mode=ro&immutable=1")
    try:
        with _understood(path.name, going), engine.connect() as conn:
            yield conn
    finally:
        engine.dispose()


@contextlib.contextmanager
def amended(path: Path) -> Iterator[Connection]:
    """A copy that no process has opened: changed in one transaction, flushed, and one file as before. Raises UnavailableError."""
    engine = _engine(f"{path.absolute().as_uri()}?mode=rw")
    try:
        with _understood(path.name, lambda: True), engine.connect() as conn:
            sqlite_driver(conn).execute("PRAGMA synchronous = FULL")
            with transaction(conn):
                yield conn
    finally:
        engine.dispose()


def is_empty(conn: Snapshot) -> bool:
    return not inspect(conn).get_table_names()


def _engine(uri: str) -> Engine:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)

    return create_engine("sqlite://", creator=connect, poolclass=StaticPool, hide_parameters=True)


@contextlib.contextmanager
def _understood(name: str, going: Going) -> Iterator[None]:
    """Every error of SQLite as UnavailableError: a copy that fails is no failure of the store. Its own words may quote rows."""
    try:
        yield
    except sqlite3.Error as error:
        raise _told(name, going, error) from None
    except DBAPIError as error:
        if not isinstance(error.orig, sqlite3.Error):
            raise
        raise _told(name, going, error.orig) from None


def _told(name: str, going: Going, error: sqlite3.Error) -> UnavailableError:
    if not going():
        return BrokenOffError("broken off")
    kind = getattr(error, "sqlite_errorname", type(error).__name__)
    refused = NoPlaceError if kind == "SQLITE_FULL" else UnavailableError
    return refused(f"{name}: SQLite says {kind} — look at its disk, or take another backup")
