"""A PostgreSQL database beside the store's, for a backup that is brought back to see that it can be; gone afterwards."""

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL, text

from adapter.errors import StorageFailedError, UnavailableError
from adapter.store import engines
from adapter.store.backup import NoPlaceError
from adapter.store.database import Snapshot
from adapter.store.locks import OURS, Lock
from adapter.store.postgres_faults import translated

END = "_restore_try"
LONGEST = 63
"""Bytes of a name (PostgreSQL, NAMEDATALEN)."""
OURS_ALONE = "immunosep-adapter: a backup that is being tried"
"""The comment by which one that was left behind is known: no other database is ever dropped."""

Session = psycopg.Connection[Any]


@contextlib.contextmanager
def database(url: str, password: str) -> Iterator[str | None]:
    """The URL of an empty one; None where the role may make none. Raises NoPlaceError, StorageFailedError."""
    store = _parsed(url)
    name = _name(store)
    with _session(store, password) as session:
        with _understood():
            made = _may(session)
            if made:
                _alone(session)
                _drop(session, name)
                _make(session, name)
        try:
            yield store.set(database=name).render_as_string() if made else None
        finally:
            if made:
                with _understood():
                    _drop(session, name)


def clear(url: str, password: str) -> None:
    """What a killed process left behind. Raises NoPlaceError where one is at work."""
    store = _parsed(url)
    with _session(store, password) as session, _understood():
        if _is_there(session, _name(store)) and _may(session):
            _alone(session)
            _drop(session, _name(store))


def left(conn: Snapshot, url: str) -> bool:
    """Whether there is one, at work or left behind."""
    known = text("SELECT 1 FROM pg_database WHERE datname = :name")
    return conn.execute(known, {"name": _name(_parsed(url))}).one_or_none() is not None


def _parsed(url: str) -> URL:
    store = engines.postgres_url(url, "")
    assert store is not None  # noqa: S101 — SQLite has files for this
    return store.set(drivername="postgresql")


def _name(store: URL) -> str:
    kept = str(store.database).encode()[: LONGEST - len(END)]
    return kept.decode(errors="ignore") + END


@contextlib.contextmanager
def _session(store: URL, password: str) -> Iterator[Session]:
    with _understood():
        session = psycopg.connect(
            store.render_as_string(), password=password or None, autocommit=True, connect_timeout=10
        )
    with contextlib.closing(session):
        yield session


def _may(session: Session) -> bool:
    row = session.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return bool(row and row[0])


def _alone(session: Session) -> None:
    """Until the session ends."""
    row = session.execute(f"SELECT pg_try_advisory_lock({OURS}, {int(Lock.SCRATCH)})").fetchone()
    if not (row and row[0]):
        raise NoPlaceError("another process tries a backup of this store just now — try again when it is done")


def _make(session: Session, name: str) -> None:
    """Letters sort by their bytes: whatever the server's own order is, there is a database with this one."""
    session.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'").format(
            sql.Identifier(name)
        )
    )
    session.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(OURS_ALONE)))


def _drop(session: Session, name: str) -> None:
    if not _is_there(session, name):
        return
    known = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    if session.execute(known, (name,)).fetchone() != (OURS_ALONE,):
        raise NoPlaceError(f"a database {name} is there and not known to be ours — look at it, and drop it by hand")
    session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _is_there(session: Session, name: str) -> bool:
    return session.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None


@contextlib.contextmanager
def _understood() -> Iterator[None]:
    """Whatever keeps us from such a database is no failure of the store, unless the server itself is damaged."""
    try:
        with translated(_nothing):
            yield
    except (StorageFailedError, NoPlaceError):
        raise
    except UnavailableError as error:
        raise NoPlaceError(str(error)) from None
    except psycopg.Error as error:
        said = error.sqlstate or str(error)  # translated: its SQLSTATE alone
        raise NoPlaceError(f"the server makes no database to try a backup in ({said}) — look at its log") from None


def _nothing() -> None:
    """No connection is kept."""
