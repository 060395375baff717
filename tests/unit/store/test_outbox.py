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
    ends: bool = False
    spares: str = ""

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


def test_a_snapshot_that_ends_it_leaves_no_older_one_on_its_way(database: Database) -> None:
    owe(database, Debt("b1", kind="bundle"))
    with database.write() as tx:
        outbox.postponed(tx, 1, "503", NOW)
    owe(database, Debt("b2", kind="bundle", ends=True), Debt("other", "s2", kind="bundle"))
    assert list(due(database)) == ["b2", "other"]
    with database.read() as conn:
        assert outbox.told(conn, "edc", "s1", "{}"), "the first one was tried and may have arrived"


def test_a_snapshot_spares_the_older_one_that_says_what_it_does_not(database: Database) -> None:
    owe(database, Debt("b1", kind="bundle", payload="measured"), Debt("b2", kind="bundle", payload="a day"))
    owe(database, Debt("b3", kind="bundle", payload="measured 100%"))
    owe(database, Debt("b4", kind="bundle", payload="a day", spares="measured"))
    owe(database, Debt("b5", kind="bundle", payload="two days", spares="measured"))
    with database.read() as conn:
        assert outbox.counts(conn)["edc"].superseded == 3
    assert list(due(database)) == ["b3"]
    with database.write() as tx:
        outbox.delivered(tx, due(database)["b3"], None, NOW)
    assert list(due(database)) == ["b5"]


def test_what_failed_on_its_way_after_it_was_superseded_does_not_come_back(database: Database) -> None:
    owe(database, Debt("b1", kind="bundle"))
    [on_its_way] = due(database).values()
    owe(database, Debt("b2", kind="bundle", ends=True))
    with database.write() as tx:
        outbox.postponed(tx, on_its_way, "503", NOW)
    assert list(due(database)) == ["b2"]
    with database.read() as conn:
        assert outbox.counts(conn)["edc"].superseded == 1


def test_what_is_withheld_does_not_leave_and_is_owed_anew(database: Database) -> None:
    owe(database, Debt("a1"), Debt("b1", kind="bundle"), Debt("c1", "s2", kind="bundle"))
    with database.write() as tx:
        outbox.withhold(tx, ["s1"], NOW)
    assert list(due(database)) == ["a1", "c1"], "only snapshots, and only of that subject"
    with database.read() as conn:
        assert outbox.newest_contents(conn, "s1") == {"edc": "content of a1"}
    owe(database, Debt("b1", kind="bundle"))
    with database.write() as tx:
        outbox.delivered(tx, due(database)["a1"], None, NOW)
    assert list(due(database)) == ["c1", "b1"]
    with database.write() as tx:
        outbox.postponed(tx, due(database)["b1"], "503", NOW)
        outbox.withhold(tx, ["s1"], NOW)
        assert outbox.newest_contents(tx, "s1") == {"edc": outbox.WITHHELD}, "that one may have arrived"
    assert list(due(database)) == ["c1"]


def test_what_was_delivered_is_not_delivered_again_while_it_is_withheld(database: Database) -> None:
    owe(database, Debt("b1", kind="bundle"), Debt("c1", "s2", kind="bundle"))
    with database.write() as tx:
        for one in due(database).values():
            outbox.delivered(tx, one, None, NOW)
        outbox.withhold(tx, ["s1"], NOW)
    with database.read() as conn:
        assert [one.key for one in outbox.held_by(conn, "edc", 0, 10)] == ["c1"]
