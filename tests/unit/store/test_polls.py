from datetime import UTC, datetime

from adapter.fhir.page import Entry
from adapter.store import inbox, polls
from adapter.store.database import Database
from tests.builders import adt, raw
from tests.plans import SqliteDesk, listening

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NAMES = {("Observation", "1"), ("Observation", "2"), ("Patient", "1"), ("Patient", "2")}


def entry(kind: str, name: str, version: str) -> Entry:
    return Entry(kind, name, version, NOW, {}, "", 0)


def noted(database: Database, *entries: Entry) -> None:
    with database.write() as tx:
        receipt, *_ = inbox.put_many(tx, [raw(adt("A01"))])
        polls.note(tx, "ehr", entries, receipt.inbox_id, NOW)


def test_the_version_of_each_is_told_and_of_one_never_seen_nothing(database: Database) -> None:
    noted(database, entry("Observation", "1", "a"), entry("Patient", "1", "b"))
    with database.read() as conn:
        assert polls.versions(conn, "ehr", NAMES) == {("Observation", "1"): "a", ("Patient", "1"): "b"}
        assert polls.versions(conn, "other", NAMES) == {}
        assert polls.versions(conn, "ehr", []) == {}


def test_what_a_page_names_is_found_and_not_looked_for_among_all_that_was_polled(file: Database) -> None:
    with file.read() as conn, listening() as heard:
        polls.versions(conn, "ehr", NAMES)
        plans = [line for said in heard.statements.items() for line in SqliteDesk(conn)._plan(*said)]
    assert len(plans) == 1, plans  # one statement for both kinds
    assert "(source=? AND kind=? AND id=?)" in plans[0]
