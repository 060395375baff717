"""Our own checkpoints: the log stays short whatever is written. That their failure is seen, tests/crash shows."""

import sqlite3
from pathlib import Path

import pytest

from adapter.store import checkpoint
from adapter.store.database import Database

PAGE = 4096


def write(database: Database, commits: int, size: int) -> None:
    for _ in range(commits):
        with database.write() as tx:
            tx.exec_driver_sql(
                "INSERT INTO users VALUES (hex(randomblob(20)), 'x', hex(randomblob(?)), 0, '')", (size,)
            )


def log(database: Database) -> int:
    return Path(f"{database.path}-wal").stat().st_size


@pytest.mark.parametrize(("commits", "size"), [(1000, 10), (300, 20_000), (12, 2_000_000)])
def test_the_log_stays_short_whatever_is_written(database: Database, commits: int, size: int) -> None:
    write(database, commits, size)
    one = 3 * size + 40 * PAGE
    assert log(database) < 2 * checkpoint.PAGES * PAGE + checkpoint.GROWTH + 2 * one


def test_a_reader_puts_the_checkpoint_off_and_nothing_else(database: Database) -> None:
    with database.read() as conn:
        conn.exec_driver_sql("SELECT count(*) FROM users").all()
        write(database, 300, 20_000)
        long = log(database)
        assert long > 2 * checkpoint.PAGES * PAGE
    write(database, 300, 20_000)
    assert log(database) <= long + checkpoint.GROWTH + 100 * PAGE


def test_making_room_empties_the_log(database: Database) -> None:
    write(database, 20, 20_000)
    assert log(database) > 0
    database.make_room()
    assert log(database) == 0
    write(database, 1, 10)


def test_the_data_are_in_the_file_alone_after_a_close(database: Database) -> None:
    write(database, 20, 10)
    database.close()
    assert not Path(f"{database.path}-wal").exists()
    with sqlite3.connect(database.path) as store:
        assert store.execute("SELECT count(*) FROM users").fetchone() == (20,)
    store.close()
