"""Several processors on one PostgreSQL store: each patient has one of them at a time, and what it remembers is never old."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapter.domain.message import Delivery
from adapter.domain.patient import PatientId
from adapter.errors import RejectedError, UnavailableError
from adapter.pipeline.deliver import deliver_next
from adapter.pipeline.erasing import Wish
from adapter.pipeline.keep import Keeper
from adapter.pipeline.knots import state_of
from adapter.pipeline.outgoing import Owed
from adapter.pipeline.process import Processor
from adapter.screening.rulebook import Rulebook
from adapter.store import inbox, leases, marks, outbox, patients, persons, unjudged
from adapter.store.partitions import ALL, COUNT, move, partition_of
from adapter.store.postgres import WRITER
from tests import builders, stores
from tests.builders import adt, obx, oru
from tests.crash.test_cluster import WITNESS
from tests.postgres import Cluster
from tests.walking import House, open_house

CREATININE = obx("2160-0", "1.9", "mg/dL")


def who(number: str) -> PatientId:
    return PatientId("generic", "HOSP", number)


def result(number: str, control: str, value: str = "1.9") -> bytes:
    return oru(obx("2160-0", value, "mg/dL"), patient=number, control=control, order=control)


class Pair:
    """Two processors with a database object, a session and a memory each."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.one = folder, open_house(folder)
        self.two = self.another(folder)

    def another(self, folder: Path) -> House:
        database = stores.opened(folder)
        keeper = Keeper(database, self.one.keeper.rules, self.one.keeper.secret, self.one.keeper.outlets, "")
        processor = Processor(database, keeper.rules, keeper, lambda: self.one.now, lambda: None)
        return House(database, processor, keeper, self.one.now)

    def share(self) -> None:
        """Until each holds half."""
        for _ in range(3):
            for house in (self.one, self.two):
                house.processor.step()
        assert len(held(self.one)) == len(held(self.two)) == COUNT // 2

    def put(self, *bodies: bytes) -> list[int]:
        """Stored as a receiver does, each in its patient's partition."""
        receipts = self.one.put(*bodies)
        return [receipt.inbox_id for receipt in receipts]

    def sort(self, places: dict[int, int]) -> None:
        with self.one.database.write() as tx:
            move(tx, places)

    def number_of(self, house: House, but: str = "") -> str:
        """A patient whom this processor keeps."""
        return next(n for n in map(str, range(100, 999)) if n != but and partition_of(who(n)) in held(house))

    def tell(self, *bodies: bytes) -> None:
        """Sorted by the first patient, then processed by whoever keeps it."""
        for item, body in zip(self.put(*bodies), bodies, strict=True):
            self.sort({item: partition_of(who(body.split(b"PID|")[1].split(b"|")[2].split(b"^")[0].decode()))})
        self.work()

    def work(self) -> None:
        while self.one.processor.step() + self.two.processor.step():
            pass


def held(house: House) -> frozenset[int]:
    return house.processor._shares.held


def values(house: House, number: str) -> list[str]:
    with house.database.read() as conn:
        state = state_of(conn, who(number))
    return sorted(one.current.original.value for one in state.results.get("creatinine", ()) if one.current)


@pytest.fixture
def pair(postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setattr(leases, "LOOK_AGAIN", 0.0)
    with stores.using(postgres):
        made = Pair(tmp_path)
        yield made
        for house in (made.one, made.two):
            house.processor.close()
            house.database.close()


def test_alone_one_holds_everything_and_two_halve_it(pair: Pair) -> None:
    pair.one.processor.step()
    assert held(pair.one) == ALL
    pair.share()
    assert held(pair.one) | held(pair.two) == ALL
    assert not held(pair.one) & held(pair.two)
    pair.two.processor.close()
    pair.one.processor.step()
    assert held(pair.one) == ALL


def test_each_takes_only_the_messages_of_its_own_patients(pair: Pair) -> None:
    pair.share()
    mine = pair.number_of(pair.one)
    (item,) = pair.put(result(mine, "R1"))
    pair.sort({item: partition_of(who(mine))})
    assert pair.two.processor.step() == 0
    assert pair.one.processor.step() == 1
    assert values(pair.two, mine) == ["1.9"]


def test_a_message_in_the_wrong_place_is_handed_on_and_processed_once(pair: Pair) -> None:
    pair.share()
    theirs = pair.number_of(pair.two)
    (item,) = pair.put(result(theirs, "R1"))
    pair.sort({item: min(held(pair.one))})
    assert pair.one.processor.step() == 1
    assert values(pair.one, theirs) == []
    assert pair.two.processor.step() == 1
    assert values(pair.one, theirs) == ["1.9"]
    assert pair.one.counts().applied == 1


def test_memory_is_forgotten_when_a_partition_changes_hands(pair: Pair) -> None:
    """One remembers the patient, two changes it meanwhile, and one goes on from what two left."""
    one, two = pair.one, pair.two
    for house, control, value in ((one, "R1", "1.1"), (two, "R2", "1.2"), (one, "R3", "1.3"), (two, "R4", "1.4")):
        (item,) = pair.put(result("100", control, value))
        pair.sort({item: partition_of(who("100"))})
        assert house.processor.step() == 1
        assert who("100") in house.keeper._memory
        house.processor.close()
    assert values(one, "100") == ["1.1", "1.2", "1.3", "1.4"]
    two.processor.step()
    known = two.keeper.known(who("100")).state.results["creatinine"]
    assert sorted(found.current.original.value for found in known if found.current) == ["1.1", "1.2", "1.3", "1.4"]


@contextlib.contextmanager
def at_work(*houses: House) -> Iterator[None]:
    """Their processors step beside whatever is done here, and end."""
    stop = threading.Event()

    def run(house: House) -> None:
        while not stop.is_set():
            house.processor.step()
            time.sleep(0.01)
        house.processor.close()

    threads = [threading.Thread(target=run, args=(house,)) for house in houses]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def until_all_is_done(pair: Pair) -> None:
    deadline = time.monotonic() + 20
    while pair.one.counts().pending and time.monotonic() < deadline:
        time.sleep(0.02)


def test_a_merge_of_two_processors_patients_is_done_by_one_with_both_in_hand(pair: Pair) -> None:
    pair.share()
    old, new = pair.number_of(pair.one), pair.number_of(pair.two)
    pair.tell(result(old, "R1", "1.1"), result(new, "R2", "1.2"))
    (item,) = pair.put(adt("A40", patient=new, merged=old, control="A40"))
    pair.sort({item: partition_of(who(old))})
    with at_work(pair.two):
        while pair.one.counts().pending:
            pair.one.processor.step()
    assert values(pair.one, old) == values(pair.two, new) == ["1.1", "1.2"]
    # What the old number still brings goes to whoever keeps the person now.
    pair.share()
    (late,) = pair.put(result(old, "R3", "1.3"))
    pair.sort({late: partition_of(who(old))})
    pair.work()
    assert values(pair.one, new) == ["1.1", "1.2", "1.3"]
    counts = pair.one.counts()
    assert (counts.applied, counts.pending, counts.received) == (4, 0, 4)


def tied_together(pair: Pair, body: bytes) -> None:
    """A message that may need what the other processor holds."""
    pair.put(body)
    with at_work(pair.one, pair.two):
        until_all_is_done(pair)
    pair.share()


def test_records_that_came_apart_or_share_a_visit_are_kept_by_one_processor(pair: Pair) -> None:
    """Whoever speaks of one of them may change the other: they stay in one partition, and both speak true."""
    pair.share()
    a, b = pair.number_of(pair.one), pair.number_of(pair.two)
    pair.tell(result(a, "R1", "1.1"), result(b, "R2", "2.2"))
    tied_together(pair, adt("A40", patient=b, merged=a, control="M"))
    assert values(pair.one, a) == values(pair.two, b) == ["1.1", "2.2"]
    tied_together(pair, builders.pair("A37", a, b, sent="20260102070000", control="U"))
    pair.tell(result(a, "R3", "1.3"), result(b, "R4", "2.4"))  # each by the one who keeps both: nobody waits
    assert (values(pair.one, a), values(pair.two, b)) == (["1.1", "1.3"], ["2.2", "2.4"])
    tied_together(pair, builders.move(a, b, visit="V1", into="V1", sent="20260102080000", control="V"))
    pair.tell(result(a, "R5", "1.5"))
    assert (values(pair.one, a), values(pair.two, b)) == ([], ["1.1", "1.3", "1.5", "2.2", "2.4"])
    counts = pair.one.counts()
    assert (counts.applied, counts.pending) == (8, 0)


def test_whom_another_processor_keeps_can_be_erased_and_left_out_and_it_remembers_nothing(pair: Pair) -> None:
    pair.share()
    theirs = pair.number_of(pair.two)
    pair.tell(result(theirs, "R1", "1.1"))
    assert who(theirs) in pair.two.keeper._memory
    eraser = pair.one.processor.eraser
    with at_work(pair.two):
        wish = Wish(who(theirs), "file 7", "dpo")
        assert eraser.erase(wish, eraser.look(wish)).messages == 1
    pair.share()
    pair.tell(result(theirs, "R2", "1.2"))
    assert values(pair.one, theirs) == ["1.2"]
    out = replace(wish, opt_out=True)
    with at_work(pair.two):
        eraser.erase(out, eraser.look(out))
    pair.share()
    pair.tell(result(theirs, "R3", "1.3"))
    assert values(pair.one, theirs) == []
    assert pair.one.counts().ignored == 1


def test_patients_who_change_hands_while_an_opt_out_is_taken_back_are_forgotten(pair: Pair) -> None:
    """Given up with the one, had again with the next: what was remembered of them is old by then."""
    one, two = pair.one, pair.two

    def taken_back() -> None:
        with pytest.raises(RejectedError, match="not on the list"):
            one.processor.eraser.take_back(Wish(who("nobody"), "file 7", "dpo"))

    def told(house: House, control: str, value: str) -> int:
        (item,) = pair.put(result(theirs, control, value))
        pair.sort({item: partition_of(who(theirs))})
        return house.processor.step()

    one.processor.step()
    two.processor.step()
    taken_back()
    given = ALL - held(one)
    two.processor.close()
    one.processor.step()
    assert held(one) == ALL
    theirs = next(n for n in map(str, range(100, 999)) if partition_of(who(n)) in given)
    assert told(one, "R1", "1.1") == 1
    two.processor.step()
    taken_back()
    two.processor.step()
    assert told(two, "R2", "1.2") == 1
    with two.database.write() as tx:
        unjudged.mark(tx, {patients.key_of(tx, who(theirs)): 1})
    two.processor.close()
    taken_back()
    assert held(one) == ALL
    assert told(one, "R3", "1.3") == 2, "whom a backlog left was not judged"
    assert values(two, theirs) == ["1.1", "1.2", "1.3"]


def test_whom_a_backlog_left_is_judged_only_by_who_keeps_them_after_a_merge(pair: Pair) -> None:
    """The merge gives up everything else: others may have these patients in hand by then."""
    pair.share()
    old, new = pair.number_of(pair.one), pair.number_of(pair.two)
    left = pair.number_of(pair.one, but=old)
    pair.tell(*(result(number, f"R{number}") for number in (old, new, left)))
    with pair.one.database.write() as tx:
        unjudged.mark(tx, {patients.key_of(tx, who(left)): 1})
    pair.one.processor._backlog.look()
    (item,) = pair.put(adt("A40", patient=new, merged=old, control="A40"))
    pair.sort({item: partition_of(who(old))})
    with stores.beside(pair.folder) as conn:
        conn.execute(WITNESS)
    with at_work(pair.two):
        while pair.one.counts().pending:
            pair.one.processor.step()
    pair.work()
    with stores.beside(pair.folder) as conn:
        judged = conn.execute("SELECT patient, held FROM witness WHERE what = 'candidates'").fetchall()
    with pair.one.database.read() as conn:
        key = patients.key_of(conn, who(left))
        assert not unjudged.newest(conn, 1), "nobody judged whom the backlog left"
    assert [held for patient, held in judged if patient == key]
    assert all(partition_of(who(left)) in held for patient, held in judged if patient == key)


def other(rules: Rulebook) -> Rulebook:
    """Whose files say something else."""
    return replace(rules, digest=f"{rules.digest}0")


def by(pair: Pair, rules: Rulebook) -> House:
    """A processor more that goes by these rules."""
    database, keeper = stores.opened(pair.folder), replace(pair.one.keeper, rules=rules)
    return House(database, Processor(database, rules, keeper, lambda: pair.one.now, lambda: None), keeper, pair.one.now)


def test_who_goes_by_other_rules_keeps_nobody_until_the_last_of_the_others_has_ended(pair: Pair) -> None:
    """Else a verdict would depend on who of the two had the patient."""
    pair.share()
    changed = by(pair, other(pair.one.keeper.rules))
    pair.put(result("100", "R1"))
    for _ in range(2):
        with pytest.raises(UnavailableError, match="at work by other rules"):
            changed.processor.step()
        assert held(changed) == frozenset()
        pair.one.processor.close()
    pair.work()
    assert pair.one.counts().applied == 1
    for house in (pair.one, pair.two):
        house.processor.close()
    assert changed.processor.step() == 0
    assert held(changed) == ALL
    with pytest.raises(UnavailableError, match="at work by other rules"):
        pair.one.processor.step()
    changed.processor.close()
    changed.database.close()


def test_rules_that_were_adopted_are_those_that_others_must_go_by(pair: Pair) -> None:
    new = other(pair.one.keeper.rules)
    alike = by(pair, new)
    pair.one.processor.step()
    pair.one.processor.adopt(new)
    with pytest.raises(UnavailableError, match="at work by other rules"):
        pair.two.processor.step()
    alike.processor.step()
    for _ in range(2):
        pair.one.processor.step()
        alike.processor.step()
    assert len(held(pair.one)) == len(held(alike)) == COUNT // 2
    alike.processor.close()
    alike.database.close()


def test_rules_are_not_adopted_where_somebody_who_goes_by_the_old_ones_has_just_come(pair: Pair) -> None:
    one, two = pair.one.processor, pair.two.processor
    one.step()
    two.step()
    assert held(pair.one) == ALL, "it has given up nothing yet"
    with pytest.raises(UnavailableError, match="at work by other rules"):
        one._shares.under(other(pair.one.keeper.rules).digest)
    pair.share()


def test_two_who_want_each_others_patients_do_not_wait_for_ever(pair: Pair) -> None:
    pair.share()
    a, b = pair.number_of(pair.one), pair.number_of(pair.two)
    c, d = pair.number_of(pair.one, but=a), pair.number_of(pair.two, but=b)
    first, second = pair.put(
        adt("A40", patient=b, merged=a, control="M1"), adt("A40", patient=c, merged=d, control="M2")
    )
    pair.sort({first: partition_of(who(a)), second: partition_of(who(d))})
    with at_work(pair.one, pair.two):
        until_all_is_done(pair)
    assert pair.one.counts().applied == 2
    with pair.one.database.read() as conn:
        assert persons.resolve(conn, who(a)) == who(b)
        assert persons.resolve(conn, who(d)) == who(c)


def test_who_lost_the_session_keeps_nothing_of_what_it_computed(
    postgres: Cluster, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.one.processor.step()
    pair.sort({pair.put(result("100", "R1"))[0]: partition_of(who("100"))})
    prepare = Keeper.prepare

    def lose(keeper: Keeper, *args: Any, **more: Any) -> Any:
        """The screening is done, the session is cut, another takes the patients over."""
        if keeper is not pair.one.keeper:
            return prepare(keeper, *args, **more)
        session = pair.one.processor._shares._session  # type: ignore[attr-defined]
        with postgres.session() as conn:
            conn.execute("SELECT pg_terminate_backend(%s)", (session.connection.dbapi_connection.info.backend_pid,))
        pair.two.processor.step()
        assert values(pair.two, "100") == ["1.9"]
        return prepare(keeper, *args, **more)

    monkeypatch.setattr(Keeper, "prepare", lose)
    with pytest.raises(UnavailableError):
        pair.one.processor.step()
    monkeypatch.undo()
    assert held(pair.one) == frozenset()
    assert pair.one.counts().applied == 1
    pair.one.processor.step()
    assert values(pair.one, "100") == ["1.9"]


def test_a_merged_record_is_not_resurrected_by_a_review(pair: Pair) -> None:
    pair.share()
    number = pair.number_of(pair.one)
    pair.tell(adt("A01", patient=number, cls="E", ward="ED", control="A1"), result(number, "R1"))
    assert pair.two.processor.review() == 0


def test_the_store_belongs_to_one_site_key(pair: Pair) -> None:
    with pair.one.database.write() as tx:
        assert marks.agrees(tx, marks.SITE_KEY, "a")
    with pair.two.database.write() as tx:
        assert marks.agrees(tx, marks.SITE_KEY, "a")
        assert not marks.agrees(tx, marks.SITE_KEY, "b")


def test_what_waits_is_asked_for_by_partition(pair: Pair) -> None:
    first, second = pair.put(result("100", "R1"), result("101", "R2"))
    pair.sort({first: 7, second: 9})
    with pair.one.database.read() as conn:
        assert [item.id for item in inbox.pending(conn, 10, frozenset({9}))] == [second]
        assert inbox.pending(conn, 10, frozenset()) == []
        assert len(inbox.pending(conn, 10)) == 2


class Slow:
    """An outlet that takes its time, and says what it was given."""

    def __init__(self, seconds: float = 0.05) -> None:
        self.got: list[str] = []
        self.seconds = seconds

    async def deliver(self, delivery: Delivery) -> None:
        self.got.append(delivery.key)
        await asyncio.sleep(self.seconds)


def owed(pair: Pair, subject: str, key: str, kind: str = "raised") -> None:
    with pair.one.database.write() as tx:
        outbox.add(tx, Owed("mail", subject, kind, "{}", key), pair.one.now)


def test_two_deliverers_send_each_thing_once_and_in_order(pair: Pair) -> None:
    for number in range(12):
        for part in "ab":
            owed(pair, str(number), f"{number}{part}")
    slow = Slow()

    def deliver(house: House) -> None:
        for _ in range(40):
            asyncio.run(deliver_next(house.database, {"mail": slow}, lambda: pair.one.now))

    threads = [threading.Thread(target=deliver, args=(house,)) for house in (pair.one, pair.two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slow.got) == sorted(f"{number}{part}" for number in range(12) for part in "ab")
    for number in range(12):
        assert slow.got.index(f"{number}a") < slow.got.index(f"{number}b")


def test_a_peer_that_takes_its_time_is_given_each_thing_once(
    postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail server that lets each reply wait, an EDC without transactions: longer than an idle transaction may last."""
    monkeypatch.setattr(
        "adapter.store.postgres.WRITER", WRITER.replace("session_timeout=180s", "session_timeout=100ms")
    )
    with stores.using(postgres):
        house, slow = open_house(tmp_path), Slow(0.5)
        with house.database.write() as tx:
            outbox.add(tx, Owed("mail", "s", "raised", "{}", "key"), house.now)
        assert asyncio.run(deliver_next(house.database, {"mail": slow}, lambda: house.now)) == 1
        assert asyncio.run(deliver_next(house.database, {"mail": slow}, lambda: house.now)) == 0
        assert slow.got == ["key"]
        house.database.close()


def test_what_is_on_its_way_keeps_no_processor_waiting_and_is_free_when_its_sender_dies(pair: Pair) -> None:
    owed(pair, "s", "old", kind=outbox.SNAPSHOT)
    with pair.one.database.read() as conn:
        (going,) = outbox.due(conn, "mail", pair.one.now, 10)
    with contextlib.suppress(ZeroDivisionError), pair.two.database.write() as tx:
        assert outbox.claim(tx, going)
        owed(pair, "s", "new", kind=outbox.SNAPSHOT)  # supersedes what nobody tried; returns at once
        with pair.one.database.write() as other:
            assert not outbox.claim(other, going)
        raise ZeroDivisionError  # as if it died
    with pair.one.database.write() as tx:
        assert outbox.claim(tx, going)
