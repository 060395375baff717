"""PostgreSQL's errors as ours: what may be tried again, what must end the process, and no value in any text."""

import contextlib
from collections.abc import Callable, Iterator

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from adapter.errors import StorageFailedError, UnavailableError

LOST = ("08", "57P01", "57P02", "57P03", "57P05", "25P03")
"""The connection is gone, the server stops, crashed or still recovers: another connection may work."""

PASSING = {
    "53100": ("the database server's disk is full", "free space there"),
    "53200": ("the database server is out of memory", "retry"),
    "53300": ("the database server takes no more connections", "raise max_connections"),
    "53": ("the database server is short of resources", "look at its log"),
    "58": ("the database server's system failed", "look at its log and its disk"),
    "55P03": ("another process holds the rows", "retry"),
    "40001": ("another process changed the same rows", "retry"),
    "40P01": ("two processes waited for each other", "retry"),
    "57014": ("the statement took too long", "retry"),
    "25006": ("the database is read-only", "use the primary server, with write access"),
    "42501": ("the database refuses this role", "grant it the rights that deploy/README.md names"),
}
"""By SQLSTATE or its class (PostgreSQL, appendix A): nothing was committed, so nothing is acknowledged."""

DAMAGED = ("XX001", "XX002")
LONGEST = 200


class UnsafeServerError(Exception):
    """The server is set up so that a commit proves nothing; the text says what to do."""


@contextlib.contextmanager
def translated(lost: Callable[[], None]) -> Iterator[None]:
    """`lost` is called when connections are gone. Texts name the fault, never the statement or what it held."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(cause, psycopg.Error):
            raise
        raise _ours(cause, error, lost) from None
    except UnsafeServerError as error:
        lost()
        raise StorageFailedError(str(error)) from None
    except PoolTimeoutError:
        raise UnavailableError("no free connection to the database — retry") from None


def _ours(cause: psycopg.Error, raised: Exception, lost: Callable[[], None]) -> Exception:
    state = cause.sqlstate or ""
    if (not state and isinstance(cause, psycopg.OperationalError)) or state.startswith(LOST):
        lost()
        return UnavailableError(f"no connection to PostgreSQL ({state or _reason(cause)}) — retried; is it running?")
    if state in DAMAGED:
        return StorageFailedError(f"the database is damaged ({state}) — stop, restore the newest backup")
    for known in (state, state[:2]):
        if known in PASSING:
            what, then = PASSING[known]
            return UnavailableError(f"{what} ({state}) — {then}")
    return _silent(cause, raised, state)


def _reason(cause: psycopg.Error) -> str:
    """The client library's own last line that goes on with no other: it speaks of host, port and role, never of a statement."""
    said = [line for line in str(cause).strip().splitlines() if not line[:1].isspace()]
    return (said or [type(cause).__name__])[-1].strip()[:LONGEST]


def _silent(cause: psycopg.Error, raised: Exception, state: str) -> Exception:
    """A bug of ours, as its type and SQLSTATE: the server's words quote the row."""
    quiet: Exception = type(cause)(f"SQLSTATE {state}")
    if isinstance(raised, DBAPIError):
        quiet = type(raised)("(a statement)", None, quiet, hide_parameters=True)
    return quiet.with_traceback(raised.__traceback__)
