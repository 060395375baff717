"""The two SQLite engines, one that writes and one that reads, with their settings set and read back."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool, StaticPool

from adapter.errors import ConfigError

BUSY_MILLISECONDS = 2000
"""How long a write waits for another process before it is refused (and the sender retries)."""

WAL_RESET_FAULT = ((3, 7, 0), (3, 51, 3))
"""First version with the WAL-reset fault and first one without (reliability 0, point 3)."""

READERS = 8
"""Read connections kept; as many again may be opened for a moment."""

PRAGMAS: Mapping[str, tuple[str, int]] = {
    "synchronous": ("FULL", 2),
    "foreign_keys": ("ON", 1),
    "trusted_schema": ("OFF", 0),
    "temp_store": ("MEMORY", 2),
    "secure_delete": ("ON", 1),  # what is deleted or written over is gone: erasure rests on it
    "cache_size": ("-16000", -16000),  # KiB
    "wal_autocheckpoint": ("0", 0),  # `store/checkpoint.py` does it, and sees what fails
    "journal_size_limit": ("67108864", 67108864),  # bytes kept of a log that once grew long
}
"""What is set, and what must then be read back."""


ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})
LOCAL = frozenset({None, "", "localhost", "127.0.0.1", "::1"})


def postgres_url(url: str, password: str) -> URL | None:
    """What `url` says of a PostgreSQL server; `None` for another kind of store. Raises ConfigError for one in clear text."""
    parsed = _parsed(url)
    if parsed.get_backend_name() != "postgresql":
        return None
    if parsed.password:
        raise ConfigError('[store] url holds a password — take it out and give it by reference: password = "file:…"')
    if not parsed.database:
        raise ConfigError("[store] url names no database — write postgresql://ROLE@HOST/DATABASE")
    host = parsed.host or parsed.query.get("host")
    away = host not in LOCAL and not str(host).startswith("/")
    if away and parsed.query.get("sslmode") not in ENCRYPTED:
        raise ConfigError(
            "[store] url: patients would cross the network in clear — append ?sslmode=verify-full (and sslrootcert=FILE)"
        )
    return parsed.set(drivername="postgresql+psycopg", password=password or None)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError(
            "[store] url is no database URL — for example sqlite:////var/lib/adapter/adapter.db"
        ) from None


def sqlite_path(url: str) -> Path:
    """Raises ConfigError for any other kind of store."""
    parsed = _parsed(url)
    if parsed.get_backend_name() != "sqlite":
        raise ConfigError(
            f"[store] url: '{parsed.get_backend_name()}' is not supported — use sqlite:///FILE or postgresql://ROLE@HOST/DATABASE"
        )
    if not parsed.database or parsed.database == ":memory:":
        raise ConfigError("[store] url: a store in memory keeps nothing — use sqlite:///FILE")
    return Path(parsed.database).absolute()


def writer(path: Path) -> Engine:
    """One connection, in the driver's autocommit mode: `Database.write` says BEGIN IMMEDIATE and COMMIT itself."""

    def connect() -> sqlite3.Connection:
        raw = sqlite3.connect(path, timeout=BUSY_MILLISECONDS / 1000, isolation_level=None, check_same_thread=False)
        _prepare(raw)
        return raw

    return create_engine("sqlite://", creator=connect, poolclass=StaticPool, hide_parameters=True)


def reader(path: Path) -> Engine:
    """Read-only by URI and by pragma; every block is one snapshot."""

    def connect() -> sqlite3.Connection:
        raw = sqlite3.connect(
            f"{path.as_uri()}?mode=ro",
            uri=True,
            timeout=BUSY_MILLISECONDS / 1000,
            isolation_level=None,
            check_same_thread=False,
        )
        raw.execute("PRAGMA query_only = ON")
        return raw

    engine = create_engine(
        "sqlite://", creator=connect, poolclass=QueuePool, pool_size=READERS, max_overflow=READERS, hide_parameters=True
    )
    _begin_with(engine, "BEGIN")
    return engine


def _begin_with(engine: Engine, statement: str) -> None:
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        _driver(connection).execute(statement)


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _prepare(raw: sqlite3.Connection) -> None:
    """Set, then read back: a pragma that does not take effect says nothing (reliability R4)."""
    journal = raw.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    for pragma, (value, _) in PRAGMAS.items():
        raw.execute(f"PRAGMA {pragma} = {value}")
    wrong = _refused(raw) if journal == "wal" else "journal_mode=WAL"
    if wrong:
        raw.close()
        raise ConfigError(f"the database cannot run with {wrong} — keep it on a local disk")
    # A transaction makes the WAL file exist before the first identity is taken.
    raw.execute("BEGIN IMMEDIATE")
    raw.execute("COMMIT")


def _refused(raw: sqlite3.Connection) -> str:
    """The settings that did not take effect."""
    seen = {pragma: raw.execute(f"PRAGMA {pragma}").fetchone()[0] for pragma in PRAGMAS}
    return ", ".join(f"{name}={value}" for name, (value, wanted) in PRAGMAS.items() if seen[name] != wanted)


def described(conn: Connection) -> str:
    journal, size = (conn.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("journal_mode", "page_size"))
    return f"SQLite {sqlite3.sqlite_version}, journal {journal}, pages of {size} bytes, synchronous=FULL when written"


def findings(conn: Connection, revision: str | None) -> tuple[str, ...]:
    """Facts worth an operator's look."""
    found = []
    version: str = conn.exec_driver_sql("SELECT sqlite_version()").scalar_one()
    if wal_reset_fault(version):
        found.append(
            f"SQLite {version} has the WAL-reset fault (fixed in 3.51.3); safe here because one process writes and "
            "checkpoints — never write to the database by other programs"
        )
    if revision is None:
        found.append("the database has no schema yet — the daemon makes it at its first start")
    if conn.exec_driver_sql("PRAGMA quick_check(1)").scalar_one() != "ok":
        found.append("the database is damaged (quick_check) — stop, keep the files, restore the newest backup")
    return tuple(found)


def wal_reset_fault(version: str) -> bool:
    first, fixed = WAL_RESET_FAULT
    return first <= tuple(int(part) for part in version.split(".")) < fixed
