from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from adapter.domain.patient import PatientId
from adapter.domain.ties import Unlink
from adapter.errors import ConfigError
from adapter.store import persons
from adapter.store.database import Database, Transaction
from adapter.store.migrate import HEAD, VERSION_TABLE, _config, current_revision, migrate
from adapter.store.schema import metadata
from tests import stores
from tests.postgres import PASSWORD


def test_the_migrations_build_the_tables_that_the_schema_states(database: Database) -> None:
    with database.read() as conn:
        context = MigrationContext.configure(conn, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []


def cut_short(tx: Transaction) -> None:
    migrate(tx)
    raise ZeroDivisionError


def test_the_newest_revision_is_the_one_the_program_knows() -> None:
    assert ScriptDirectory.from_config(_config(None)).get_current_head() == HEAD


def test_migrating_again_changes_nothing(database: Database) -> None:
    with database.read() as conn:
        before = current_revision(conn)
    database.migrate()
    with database.read() as conn:
        assert current_revision(conn) == before == HEAD


def test_a_store_newer_than_the_program_is_refused(database: Database) -> None:
    with database.write() as tx:
        tx.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="newer than this program"):
        database.migrate()


def bare(folder: Path) -> Database:
    return Database.open(stores.address(folder, "bare.db", bare=True), password=PASSWORD)


def test_a_migration_cut_short_leaves_the_old_schema(
    each_store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = bare(tmp_path)
    monkeypatch.setattr("adapter.store.disk.Guard.look", lambda self: None)
    with pytest.raises(ZeroDivisionError), opened.write() as tx:
        cut_short(tx)
    with opened.read() as conn:
        assert current_revision(conn) is None
        assert inspect(conn).get_table_names() == []
    opened.close()


def test_an_older_store_is_counted_for_what_no_mapping_knew(each_store: str, tmp_path: Path) -> None:
    from alembic import command

    opened = bare(tmp_path)
    issue = '{"code": "%s", "detail": "%s", "text": "", "where": ""}'
    said = ", ".join(issue % pair for pair in (("unmapped-code", "K"), ("unmapped-code", "K"), ("bom", "")))
    with opened.write() as tx:
        command.upgrade(_config(tx), "0002")
        tx.execute(text(
            "INSERT INTO inbox (source, site, kind, sender, control_id, type, peer, received, sha256, acknowledgment, body) "
            "VALUES ('lab', '', '', '', '', '', '', '', '', '', '')"
        ))  # fmt: skip
        tx.execute(
            text("INSERT INTO inbox_outcomes VALUES (1, 'applied', NULL, NULL, :said, '')"), {"said": f"[{said}]"}
        )
    opened.migrate()
    with opened.read() as conn:
        assert [tuple(row) for row in conn.execute(text("SELECT * FROM unmapped"))] == [
            ("lab", "unmapped-code", "K", 2, 0, 0)
        ]
    opened.close()


def test_the_results_of_an_older_store_are_all_there(tmp_path: Path) -> None:
    from alembic import command

    opened = Database.open(f"sqlite:///{tmp_path / 'a.db'}")
    with opened.write() as tx:
        command.upgrade(_config(tx), "0004")
        tx.execute(
            text("INSERT INTO patients (site, authority, value, demographics) VALUES ('generic', '', '1', '{}')")
        )
        tx.execute(text(
            "INSERT INTO results (patient, concept, identity, effective, versions) "
            "VALUES (1, 'map', 'b', '2026', '[1]'), (1, 'wbc', 'a', '2025', '[2]')"
        ))  # fmt: skip
    opened.migrate()
    with opened.read() as conn:
        found = conn.execute(text("SELECT patient, effective, concept, identity, versions FROM results")).all()
    assert [tuple(row) for row in found] == [(1, "2025", "wbc", "a", "[2]"), (1, "2026", "map", "b", "[1]")]
    opened.close()


def test_the_merges_of_an_older_store_hold_and_may_be_taken_back(each_store: str, tmp_path: Path) -> None:
    from alembic import command

    opened = bare(tmp_path)
    one, other, apart = (PatientId("generic", "", number) for number in "123")
    with opened.write() as tx:
        command.upgrade(_config(tx), "0007")
        for number in "213":
            into = "1" if number == "1" else "NULL"
            tx.execute(text(
                "INSERT INTO patients (site, authority, value, demographics, merged_into) "
                f"VALUES ('generic', '', '{number}', '{{}}', {into})"
            ))  # fmt: skip
        tx.execute(text("INSERT INTO merges VALUES (2, 1, 7)"))
    opened.migrate()
    with opened.read() as conn:
        assert (persons.root(conn, one), persons.resolve(conn, one)) == (other, other)
        assert persons.root(conn, apart) is None
        knot = persons.knot(conn, one, Unlink(one, other, datetime(2026, 1, 1, tzinfo=UTC)))
        assert [person.name for person in knot.persons] == [one, other]
    opened.close()
