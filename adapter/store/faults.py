"""A database's errors as ours: what may be tried again, and what must end the process."""

import sqlite3
from types import TracebackType

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from adapter.errors import StorageFailedError, UnavailableError

FATAL = {
    sqlite3.SQLITE_IOERR: "the disk failed to write or to flush",
    sqlite3.SQLITE_CORRUPT: "the database is damaged",
    sqlite3.SQLITE_NOTADB: "the file is not a database",
    sqlite3.SQLITE_READONLY: "the database became read-only or was moved",
}
"""After a failed flush the kernel may have dropped the pages: a retry would lie (reliability R5, 0 point 4)."""

PASSING = {
    sqlite3.SQLITE_FULL: ("the disk is full", "free space on the data disk"),
    sqlite3.SQLITE_BUSY: ("another process holds the database", "end it; only the daemon writes"),
    sqlite3.SQLITE_LOCKED: ("the database is locked", "retry"),
    sqlite3.SQLITE_CANTOPEN: ("the database cannot be opened", "check folder and permissions"),
    sqlite3.SQLITE_NOMEM: ("out of memory", "retry"),
}

PRIMARY = 0xFF
"""An extended result code holds its primary one in the low byte (sqlite.org/rescode.html)."""


class _Translated:
    def __enter__(self) -> None:
        """Nothing: it has no state, and stands on the path of every acknowledgment."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        match error:
            case DBAPIError(orig=sqlite3.Error() as cause):
                raise _ours(cause, error) from None
            case sqlite3.Error():
                raise _ours(error, error) from None
            case PoolTimeoutError():
                raise UnavailableError("no free read connection (store) — retry") from None


_TRANSLATED = _Translated()


def translated() -> _Translated:
    """Texts name the fault, never the statement or its parameters: those hold patient data."""
    return _TRANSLATED


def _ours(cause: sqlite3.Error, raised: Exception) -> Exception:
    """The adapter's error for an operational fault; a broken statement or constraint stays what it is: a bug."""
    code = getattr(cause, "sqlite_errorcode", None)
    primary = code & PRIMARY if code is not None else None
    if primary in FATAL:
        return StorageFailedError(f"{FATAL[primary]} ({_name(cause)}) — check the disk, then start again")
    if primary in PASSING:
        what, then = PASSING[primary]
        return UnavailableError(f"{what} ({_name(cause)}) — {then}")
    return _silent(raised)


def _silent(raised: Exception) -> Exception:
    if isinstance(raised, DBAPIError):
        raised.hide_parameters = True
    return raised


def _name(cause: sqlite3.Error) -> str:
    return str(getattr(cause, "sqlite_errorname", "SQLITE"))
