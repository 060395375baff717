import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from adapter.store import audit
from adapter.store.audit import Act, Head
from adapter.store.database import Database, Transaction
from tests import stores

NOW = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
VIEW = Act("anna", "coordinator", "candidate-view", "candidate", "c1", {"trial": "immunosep"}, reason="round")


def fill(database: Database, number: int = 4) -> Head:
    with database.write() as tx:
        for minute in range(number):
            head = audit.append(tx, VIEW, NOW + timedelta(minutes=minute))
    return head


def tamper(database: Database, folder: Path, *statements: str) -> list[str]:
    """As somebody with the file, or the server, and time would: triggers dropped first."""
    triggers = ("audit_no_update", "audit_no_delete") if stores.on_sqlite() else ("audit_only_grows ON audit",)
    with stores.beside(folder) as conn:
        for statement in (*(f"DROP TRIGGER {trigger}" for trigger in triggers), *statements):
            conn.execute(statement)
    with database.read() as snapshot:
        return audit.verify(snapshot)


def test_an_untouched_chain_is_whole_and_readable(database: Database) -> None:
    head = fill(database)
    with database.read() as conn:
        assert audit.verify(conn) == []
        assert audit.verify(conn, head) == []
        assert audit.head(conn) == head
        rows = list(audit.listing(conn, after=1, limit=2))
    assert [(row.seq, row.at, row.act) for row in rows] == [
        (2, NOW + timedelta(minutes=1), VIEW),
        (3, NOW + timedelta(minutes=2), VIEW),
    ]


def test_an_empty_log_is_whole(database: Database) -> None:
    with database.read() as conn:
        assert audit.verify(conn) == []
        assert audit.head(conn) == Head(0, audit.GENESIS)


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'eve'", "DELETE FROM audit"])
def test_the_database_itself_refuses_changes(database: Database, tmp_path: Path, statement: str) -> None:
    fill(database)
    refused = sqlite3.IntegrityError if stores.on_sqlite() else psycopg.errors.RaiseException
    with stores.beside(tmp_path) as conn, pytest.raises(refused, match="append-only"):
        conn.execute(statement)


@pytest.mark.parametrize(
    "column", ["at", "actor", "role", "action", "object_type", "object_id", "detail", "outcome", "reason", "hash"]
)
def test_a_changed_entry_is_found(database: Database, tmp_path: Path, column: str) -> None:
    fill(database)
    assert "entry 2 was changed" in tamper(database, tmp_path, f"UPDATE audit SET {column} = '\"x\"' WHERE seq = 2")


def test_a_removed_entry_is_found(database: Database, tmp_path: Path) -> None:
    fill(database)
    assert "entries 2 to 2 are missing" in tamper(database, tmp_path, "DELETE FROM audit WHERE seq = 2")


def test_a_removed_and_renumbered_entry_is_found(database: Database, tmp_path: Path) -> None:
    fill(database)
    problems = tamper(
        database,
        tmp_path,
        "DELETE FROM audit WHERE seq = 2",
        "UPDATE audit SET seq = 2 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = 4",
    )
    assert "entry 2 is not chained to the entry before it" in problems


def test_exchanged_entries_are_found(database: Database, tmp_path: Path) -> None:
    fill(database)
    assert tamper(
        database,
        tmp_path,
        "UPDATE audit SET seq = 9 WHERE seq = 2",
        "UPDATE audit SET seq = 2 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = 9",
    )


def test_a_cut_end_is_found_with_an_anchor_only(database: Database, tmp_path: Path) -> None:
    anchor = fill(database)
    assert tamper(database, tmp_path, "DELETE FROM audit WHERE seq > 2") == []
    with database.read() as conn:
        assert audit.verify(conn, anchor) == ["entries 3 to 4 are missing at the end"]


def test_a_log_written_anew_is_found_with_an_anchor_only(database: Database, tmp_path: Path) -> None:
    anchor = fill(database)
    tamper(database, tmp_path, "DELETE FROM audit")
    with database.write() as tx:
        for _ in range(5):
            audit.append(tx, Act("eve", "admin", "nothing"), NOW)
    with database.read() as conn:
        assert audit.verify(conn) == []
        assert audit.verify(conn, anchor) == ["entry 4 is not the one that was anchored"]


def act_and_fail(tx: Transaction) -> None:
    audit.append(tx, VIEW, NOW)
    raise ZeroDivisionError


def test_an_act_and_its_audit_row_stand_or_fall_together(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as tx:
        act_and_fail(tx)
    with database.read() as conn:
        assert audit.head(conn).seq == 0
