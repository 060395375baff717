"""Our own checkpoints: the log stays short whatever is written. That their failure is seen, tests/crash shows."""

import sqlite3
from pathlib import Path

import pytest

from adapter.store import checkpoint
from adapter.store.database import SqliteDatabase
from adapter.store.driver import sqlite_driver

PAGE = 4096


def write(file: SqliteDatabase, commits: int, size: int) -> None:
    for _ in range(commits):
        with file.write() as tx:
            tx.exec_driver_sql(
                "INSERT INTO users (name, role, password_hash, created) VALUES (hex(randomblob(20)), 'x', hex(randomblob(?)), '')",
                (size,),
            )


def log(file: SqliteDatabase) -> int:
    return Path(f"{file.path}-wal").stat().st_size


@pytest.mark.parametrize(("commits", "size"), [(1000, 10), (300, 20_000), (12, 2_000_000)])
def test_the_log_stays_short_whatever_is_written(file: SqliteDatabase, commits: int, size: int) -> None:
    write(file, commits, size)
    one = 3 * size + 40 * PAGE
    assert log(file) < 2 * checkpoint.PAGES * PAGE + checkpoint.GROWTH + 2 * one


def test_a_reader_puts_the_checkpoint_off_and_nothing_else(file: SqliteDatabase) -> None:
    with file.read() as conn:
        conn.exec_driver_sql("SELECT count(*) FROM users").all()
        write(file, 600, 20_000)
        long = log(file)
        assert long > 2 * checkpoint.PAGES * PAGE
    write(file, 600, 20_000)
    assert log(file) <= long + checkpoint.GROWTH + 100 * PAGE


def test_while_somebody_reads_a_long_log_is_not_copied_after_each_commit(file: SqliteDatabase) -> None:
    told: list[str] = []
    with file.read() as conn:
        conn.exec_driver_sql("SELECT count(*) FROM users").all()
        write(file, 600, 20_000)
        sqlite_driver(file._connection).set_trace_callback(told.append)
        write(file, 100, 20_000)
    copies = sum("wal_checkpoint" in statement for statement in told)
    assert 1 <= copies <= 10


def test_making_room_empties_the_log(file: SqliteDatabase) -> None:
    write(file, 20, 20_000)
    assert log(file) > 0
    file.make_room()
    assert log(file) == 0
    write(file, 1, 10)


def test_the_data_are_in_the_file_alone_after_a_close(file: SqliteDatabase) -> None:
    write(file, 20, 10)
    file.close()
    assert not Path(f"{file.path}-wal").exists()
    with sqlite3.connect(file.path) as store:
        assert store.execute("SELECT count(*) FROM users").fetchone() == (20,)
    store.close()
