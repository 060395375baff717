"""The driver's own cursor, for the statements on the path of every acknowledgment; one spelling for both drivers."""

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import Connection

T = TypeVar("T")


class Cursor(Protocol):
    """What SQLite's and ours have in common; placeholders are `?`, in order, or numbered from 1."""

    @property
    def rowcount(self) -> int: ...
    @property
    def lastrowid(self) -> int | None: ...
    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Any: ...
    def executemany(self, sql: str, rows: Sequence[Sequence[Any]], /) -> Any: ...
    def fetchone(self) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...


def cursor(tx: Connection) -> Cursor:
    if tx.dialect.name == "postgresql":
        return _Numbered(tx.connection.dbapi_connection)
    return cast("Cursor", tx.connection.cursor())


class _Numbered:
    """psycopg, which wants `$1` where SQLite wants `?` or `?1`."""

    def __init__(self, connection: Any) -> None:
        from psycopg import RawCursor

        self._cursor: Any = RawCursor(connection)

    @property
    def rowcount(self) -> int:
        return int(self._cursor.rowcount)

    @property
    def lastrowid(self) -> int | None:
        return None

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> "_Numbered":
        self._cursor.execute(numbered(sql), parameters or None)
        return self

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]], /) -> None:
        self._cursor.executemany(numbered(sql), rows)

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)


@cache
def numbered(sql: str) -> str:
    """`?` and `?2` as `$1` and `$2`; our statements hold no question mark of their own."""
    place = 0

    def next_place(found: re.Match[str]) -> str:
        nonlocal place
        place += 1
        return f"${found[1] or place}"

    return re.sub(r"\?(\d*)", next_place, sql)


@contextlib.contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """BEGIN and COMMIT on the driver: SQLAlchemy joins in when a statement goes through it, and costs nothing when not."""
    driver = sqlite_driver(connection)
    driver.execute("BEGIN IMMEDIATE")
    try:
        yield
        (connection if connection.in_transaction() else driver).commit()
    except BaseException:
        connection.rollback()
        driver.rollback()
        raise


def committed(driver: sqlite3.Connection, work: Callable[[Cursor], T]) -> T:
    """The same for who needs nothing of SQLAlchemy."""
    cursor = driver.execute("BEGIN IMMEDIATE")
    try:
        found = work(cursor)
        cursor.execute("COMMIT")
    except BaseException:
        driver.rollback()
        raise
    return found


def sqlite_driver(connection: Connection | None) -> sqlite3.Connection:
    driver = None if connection is None else connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 — only a store that writes is asked, and it is connected
    return driver
