import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from adapter.errors import ConfigError, StorageFailedError, UnavailableError
from adapter.store import disk, engines
from adapter.store.database import Database, SqliteDatabase, Transaction
from adapter.store.driver import cursor
from adapter.store.engines import wal_reset_fault
from tests import stores

USER = text("INSERT INTO users (name, role, password_hash, created) VALUES (:name, 'coordinator', '', '')")
COUNT = text("SELECT count(*) FROM users")


def add(tx: Transaction, name: str) -> None:
    tx.execute(USER, {"name": name})


def add_on_the_driver(tx: Transaction, name: str) -> None:
    cursor(tx).execute(
        "INSERT INTO users (name, role, password_hash, created) VALUES (?, 'coordinator', '', '')", (name,)
    )


def add_many(tx: Transaction) -> None:
    for number in range(200):
        add(tx, f"MRN-SECRET{number}" * 100)


def add_twice(tx: Transaction) -> None:
    add(tx, "SECRET-NAME")
    add(tx, "SECRET-NAME")


def fail(tx: Transaction, first: Callable[[Transaction, str], None]) -> None:
    first(tx, "anna")
    raise ZeroDivisionError


def count(database: Database) -> int:
    with database.read() as conn:
        number: int = conn.execute(COUNT).scalar_one()
        return number


def test_the_writer_runs_with_wal_and_full_synchronous(file: SqliteDatabase) -> None:
    with file.write() as tx:
        assert tx.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert tx.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert tx.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1


def test_a_write_is_seen_after_its_commit_and_not_before(database: Database) -> None:
    with database.write() as tx:
        add(tx, "anna")
        assert count(database) == 0
    assert count(database) == 1


def test_a_failing_block_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as tx:
        fail(tx, add)
    assert count(database) == 0
    with database.write() as tx:
        add(tx, "anna")
    assert count(database) == 1


def test_a_failing_block_on_the_driver_alone_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as tx:
        fail(tx, add_on_the_driver)
    assert count(database) == 0


def test_a_read_is_one_snapshot(database: Database) -> None:
    with database.read() as conn:
        assert conn.execute(COUNT).scalar_one() == 0
        with database.write() as tx:
            add(tx, "anna")
        assert conn.execute(COUNT).scalar_one() == 0


def test_a_read_connection_cannot_write(database: Database) -> None:
    with pytest.raises(UnavailableError, match="read-only"), database.read() as conn:
        add(conn, "anna")


def test_writers_of_several_threads_do_not_mix(database: Database) -> None:
    def write(name: str) -> None:
        for number in range(20):
            with database.write() as tx:
                add(tx, f"{name}{number}")

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(database) == 60


def test_a_waiting_writer_goes_before_the_one_that_just_let_go(file: SqliteDatabase) -> None:
    order: list[str] = []
    started = threading.Event()

    def receive() -> None:
        started.set()
        with file.write():
            order.append("receive")

    thread = threading.Thread(target=receive)
    with file.write():
        thread.start()
        started.wait()
        time.sleep(0.05)
    with file.write():
        order.append("process again")
    thread.join()
    assert order == ["receive", "process again"]


def test_a_full_disk_is_unavailable_and_passes(file: SqliteDatabase) -> None:
    with file.write() as tx:
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(UnavailableError, match="the disk is full") as caught, file.write() as tx:
        add_many(tx)
    assert not isinstance(caught.value, StorageFailedError)
    assert "SECRET" not in str(caught.value)
    with file.write() as tx:
        tx.exec_driver_sql("PRAGMA max_page_count = 1000000")
        add(tx, "anna")
    assert count(file) == 1


def test_a_database_held_by_another_process_is_unavailable(
    file: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with file.write() as tx:
        tx.exec_driver_sql("PRAGMA busy_timeout = 20")
    with sqlite3.connect(file.path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="another process holds"), file.write() as tx:
            add(tx, "anna")
        other.execute("COMMIT")
    other.close()
    with file.write() as tx:
        add(tx, "anna")


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_database_deleted_under_the_process_is_noticed_before_anything_is_acknowledged(
    file: SqliteDatabase, suffix: str
) -> None:
    with file.write() as tx:
        add(tx, "anna")
    Path(f"{file.path}{suffix}").unlink()
    with pytest.raises(StorageFailedError), file.write() as tx:
        add(tx, "berta")
    with pytest.raises(StorageFailedError), file.write():
        pytest.fail("after a storage failure nothing may be written")


def test_a_database_replaced_under_the_process_is_noticed(file: SqliteDatabase, tmp_path: Path) -> None:
    with file.write() as tx:
        add(tx, "anna")
    (tmp_path / "other.db").write_bytes(b"x")
    (tmp_path / "other.db").rename(file.path)
    with pytest.raises(StorageFailedError), file.write() as tx:
        add(tx, "berta")


def test_constraint_errors_stay_bugs_and_hide_what_was_written(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught, database.write() as tx:
        add_twice(tx)
    assert "SECRET" not in str(caught.value)


def test_read_only_opens_beside_a_running_writer_and_after_it(database: Database, tmp_path: Path) -> None:
    with database.write() as tx:
        add(tx, "anna")
    for _ in range(2):
        beside = stores.opened(tmp_path, read_only=True)
        assert count(beside) == 1
        with pytest.raises(ConfigError, match="read-only"), beside.write():
            pytest.fail("never reached")
        beside.close()
        database.close()


def test_read_only_refuses_to_invent_a_database(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no database at"):
        Database.open(f"sqlite:///{tmp_path / 'none.db'}", read_only=True)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://u:SECRET@h/d", "not a url"])
def test_a_url_that_cannot_be_safe_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Database.open(url)
    assert "SECRET" not in str(caught.value)


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_filesystem", lambda folder, mounts: "nfs4")
    with pytest.raises(ConfigError, match="network file system"):
        Database.open(f"sqlite:///{tmp_path / 'a.db'}")


def test_the_file_system_is_that_of_the_longest_mount_point() -> None:
    mounts = "/dev/sda / ext4 rw 0 0\nserver:/x /data/far\\040away nfs4 rw 0 0\ntmpfs /data tmpfs rw 0 0\n"
    assert disk._filesystem(Path("/data/far away/db"), mounts) == "nfs4"
    assert disk._filesystem(Path("/data/near"), mounts) == "tmpfs"
    assert disk._filesystem(Path("/home"), mounts) == "ext4"


def test_sqlite_with_the_wal_reset_fault_is_a_finding(file: SqliteDatabase) -> None:
    assert [wal_reset_fault(version) for version in ("3.6.23", "3.7.0", "3.40.1", "3.51.2", "3.51.3", "3.54.1")] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    expected = 1 if wal_reset_fault(sqlite3.sqlite_version) else 0
    assert len(file.self_check()) == expected


def test_a_database_without_schema_is_a_finding(tmp_path: Path) -> None:
    bare = Database.open(f"sqlite:///{tmp_path / 'bare.db'}")
    assert any("no schema" in finding for finding in bare.self_check())
    bare.close()


def test_a_store_that_cannot_run_with_full_synchronous_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "PRAGMAS", {"synchronous": ("OFF", 2)})
    with pytest.raises(ConfigError, match="synchronous=OFF"):
        Database.open(f"sqlite:///{tmp_path / 'a.db'}")


def test_a_file_that_is_no_database_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database at all " * 100)
    with pytest.raises(StorageFailedError, match="not a database"):
        Database.open(f"sqlite:///{tmp_path / 'a.db'}")
