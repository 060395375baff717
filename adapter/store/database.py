"""The door to the cellar: writers and readers, and no commit believed that the disk did not confirm."""

import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection, Engine

from adapter.errors import ConfigError, StorageFailedError
from adapter.store import disk, engines
from adapter.store.faults import translated
from adapter.store.migrate import current_revision, migrate
from adapter.store.shares import Everything, Shares

Transaction = Connection
"""What `write` gives: the rooms above name it without knowing SQL's library."""

Snapshot = Connection
"""What `read` gives."""


class News(StrEnum):
    STORED = "adapter_stored"
    """Messages wait to be processed."""
    OWED = "adapter_owed"
    """Deliveries wait."""


class Database(ABC):
    """A store: SQLite here, PostgreSQL in `store.postgres`; the SQL of the other modules is the same for both."""

    @classmethod
    def open(cls, url: str, *, password: str = "", read_only: bool = False) -> "Database":
        """`sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://ROLE@HOST/DATABASE`, by `password`.

        Raises ConfigError for a store that cannot be safe.
        """
        server = engines.postgres_url(url, password)
        if server is None:
            return SqliteDatabase.at(engines.sqlite_path(url), read_only=read_only)
        if find_spec("psycopg") is None:
            raise ConfigError("[store] url: PostgreSQL needs its driver — pip install 'immunosep-adapter[postgres]'")
        from adapter.store.postgres import PostgresDatabase

        return PostgresDatabase(server, read_only=read_only)

    @abstractmethod
    def write(self) -> AbstractContextManager[Transaction]:
        """BEGIN … COMMIT, durable afterwards. Not re-entrant.

        Raises UnavailableError (disk full, server away, locked by another process) or StorageFailedError (the disk failed,
        the files were replaced, the server became unsafe): in both cases nothing may be acknowledged; after the latter the
        process must end.
        """

    @abstractmethod
    def read(self) -> AbstractContextManager[Snapshot]:
        """One snapshot, seen to the end of the block; keep it short, an old snapshot keeps what it sees from being freed."""

    @abstractmethod
    def findings(self, conn: Connection, revision: str | None) -> tuple[str, ...]:
        """Facts worth an operator's look."""

    @abstractmethod
    def close(self) -> None: ...

    @property
    @abstractmethod
    def many_writers(self) -> bool:
        """Whether other processes may write too, and transactions do not wait for each other."""

    @abstractmethod
    def shares(self) -> Shares:
        """What the processor of this process keeps and writes through."""

    @abstractmethod
    def announce(self, tx: Transaction, news: News) -> None:
        """Tell the other processes, if there are any, once the transaction is committed."""

    @abstractmethod
    def hear(self, told: Callable[[News], None], stopped: Callable[[], bool]) -> None:
        """What other processes announce, until stopped; returns at once where there are none. Raises UnavailableError."""

    @abstractmethod
    def alone(self) -> AbstractContextManager[None]:
        """While the block runs no process processes. Raises UnavailableError where one does. On SQLite the lock of the data
        folder says so already.
        """

    def migrate(self) -> None:
        """To the newest schema, in one transaction. Raises ConfigError where the store is newer than this program."""
        with self.write() as tx:
            migrate(tx)

    def self_check(self) -> tuple[str, ...]:
        """What an operator should know though it does not stop us; what must stop us was refused by `open`."""
        with self.read() as conn:
            return self.findings(conn, current_revision(conn))


class SqliteDatabase(Database):
    """A SQLite store in WAL mode with `synchronous=FULL`, read back to be sure (reliability R1 to R5).

    One connection writes, under a lock that lets a waiting thread go first; any number read, each in its own snapshot.
    """

    def __init__(self, path: Path, writer: Engine | None, reader: Engine) -> None:
        self.path = path
        self._writer = writer
        self._reader = reader
        self._connection = writer.connect() if writer is not None else None
        self._identity: disk.Identity | None = None
        self._failure: StorageFailedError | None = None
        self._lock = threading.Lock()
        self._turnstile = threading.Lock()

    @classmethod
    def at(cls, path: Path, *, read_only: bool) -> "SqliteDatabase":
        if read_only and not path.exists():
            raise ConfigError(f"no database at {path} — start the daemon once, or mend [store] url")
        disk.refuse_network_filesystem(path)
        with translated():
            return cls(path, None if read_only else engines.writer(path), engines.reader(path))

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """BEGIN IMMEDIATE … COMMIT, then proof that the files are still ours."""
        if self._connection is None:
            raise ConfigError("the store was opened read-only — this command must go through the daemon")
        with self._turnstile:  # who waits holds it, so the thread that just let go cannot overtake (decisions F2)
            self._lock.acquire()
        try:
            self._refuse_after_failure()
            with translated(), _transaction(self._connection):
                yield self._connection
            self._guard()
        except StorageFailedError as error:
            self._failure = error  # a later commit may look well and is not: the process must end (R5)
            raise
        finally:
            self._lock.release()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        with translated(), self._reader.connect() as connection:
            yield connection

    def findings(self, conn: Connection, revision: str | None) -> tuple[str, ...]:
        return engines.findings(conn, revision)

    @property
    def many_writers(self) -> bool:
        return False

    def shares(self) -> Shares:
        return Everything(self.write)

    def announce(self, tx: Connection, news: News) -> None:
        """Nobody else is there."""

    def hear(self, told: Callable[[News], None], stopped: Callable[[], bool]) -> None:
        """Nobody else is there."""

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        yield

    def close(self) -> None:
        """The last connection checkpoints and removes the WAL."""
        self._reader.dispose()
        if self._connection is not None and self._writer is not None:
            self._connection.close()
            self._writer.dispose()

    def _refuse_after_failure(self) -> None:
        if self._failure is not None:
            raise StorageFailedError(str(self._failure))

    def _guard(self) -> None:
        """Device, inode and links of database and WAL after the commit (reliability 0, point 2: both traps measured)."""
        seen = disk.identity(self.path)
        if self._identity is None:
            self._identity = seen
        if seen != self._identity or seen.lost:
            raise StorageFailedError(
                f"the database files were replaced under the running process ({self.path.name}) — "
                "stop what touches them (cp, rm, a backup tool); use `adapter backup`"
            )


@contextlib.contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    """BEGIN and COMMIT on the driver: SQLAlchemy joins in when a statement goes through it, and costs nothing when not."""
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 — a connected Connection has one
    driver.execute("BEGIN IMMEDIATE")
    try:
        yield
        (connection if connection.in_transaction() else driver).commit()
    except BaseException:
        connection.rollback()
        driver.rollback()
        raise
