import sqlite3

import pytest

from adapter.errors import StorageFailedError, UnavailableError
from adapter.store.faults import translated


def fault(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("could not write PATIENT-NAME")
    error.sqlite_errorcode = code
    error.sqlite_errorname = "SQLITE_NAME"
    return error


def raised(code: int) -> None:
    with translated():
        raise fault(code)


@pytest.mark.parametrize(
    "code",
    [
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_WRITE,  # also what a file-size limit gives
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_READONLY_DBMOVED,
    ],
)
def test_a_failing_disk_ends_the_process(code: int) -> None:
    with pytest.raises(StorageFailedError, match="SQLITE_NAME") as caught:
        raised(code)
    assert "PATIENT" not in str(caught.value)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED])
def test_a_full_or_busy_store_is_tried_again(code: int) -> None:
    with pytest.raises(UnavailableError) as caught:
        raised(code)
    assert not isinstance(caught.value, StorageFailedError)
    assert "PATIENT" not in str(caught.value)


def test_any_other_error_stays_the_bug_it_is() -> None:
    with pytest.raises(sqlite3.OperationalError):
        raised(sqlite3.SQLITE_ERROR)
