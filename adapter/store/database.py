"""The door to the cellar: writers and readers, and no commit believed that the disk did not confirm."""

import contextlib
import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection, Engine

from adapter.domain.message import RawMessage, Receipt
from adapter.errors import ConfigError, StorageFailedError, UnavailableError
from adapter.store import checkpoint, disk, engines
from adapter.store.driver import committed, sqlite_driver, transaction
from adapter.store.faults import translated
from adapter.store.inbox_put import put_by, put_many
from adapter.store.migrate import current_revision, migrate
from adapter.store.pace import Pace
from adapter.store.shares import Everything, Shares
from adapter.store.turn import Turn

Transaction = Connection
"""What `write` gives: the rooms above name it without knowing SQL's library."""

Snapshot = Connection
"""What `read` gives."""

_abandoned: list[object] = []
"""Connections of a store that failed, kept from the collector: closing one would copy and delete the log once more."""


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

    failure: StorageFailedError | None = None
    """Once it is there nothing is stored any more, and the process ends (reliability R5)."""

    @abstractmethod
    def write(self) -> AbstractContextManager[Transaction]:
        """BEGIN … COMMIT, durable afterwards. Not re-entrant.

        Raises UnavailableError (disk full, server away, locked by another process) or StorageFailedError (the disk failed,
        the files were replaced, the server became unsafe): in both cases nothing may be acknowledged; after the latter the
        process must end.
        """

    def store(self, messages: Sequence[RawMessage], *, wait: bool) -> Sequence[Receipt] | None:  # noqa: ARG002 — always waits
        """Messages in a transaction of their own, as `write`. None where there is more to wait for than its own commit, and
        we may not: nothing was stored.
        """
        with self.write() as tx:
            return put_many(tx, messages)

    @property
    def quick(self) -> bool:
        """Whether `store` without waiting takes so little that an event loop may do it."""
        return False

    @abstractmethod
    def read(self) -> AbstractContextManager[Snapshot]:
        """One snapshot, seen to the end of the block; keep it short, an old snapshot keeps what it sees from being freed."""

    @abstractmethod
    def settings(self) -> str:
        """What stands behind a commit, for an operator."""

    @abstractmethod
    def make_room(self) -> None:
        """Whatever of our own can be given back to a full disk. Raises UnavailableError while it stays full."""

    @abstractmethod
    def sizes(self) -> tuple[int, int]:
        """Bytes of the database, and of its write-ahead log where that is ours to watch."""

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
    def shares(self, rules: str = "") -> Shares:
        """What the processor of this process keeps and writes through; `rules` as `Shares.under`, none for who judges nobody."""

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
        self._guard = disk.Guard(path)
        self._checkpointer = checkpoint.Checkpointer()
        self._turn = Turn()
        self._pace = Pace()
        self._told: dict[str, datetime] = {}

    @classmethod
    def at(cls, path: Path, *, read_only: bool) -> "SqliteDatabase":
        if read_only and not path.exists():
            raise ConfigError(f"no database at {path} — start the daemon once, or mend [store] url")
        disk.refuse_network_filesystem(path)
        if read_only:
            with translated():
                return cls(path, None, engines.reader(path))
        disk.refuse_orphan_log(path)
        disk.refuse_stranger(path)
        disk.create(path)
        with translated():
            opened = cls(path, engines.writer(path), engines.reader(path))
            disk.remember(path)
            disk.flush_folder(path.parent)
        return opened

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """BEGIN IMMEDIATE … COMMIT, then proof that the files are still ours."""
        if self._connection is None:
            raise ConfigError("the store was opened read-only — this command must go through the daemon")
        self._turn.take()
        with self._alone():
            with translated(), transaction(self._connection):
                yield self._connection
            self._checkpointer.committed(self._guard.look())
            self._copy_if_due()

    def store(self, messages: Sequence[RawMessage], *, wait: bool) -> Sequence[Receipt] | None:
        assert self._connection is not None  # noqa: S101 — nobody receives for a store opened read-only
        if (self._checkpointer.due and not wait) or not self._turn.take(wait=wait):
            return None
        with self._alone():
            try:
                with self._pace, translated():
                    receipts = committed(
                        sqlite_driver(self._connection), lambda cursor: put_by(cursor, messages, self._told)
                    )
            except BaseException:
                self._told.clear()  # what nobody committed has been told to nobody
                raise
            self._checkpointer.committed(self._guard.look())
            if wait:
                self._copy_if_due()
        return receipts

    @property
    def quick(self) -> bool:
        return self._pace.quick

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Whose turn it is; it ends with the block."""
        try:
            self._refuse_after_failure()
            yield
        except StorageFailedError as error:
            self.failure = error  # a later commit may look well and is not
            raise
        finally:
            self._turn.leave()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        with translated(), self._reader.connect() as connection:
            yield connection

    def findings(self, conn: Connection, revision: str | None) -> tuple[str, ...]:
        return engines.findings(conn, revision)

    @property
    def many_writers(self) -> bool:
        return False

    def shares(self, rules: str = "") -> Shares:  # noqa: ARG002 — the only processor
        return Everything(self.write)

    def announce(self, tx: Connection, news: News) -> None:
        """Nobody else is there."""

    def hear(self, told: Callable[[News], None], stopped: Callable[[], bool]) -> None:
        """Nobody else is there."""

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        yield

    def settings(self) -> str:
        """What the file itself says; what each writer sets anew is read back when it opens."""
        with self.read() as conn:
            return engines.described(conn)

    def sizes(self) -> tuple[int, int]:
        return disk.sizes(self.path)

    def make_room(self) -> None:
        """The log copied into the database and emptied."""
        self._turn.take()
        with self._alone(), translated():
            checkpoint.copy(sqlite_driver(self._connection), "TRUNCATE")

    def close(self) -> None:
        """Checkpoints, and removes the log. Raises StorageFailedError; of a store that failed it keeps its hands off.

        But for a log that was deleted: its last copy is the one we hold, and what it says was acknowledged.
        """
        try:
            if self._connection is not None and not self._connection.closed and self.failure is None:
                self._turn.take()
                with self._alone():
                    self._tolerant(lambda driver: checkpoint.copy(driver, "PASSIVE"))
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self.failure is not None and os.path.exists(f"{self.path}-wal"):  # noqa: PTH110 — as `disk.Guard`
            _abandoned.append((self._connection, self._writer, self._reader))
            return
        self._reader.dispose()
        if self._connection is not None and self._writer is not None:
            self._connection.close()
            self._writer.dispose()

    def _refuse_after_failure(self) -> None:
        if self.failure is not None:
            raise StorageFailedError(str(self.failure))

    def _copy_if_due(self) -> None:
        if self._checkpointer.due:
            self._tolerant(self._checkpointer.run)

    def _tolerant(self, copy: Callable[[sqlite3.Connection], object]) -> None:
        """A checkpoint that a full disk or a reader may put off: the log keeps what was committed, and grows."""
        try:
            with translated():
                copy(sqlite_driver(self._connection))
        except StorageFailedError:
            raise
        except UnavailableError:
            pass
