"""Somebody touches the database's files under the running daemon: it acknowledges nothing it cannot keep, and ends.

Both traps of reliability 0, point 2, and their relatives, each against the true daemon.
"""

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.nursery import Quick, deliver, messages
from tests.installation import until

pytestmark = pytest.mark.slow

LOOK = "import sqlite3, sys; store = sqlite3.connect(sys.argv[1]); store.execute('SELECT count(*) FROM inbox'); store.close()"


def read_from_outside(database: Path) -> None:
    """What the `sqlite3` shell does: open, read, and tidy up as the last connection that the locks show."""
    subprocess.run([sys.executable, "-c", LOOK, database], check=True)


def wal(database: Path) -> Path:
    return database.with_name(database.name + "-wal")


def delete_both(database: Path) -> None:
    wal(database).unlink()
    database.unlink()


def put_another(path: Path) -> None:
    other = path.with_name("other")
    shutil.copy2(path, other)
    other.rename(path)


TOUCHES: dict[str, Callable[[Path], object]] = {
    "database deleted": Path.unlink,
    "database moved": lambda database: database.rename(database.with_name("aside.db")),
    "database replaced": put_another,
    "database linked": lambda database: database.with_name("second.db").hardlink_to(database),
    "log deleted": lambda database: wal(database).unlink(),
    "log moved": lambda database: wal(database).rename(database.with_name("aside-wal")),
    "log replaced": lambda database: put_another(wal(database)),
    "index deleted": lambda database: database.with_name(database.name + "-shm").unlink(),
    "both deleted": delete_both,
}


def refused(place: Quick) -> None:
    """The next message gets no answer; the daemon says why, in its log and by its exit code."""
    late = dict(list(messages(60).items())[-3:])
    assert deliver(place, late).acknowledged == {}
    assert place.process is not None
    assert place.process.wait(10) == 3
    assert "replaced under the running process" in place.log.read_text()


@pytest.mark.parametrize("touch", TOUCHES.values(), ids=TOUCHES)
def test_nothing_is_acknowledged_after_the_files_were_touched(place: Quick, touch: Callable[[Path], object]) -> None:
    assert place.up()
    assert len(deliver(place, messages(10)).acknowledged) == 10
    touch(place.database)
    refused(place)


def test_an_idle_daemon_notices_by_itself(place: Quick) -> None:
    assert place.up()
    wal(place.database).unlink()
    assert place.process is not None
    assert place.process.wait(40) == 3


def test_a_store_that_fails_while_the_daemon_stops_is_told_by_its_exit_code(place: Quick) -> None:
    sent = messages(10)
    assert place.up(sabotage="fail-late")
    assert len(deliver(place, sent).acknowledged) == 10
    assert place.stop() == 3
    assert place.up()
    assert place.stop() == 0
    assert sent.items() <= place.stored().items()


def test_a_reader_outside_does_no_harm_while_the_locks_hold(place: Quick) -> None:
    assert place.up()
    deliver(place, messages(10))
    read_from_outside(place.database)
    sent = messages(20)
    assert len(deliver(place, sent).acknowledged) == 20
    assert place.stop() == 0
    assert place.stored().keys() == sent.keys()


def test_a_daemon_that_opens_its_own_database_is_caught_before_it_acknowledges_what_is_gone(place: Quick) -> None:
    """S11: POSIX drops SQLite's locks at that close; the next reader outside deletes the log; every commit seems well."""
    sent = messages(10)
    assert place.up(sabotage="touch")
    assert len(deliver(place, sent).acknowledged) == 10
    read_from_outside(place.database)
    assert not wal(place.database).exists()
    refused(place)
    assert place.up()
    assert place.stop() == 0
    assert sent.items() <= place.stored().items()


def test_what_a_deleted_log_held_is_copied_before_the_end(place: Quick) -> None:
    """Acknowledged messages stood in it alone; the last open copy is the daemon's."""
    sent = messages(20)
    assert place.up()
    assert len(deliver(place, sent).acknowledged) == 20
    wal(place.database).unlink()
    refused(place)
    assert place.up()
    assert place.stop() == 0
    assert sent.items() <= place.stored().items()


def test_a_log_without_its_database_is_not_thrown_away(place: Quick) -> None:
    """SQLite would delete it with what was acknowledged; here the start is refused until the database is back."""
    sent = messages(10)
    assert place.up()
    assert len(deliver(place, sent).acknowledged) == 10
    aside = place.database.with_name("aside.db")
    place.database.rename(aside)
    refused(place)
    assert not place.up()
    assert place.stop() == 2
    assert "put the database back" in place.log.read_text()
    aside.rename(place.database)
    assert place.up()
    assert place.stop() == 0
    assert sent.items() <= place.stored().items()


def test_a_log_is_not_applied_to_another_database(place: Quick) -> None:
    """The supervisor starts the daemon again at once: SQLite would mix the old log into whatever was put there."""
    assert place.up()
    deliver(place, messages(10))
    put_another(place.database)
    refused(place)
    kept = place.database.read_bytes()
    assert not place.up()
    assert place.stop() == 2
    assert "is another file than the one that adapter.db-wal belongs to" in place.log.read_text()
    assert place.database.read_bytes() == kept
    wal(place.database).unlink()
    assert place.up()
    assert place.stop() == 0


def test_a_storage_failure_leaves_the_files_as_they_are(place: Quick) -> None:
    """Tidying up would delete the log of whatever was put in the place of ours."""
    assert place.up()
    deliver(place, messages(10))
    put_another(wal(place.database))
    before = wal(place.database).stat()
    refused(place)
    after = wal(place.database).stat()
    assert (before.st_ino, before.st_size) == (after.st_ino, after.st_size)


@pytest.mark.parametrize("name", ["data", "data/adapter.db", "data/adapter.db-wal"])
def test_files_that_others_may_read_refuse_the_start(place: Quick, name: str) -> None:
    assert place.up()
    deliver(place, messages(5))
    place.stop(9)
    (place.folder / name).chmod(0o750 if name == "data" else 0o640)
    assert not place.up()
    assert place.stop() == 2
    assert f"chmod {700 if name == 'data' else 600} {place.folder / name}" in place.log.read_text()


def test_what_the_daemon_makes_is_its_own_account_s_alone(place: Quick) -> None:
    assert place.up()
    deliver(place, messages(5))
    until(place.ready)
    modes = {path.name: path.stat().st_mode & 0o777 for path in place.database.parent.iterdir()}
    assert modes.pop("site.key") == 0o400
    assert set(modes) >= {"adapter.db", "adapter.db-wal", "adapter.db-shm", "adapter.lock", "adapter.sock"}
    assert set(modes.values()) == {0o600}
    with contextlib.closing(sqlite3.connect(f"{place.database.as_uri()}?mode=ro", uri=True)) as store:
        assert store.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_no_other_process_of_the_account_reads_the_daemon_s_memory() -> None:
    """PR_GET_DUMPABLE after `seal`; that core dumps are off the canary test shows."""
    asked = (
        "import ctypes; from adapter.daemon.service import seal; seal(); print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    assert subprocess.check_output([sys.executable, "-c", asked]) == b"0\n"
