from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from adapter.domain.message import RemoteResource
from adapter.store import outbox
from adapter.store.database import Database

NOW = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Debt:
    key: str
    subject: str = "s1"
    kind: str = "alert"
    outlet: str = "edc"
    payload: str = "{}"

    @property
    def content(self) -> str:
        return f"content of {self.key}"


def owe(database: Database, *debts: Debt) -> None:
    with database.write() as tx:
        for debt in debts:
            outbox.add(tx, debt, NOW)


def due(database: Database, now: datetime = NOW, limit: int = 10) -> dict[str, int]:
    with database.read() as conn:
        return {delivery.key: delivery.id for delivery in outbox.due(conn, "edc", now, limit)}


def test_only_the_oldest_of_each_subject_is_due(database: Database) -> None:
    owe(database, Debt("a1"), Debt("a2"), Debt("b1", "s2"), Debt("x", outlet="mail"))
    assert list(due(database)) == ["a1", "b1"]
    assert list(due(database, limit=1)) == ["a1"]


def test_the_same_key_is_owed_once(database: Database) -> None:
    owe(database, Debt("a1"), Debt("a1", payload='{"other":1}'), Debt("a1", outlet="mail"))
    with database.read() as conn:
        assert {name: seen.waiting for name, seen in outbox.counts(conn).items()} == {"edc": 1, "mail": 1}


def test_a_delivered_one_makes_way_for_the_next_with_what_the_peer_holds(database: Database) -> None:
    owe(database, Debt("a1"), Debt("a2"))
    with database.write() as tx:
        outbox.delivered(tx, due(database)["a1"], RemoteResource("r", "1"), NOW)
    with database.read() as conn:
        [second] = outbox.due(conn, "edc", NOW, 10)
        assert (second.key, second.attempts, second.remote) == ("a2", 0, RemoteResource("r", "1"))
        assert outbox.remote(conn, "edc", "s1") == RemoteResource("r", "1")
        assert outbox.remote(conn, "edc", "s2") is None
    with database.write() as tx:
        outbox.delivered(tx, second.id, RemoteResource("r", "2"), NOW)
        assert outbox.remote(tx, "edc", "s1") == RemoteResource("r", "2")
        assert outbox.counts(tx)["edc"].delivered == 2


def test_a_postponed_one_holds_its_subject_back_and_no_other(database: Database) -> None:
    owe(database, Debt("a1"), Debt("a2"), Debt("b1", "s2"))
    later = NOW + timedelta(minutes=5)
    with database.write() as tx:
        outbox.postponed(tx, due(database)["a1"], "503", later)
    assert list(due(database)) == ["b1"]
    with database.read() as conn:
        [first, _] = outbox.due(conn, "edc", later, 10)
    assert (first.key, first.attempts) == ("a1", 1)


def test_a_dead_letter_lets_the_subject_go_on(database: Database) -> None:
    owe(database, Debt("a1"), Debt("a2"))
    with database.write() as tx:
        outbox.dead(tx, due(database)["a1"], "422", NOW)
    assert list(due(database)) == ["a2"]
    with database.read() as conn:
        assert outbox.counts(conn)["edc"] == outbox.OutletCounts(1, 0, 1, 0, NOW)


def test_a_newer_snapshot_supersedes_an_untried_older_one_only(database: Database) -> None:
    owe(database, Debt("b1", kind="bundle"))
    with database.write() as tx:
        outbox.postponed(tx, 1, "503", NOW)
    owe(database, Debt("b2", kind="bundle"), Debt("alert"), Debt("b3", kind="bundle"), Debt("b3", kind="bundle"))
    owe(database, Debt("other", "s2", kind="bundle"))
    with database.read() as conn:
        assert outbox.counts(conn)["edc"].superseded == 1
        assert outbox.newest_contents(conn, "s1") == {"edc": "content of b3"}
        assert outbox.newest_contents(conn, "s2") == {"edc": "content of other"}
        assert outbox.newest_contents(conn, "s3") == {}
    order = []
    for _ in range(3):
        with database.write() as tx:
            delivery = outbox.due(tx, "edc", NOW, 10)[0]
            order.append(delivery.key)
            outbox.delivered(tx, delivery.id, None, NOW)
    assert order == ["b1", "alert", "b3"]
