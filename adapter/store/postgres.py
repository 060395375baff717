"""A PostgreSQL store: a pool of connections, each looked at before it is believed (reliability R4, P1)."""

import contextlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

import psycopg
from psycopg.types.string import StrDumper
from sqlalchemy import URL, Connection, Engine, create_engine, event

from adapter.errors import ConfigError, StorageFailedError, UnavailableError
from adapter.store.codec import without_nul
from adapter.store.database import Database, News
from adapter.store.leases import Leases
from adapter.store.locks import OURS, Lock
from adapter.store.postgres_faults import UnsafeServerError, translated
from adapter.store.shares import Shares

OLDEST_VERSION = 13_00_00
FLUSHED = frozenset({"on", "remote_write", "remote_apply"})
"""Values of synchronous_commit with which a commit has been flushed on the primary, and seen by a standby if there is one."""

LOOK = """
SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), current_setting('fsync'),
  current_setting('full_page_writes'), current_setting('synchronous_commit'), current_setting('server_encoding'),
  pg_backend_pid()
"""
NEVER_IDLE = 14_00_00
"""From this version on a server may end sessions that are idle; what they hold must outlast that (locks, LISTEN)."""

CONNECT = {
    "application_name": "immunosep-adapter",
    "client_encoding": "utf8",
    "connect_timeout": 5,
    # A peer that vanished is noticed within half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
WRITER = (
    "-c jit=off -c lock_timeout=10s -c idle_in_transaction_session_timeout=180s "
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)
"""A delivery holds its row while it goes out, longer than that if need be (`outbox.claim`). A client machine that vanished is noticed too: what it held is free again."""

READER = "-c jit=off -c default_transaction_read_only=on"

POOL = {"pool_size": 4, "max_overflow": 8, "pool_timeout": 10, "pool_recycle": 300, "hide_parameters": True}
"""A connection is made anew, and looked at again, after five minutes."""


class PostgresDatabase(Database):
    """Any number of writers, here and in other processes; whoever must be alone takes a lock (`store.locks`)."""

    def __init__(self, url: URL, *, read_only: bool) -> None:
        """Raises ConfigError for a server that cannot be safe, UnavailableError where none answers."""
        self._leases: list[Leases] = []
        self._sole: Connection | None = None
        self._reader = _engine(url, READER, "REPEATABLE READ")
        self._writer = None if read_only else _engine(url, WRITER, "READ COMMITTED")
        try:
            with translated(self._forget), (self._writer or self._reader).connect():
                pass
        except StorageFailedError as error:
            self.close()
            raise ConfigError(str(error)) from None

    def settings(self) -> str:
        with self.read() as conn:
            row = conn.exec_driver_sql(
                "SELECT current_setting('server_version'), current_setting('synchronous_commit')"
            )
            version, committed = row.one()
        return f"PostgreSQL {version}, synchronous_commit {committed}"

    def make_room(self) -> None:
        """The server's disk is not ours."""

    def vacuum(self, tables: Collection[str]) -> None:
        """Dead rows of these tables are given up; no bytes that a later row has not taken are written over."""
        if self._writer is not None:
            with translated(self._forget), self._writer.connect() as connection:
                alone = connection.execution_options(isolation_level="AUTOCOMMIT")
                alone.exec_driver_sql(f"VACUUM {', '.join(sorted(tables))}")

    def sizes(self) -> tuple[int, int]:
        with self.read() as conn:
            size: int = conn.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
        return size, 0

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        if self._writer is None:
            raise ConfigError("the store was opened read-only — this command must go through the daemon")
        with self._noted():
            if self._sole is None:
                with self._writer.begin() as connection:
                    yield connection
            else:
                with self._sole.begin():
                    yield self._sole

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        with translated(self._forget), self._reader.connect() as connection:
            yield connection

    @property
    def many_writers(self) -> bool:
        return True

    def shares(self, rules: str = "") -> Shares:
        if self._writer is None:
            raise ConfigError("the store was opened read-only — nothing can be processed")
        self._leases.append(Leases(self._writer, self._noted, rules))
        return self._leases[-1]

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """In one thread. What is written meanwhile is written in the session that holds the lock: who lost it writes nothing."""
        if self._writer is None:
            raise ConfigError("the store was opened read-only — it cannot be held")
        with translated(self._forget), self._writer.connect() as connection:
            held = connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({OURS}, {int(Lock.STORE)})").scalar_one()
            connection.commit()
            if not held:
                raise UnavailableError("the database is in use by another adapter process — stop that one first")
            connection.detach()  # the lock is this session's: it must not go back into the pool
            self._sole = connection
            try:
                yield
            finally:
                self._sole = None
                with contextlib.suppress(Exception):  # the server frees what a session held that is gone
                    connection.exec_driver_sql(f"SELECT pg_advisory_unlock({OURS}, {int(Lock.STORE)})")

    def findings(self, conn: Connection, revision: str | None) -> tuple[str, ...]:
        found = ["the database has no schema yet — the daemon makes it at its first start"] if revision is None else []
        terse: str = conn.exec_driver_sql("SELECT current_setting('log_error_verbosity')").scalar_one()
        if terse != "terse":
            found.append("log_error_verbosity is not terse: the server's log may quote rows — ALTER SYSTEM SET it")
        return tuple(found)

    def close(self) -> None:
        for leases in self._leases:
            leases.close()
        self._forget()

    def announce(self, tx: Connection, news: News) -> None:
        tx.exec_driver_sql(f"NOTIFY {news}")

    def hear(self, told: Callable[[News], None], stopped: Callable[[], bool]) -> None:
        with translated(self._forget):
            lent = self._reader.raw_connection()
            session: psycopg.Connection[Any] = lent.driver_connection  # type: ignore[assignment]  # the driver is psycopg
            lent.detach()
            with contextlib.closing(session):
                session.rollback()
                session.autocommit = True
                for news in News:
                    session.execute(f"LISTEN {news}")
                while not stopped():
                    for notice in session.notifies(timeout=1.0):
                        told(News(notice.channel))

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            with translated(self._forget):
                yield
        except StorageFailedError as error:
            self.failure = error
            raise

    def _forget(self) -> None:
        """Connections that are not in use are closed; the next use makes new ones."""
        for engine in (self._reader, self._writer):
            if engine is not None:
                engine.dispose()


class _Storable(StrDumper):
    """PostgreSQL takes no NUL in a text: what is looked up is spelled as `codec.storable` stores it."""

    def dump(self, obj: str) -> Any:
        return super().dump(without_nul(obj))


def _engine(url: URL, options: str, isolation: Any) -> Engine:
    arguments = CONNECT | {"options": options}
    engine = create_engine(url, connect_args=arguments, isolation_level=isolation, use_native_hstore=False, **POOL)

    @event.listens_for(engine, "connect")
    def prepare(raw: psycopg.Connection[Any], _record: object) -> None:
        raw.adapters.register_dumper(str, _Storable)
        try:
            committed = _looked_at(raw)
        except BaseException:
            raw.close()
            raise
        raw.execute(f"SET synchronous_commit TO {committed}")  # for the session: no later reload takes it away
        if raw.info.server_version >= NEVER_IDLE:
            raw.execute("SET idle_session_timeout TO 0")
        raw.commit()

    return engine


def _looked_at(raw: psycopg.Connection[Any]) -> str:
    """The server's synchronous_commit, role and database considered. Raises UnsafeServerError."""
    row = raw.execute(LOOK).fetchone()
    assert row is not None  # noqa: S101 — a SELECT without FROM has one row
    version, replica, fsync, full_pages, committed, encoding, process = row
    for wrong, text in (
        (
            process != raw.info.backend_pid,
            "a pooler stands before this server (PgBouncer?), and the sessions whose locks keep processors apart would be shared — point [store] url at the server itself",
        ),
        (version < OLDEST_VERSION, "PostgreSQL is older than 13 — upgrade it"),
        (replica, "this server is a replica (in recovery) — point [store] url at the primary"),
        (fsync != "on", f"fsync = {fsync}: a power cut would lose what was acknowledged — ALTER SYSTEM SET fsync = on"),
        (full_pages != "on", "full_page_writes = off: a power cut could damage the database — ALTER SYSTEM SET it on"),
        (
            committed not in FLUSHED,
            f"synchronous_commit = {committed}: a crash would lose what was acknowledged — ALTER SYSTEM, ROLE and DATABASE … SET it on",
        ),
        (
            encoding != "UTF8",
            f"the database is encoded in {encoding} — CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        ),
    ):
        if wrong:
            raise UnsafeServerError(text)
    return str(committed)
