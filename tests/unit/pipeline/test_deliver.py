"""From the outbox to real receivers and back."""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.domain.alert import AlertKind
from adapter.domain.message import Delivery, RemoteResource
from adapter.errors import RejectedError, StorageFailedError, UnavailableError
from adapter.pipeline.deliver import PATIENCE, deliver_next
from adapter.pipeline.exchange import Limits
from adapter.pipeline.outgoing import Occasion, Owed, PushWhen, SinkOutlet, owed
from adapter.sinks.edc_fhir import Edc, EdcFhir
from adapter.standins.edc import create_edc
from adapter.standins.edc_store import EdcStore
from adapter.store import audit, outbox
from adapter.store.database import Database
from adapter.telemetry import Metrics
from tests import stores
from tests.assessments import CONTEXT, assessment, change
from tests.peers import Script, misbehaving, serving
from tests.postgres import Cluster

NOW = datetime(2026, 1, 2, 10, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Peer:
    """An outlet that does what the test says; anything but an exception is what the peer then holds."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.got = list(answers), list[Delivery]()

    async def deliver(self, delivery: Delivery) -> RemoteResource | None:
        self.got.append(delivery)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def database(each_store: str, tmp_path: Path) -> Iterator[Database]:
    made = stores.opened(tmp_path)
    yield made
    made.close()


def owe(database: Database, *rows: tuple[str, str], kind: str = "raised", outlet: str = "o") -> None:
    with database.write() as tx:
        for subject, key in rows:
            outbox.add(tx, Owed(outlet, subject, kind, "{}", key), NOW)


def rounds(database: Database, peer: Any, clock: Clock, number: int = 1, **options: Any) -> int:
    return sum(asyncio.run(deliver_next(database, {"o": peer}, clock, **options)) for _ in range(number))


def test_what_is_owed_arrives_once_in_order_per_subject(database: Database) -> None:
    peer, clock = Peer(), Clock()
    owe(database, ("a", "a1"), ("a", "a2"), ("b", "b1"))
    assert rounds(database, peer, clock, 5) == 3
    assert [d.key for d in peer.got] == ["a1", "b1", "a2"]


def test_a_blocked_subject_waits_its_time_and_blocks_no_other(database: Database) -> None:
    peer, clock = Peer(UnavailableError("x", retry_after=100)), Clock()
    owe(database, ("a", "a1"), ("a", "a2"), ("b", "b1"))
    assert rounds(database, peer, clock, 3) == 1
    clock.now += timedelta(seconds=101)
    assert rounds(database, peer, clock, 2) == 2
    assert [(d.key, d.attempts) for d in peer.got] == [("a1", 0), ("b1", 0), ("a1", 1), ("a2", 0)]


def test_a_no_is_a_dead_letter_and_is_counted(database: Database) -> None:
    metrics = Metrics()
    owe(database, ("a", "a1"))
    assert rounds(database, Peer(RejectedError("no")), Clock(), 3, metrics=metrics) == 0
    with database.read() as conn:
        assert outbox.counts(conn)["o"].dead == 1
    assert b'adapter_push_total{outcome="refused",outlet="o"} 1.0' in metrics.text()


def test_what_left_the_house_and_what_was_refused_is_on_record_and_a_try_is_not(database: Database) -> None:
    owe(database, ("S1", "k1"), kind="bundle")
    owe(database, ("c1", "k2"))
    peer = Peer(UnavailableError("away"), RejectedError("no such patient"))
    rounds(database, peer, Clock())
    clock = Clock()
    clock.now += timedelta(hours=1)
    peer.answers = [RemoteResource("ResearchSubject/7", "2")]
    rounds(database, peer, clock)
    with database.read() as conn:
        refused, sent = (row.act for row in audit.listing(conn))
    assert (refused.action, refused.outcome, refused.reason) == ("alert-failed", "refused", "no such patient")
    assert (refused.object_type, refused.object_id, refused.detail["subject"]) == ("delivery", "k2", "c1")
    assert (sent.action, sent.outcome, sent.object_type, sent.object_id) == (
        "push-sent",
        "ok",
        "screening-number",
        "S1",
    )
    assert sent.detail == {
        "outlet": "o",
        "kind": "bundle",
        "key": "k1",
        "attempts": 2,
        "sha256": hashlib.sha256(b"{}").hexdigest(),
        "resource": "ResearchSubject/7",
        "version": "2",
    }


def test_a_bug_is_dead_after_three_tries_and_its_words_are_not_kept(database: Database) -> None:
    peer, clock = Peer(*[ValueError("Piet Jansen")] * 3), Clock()
    owe(database, ("a", "a1"))
    for _ in range(6):
        rounds(database, peer, clock)
        clock.now += timedelta(hours=1)
    assert len(peer.got) == 3
    with database.read() as conn:
        text = str(conn.exec_driver_sql("select error, state from outbox").all())
    assert text == "[('ValueError', 'dead')]"


def test_an_outlet_that_does_not_answer_is_left_alone_for_the_round(database: Database) -> None:
    peer = Peer(*[UnavailableError("x")] * 10)
    owe(database, *((str(n), str(n)) for n in range(10)))
    rounds(database, peer, Clock())
    assert len(peer.got) == PATIENCE


def test_an_outlet_that_fails_does_not_stop_another(database: Database) -> None:
    good = Peer()
    owe(database, ("a", "a1"), outlet="bad")
    owe(database, ("a", "a1"), outlet="good")
    outlets = {"bad": Peer(KeyError("x")), "good": good}
    assert asyncio.run(deliver_next(database, outlets, Clock())) == 1
    assert len(good.got) == 1


def test_what_the_peer_holds_is_known_next_time(database: Database) -> None:
    peer = Peer(RemoteResource("r", "1"))
    owe(database, ("a", "a1"), ("a", "a2"))
    rounds(database, peer, Clock(), 2)
    assert [d.remote for d in peer.got] == [None, RemoteResource("r", "1")]


def test_a_failing_disk_is_not_taken_for_a_failing_peer(database: Database) -> None:
    owe(database, ("a", "a1"))
    with pytest.raises(StorageFailedError):
        rounds(database, Peer(StorageFailedError("disk")), Clock())


def test_an_edc_that_was_away_ends_with_the_content_of_one_that_never_was(database: Database) -> None:
    """P8 in small: 503, silence, a lost reply and a race, over a raise, an update and a withdrawal of two subjects."""
    faults = [503, "drop", "drop-after", 503, "drop-after", 429, "drop-after", "drop-after"]
    always, sometimes = (_run(database, name, steps) for name, steps in (("never-down", []), ("flaky", faults)))
    assert sometimes == always
    assert [r["status"] for r in always if r["resourceType"] == "ResearchSubject"] == ["ineligible", "ineligible"]


def _run(database: Database, name: str, steps: list[Any]) -> list[dict[str, Any]]:
    store, clock, script = EdcStore(), Clock(), Script(list(steps))
    with ExitStack() as stack:
        base = stack.enter_context(misbehaving(stack.enter_context(serving(create_edc(store))), script))
        sink = EdcFhir(Edc(base, limits=Limits(10, 20, 30)), clock)
        for kind in AlertKind:
            for number in ("AAAA", "BBBB"):
                _decide(database, name, number, kind)
            for _ in range(40):
                asyncio.run(deliver_next(database, {name: sink}, clock))
                clock.now += timedelta(minutes=30)
        with database.read() as conn:
            assert (outbox.counts(conn)[name].waiting, outbox.counts(conn)[name].dead) == (0, 0)
    assert script.steps == []
    found = ({k: v for k, v in r.items() if k not in ("meta", "id")} for r in store.resources.values())
    return sorted((_without_edc_ids(r) for r in found), key=str)


def _without_edc_ids(resource: dict[str, Any]) -> dict[str, Any]:
    return resource | {"target": []} if resource["resourceType"] == "Provenance" else resource


def _decide(database: Database, outlet: str, number: str, kind: AlertKind) -> None:
    given = assessment(shown=kind is not AlertKind.WITHDRAWN, stratum=f"{kind}")
    pushed = {outlet: "earlier"} if kind is not AlertKind.RAISED else {}
    occasion = Occasion(f"c-{number}", number, "https://w/c", pushed=pushed)
    rows = owed(change(kind, given), given, [SinkOutlet(outlet, PushWhen.CANDIDATE, CONTEXT)], occasion)
    with database.write() as tx:
        for row in rows:
            outbox.add(tx, row, NOW)


def test_a_store_that_goes_while_a_delivery_is_out_is_away_and_no_bug(postgres: Cluster, tmp_path: Path) -> None:
    class Cutting(Peer):
        """Has the server end every session of the store while it is spoken to."""

        async def deliver(self, delivery: Delivery) -> RemoteResource | None:
            if not self.got:
                with postgres.session() as conn:
                    conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'")
            return await super().deliver(delivery)

    with stores.using(postgres):
        database, peer = stores.opened(tmp_path), Cutting()
        owe(database, ("a", "a1"))
        with pytest.raises(UnavailableError, match="no connection to PostgreSQL"):
            rounds(database, peer, Clock())
        assert rounds(database, peer, Clock()) == 1
        assert [delivery.key for delivery in peer.got] == ["a1", "a1"]
        database.close()
