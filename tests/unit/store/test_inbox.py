import hashlib
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapter.domain.issue import Issue
from adapter.domain.message import MessageKind, MessageState, RawMessage, Receipt
from adapter.store import feeds, inbox
from adapter.store.database import Database, SqliteDatabase, Transaction

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def message(control_id: str = "1", body: bytes = b"MSH|1", **changes: Any) -> RawMessage:
    given = RawMessage(
        source="lab",
        site="generic",
        kind=MessageKind.HL7V2,
        body=body,
        received=NOW,
        sender="LAB|HOSP",
        control_id=control_id,
        type="ORU^R01",
        peer="127.0.0.1",
        acknowledgment=b"MSH|ack of " + control_id.encode("utf-8", "surrogateescape"),
    )
    return replace(given, **changes)


def put(database: Database, *messages: RawMessage) -> list[Receipt]:
    with database.write() as tx:
        return inbox.put_many(tx, messages)


def counts(database: Database) -> inbox.InboxCounts:
    with database.read() as conn:
        return inbox.counts(conn)


def end(database: Database, item: int, state: MessageState = MessageState.APPLIED) -> None:
    with database.write() as tx:
        inbox.finish(tx, item, inbox.Ending(state, NOW))


def test_the_bytes_come_back_as_they_came(database: Database) -> None:
    sent = message(body=bytes(range(256)) * 10, quarantine="NO_MSH", sender="ΛΑΒ|Ή")
    [receipt] = put(database, sent)
    with database.read() as conn:
        [item] = inbox.pending(conn, 10)
        assert inbox.raw(conn, receipt.inbox_id) == sent.body
    assert item == inbox.Item(receipt.inbox_id, sent, 0)


def test_a_batch_of_new_messages_is_numbered_in_order(database: Database) -> None:
    receipts = put(database, *(message(str(n)) for n in range(1200)))
    assert [receipt.inbox_id for receipt in receipts] == list(range(1, 1201))
    assert not any(receipt.duplicate for receipt in receipts)
    with database.read() as conn:
        assert [item.message.control_id for item in inbox.pending(conn, 3)] == ["0", "1", "2"]


def test_a_duplicate_makes_no_row_and_answers_with_the_stored_acknowledgment(database: Database) -> None:
    [first] = put(database, message())
    [again] = put(database, message(acknowledgment=b"another"))
    assert (again.inbox_id, again.duplicate, again.acknowledgment) == (first.inbox_id, True, b"MSH|ack of 1")
    with database.read() as conn:
        [row] = inbox.listing(conn)
    assert row.duplicates == 1


def test_duplicates_inside_one_batch_are_seen_too(database: Database) -> None:
    put(database, message("0"))
    receipts = put(database, message("0"), message("1"), message("1"), message("2"))
    assert [(receipt.inbox_id, receipt.duplicate) for receipt in receipts] == [
        (1, True),
        (2, False),
        (2, True),
        (3, False),
    ]
    with database.read() as conn:
        assert [item.id for item in inbox.pending(conn, 10)] == [1, 2, 3]


@pytest.mark.parametrize("other", [{"source": "adt"}, {"sender": "X|Y"}, {"control_id": "2"}, {"body": b"MSH|2"}])
def test_each_part_of_the_key_makes_another_message(database: Database, other: dict[str, Any]) -> None:
    receipts = put(database, message(), message(**other))
    assert [receipt.duplicate for receipt in receipts] == [False, False]


def test_a_control_id_with_other_bytes_is_a_new_message_and_counted(database: Database) -> None:
    put(database, message(), message(body=b"MSH|2"))
    put(database, message(body=b"MSH|3"), message("9"))
    assert counts(database).control_id_reuse == 2
    assert counts(database).pending == 4


def test_a_batch_stored_alone_counts_what_a_transaction_counts(file: SqliteDatabase) -> None:
    soon = NOW + timedelta(milliseconds=900)
    first = file.store([message(), message("2")], wait=True)
    again = file.store(
        [message(received=soon), message(body=b"MSH|2", received=soon), message("3", received=soon)], wait=False
    )
    assert first == [
        Receipt(1, duplicate=False, acknowledgment=b"MSH|ack of 1"),
        Receipt(2, duplicate=False, acknowledgment=b"MSH|ack of 2"),
    ]
    assert again == [
        Receipt(1, duplicate=True, acknowledgment=b"MSH|ack of 1"),
        Receipt(3, duplicate=False, acknowledgment=b"MSH|ack of 1"),
        Receipt(4, duplicate=False, acknowledgment=b"MSH|ack of 3"),
    ]
    file.store([message(body=b"MSH|3", received=soon)], wait=True)
    seen = counts(file)
    assert (seen.received, seen.duplicate, seen.control_id_reuse, seen.pending) == (6, 1, 2, 5)


def test_a_feed_that_sends_all_the_time_is_known_to_the_second(file: SqliteDatabase) -> None:
    for n in range(30):
        file.store([message(str(n), received=NOW + timedelta(milliseconds=100 * n))], wait=True)
    assert NOW + timedelta(seconds=2) <= counts(file).last_received["lab"] <= NOW + timedelta(seconds=2.9)


def test_a_feed_whose_first_commit_failed_is_counted_from_the_next(file: SqliteDatabase) -> None:
    with file.write() as tx:
        tx.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON feeds BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(sqlite3.IntegrityError, match="full"):
        file.store([message()], wait=True)
    with file.write() as tx:
        tx.exec_driver_sql("DROP TRIGGER full")
    file.store([message(received=NOW + timedelta(milliseconds=100))], wait=True)
    end(file, 1)
    seen = counts(file)
    assert (seen.received, seen.applied, seen.pending) == (1, 1, 0)


def test_who_may_not_wait_for_another_transaction_stores_nothing(file: SqliteDatabase) -> None:
    with file.write():
        assert file.store([message()], wait=False) is None
    assert counts(file).received == 0
    assert file.store([message()], wait=False) == [Receipt(1, duplicate=False, acknowledgment=b"MSH|ack of 1")]


def test_messages_without_a_control_id_are_told_apart_by_their_bytes_alone(database: Database) -> None:
    receipts = put(database, message(""), message("", body=b"MSH|2"), message(""))
    assert [receipt.duplicate for receipt in receipts] == [False, False, True]
    assert counts(database).control_id_reuse == 0


def test_bytes_no_charset_explains_do_not_stop_the_store(database: Database) -> None:
    odd = message("\udce9\x00", sender="\udcff|", type="ORU\udc80")
    [first], [again] = put(database, odd), put(database, odd)
    assert again == Receipt(first.inbox_id, duplicate=True, acknowledgment=odd.acknowledgment)


def test_received_is_the_sum_of_its_five_fates(database: Database) -> None:
    put(database, *(message(str(n)) for n in range(6)), message("0"), message("1", body=b"other"))
    end(database, 1)
    end(database, 2, MessageState.IGNORED)
    end(database, 3, MessageState.QUARANTINED)
    end(database, 4)
    seen = counts(database)
    assert (seen.received, seen.applied, seen.duplicate, seen.ignored, seen.quarantined, seen.pending) == (
        8,
        2,
        1,
        1,
        1,
        3,
    )
    assert seen.received == seen.applied + seen.duplicate + seen.ignored + seen.quarantined + seen.pending
    assert seen.oldest_pending == NOW
    assert seen.last_received == {"lab": NOW}


def test_an_empty_inbox_counts_nothing(database: Database) -> None:
    seen = counts(database)
    assert (seen.received, seen.pending, seen.oldest_pending, seen.last_received) == (0, 0, None, {})


def test_a_message_is_finished_once(database: Database) -> None:
    put(database, message())
    end(database, 1)
    with pytest.raises(LookupError):
        end(database, 1)
    assert counts(database).applied == 1


def test_a_finished_message_keeps_its_reason_and_is_listed_with_it(database: Database) -> None:
    put(database, message(), message("2"))
    issue = Issue("unmapped-code", "OBX-3 #4", "unknown code — map it in the site file", "XYZ")
    with database.write() as tx:
        ending = inbox.Ending(MessageState.QUARANTINED, NOW, "NO_PATIENT", {"observations": 1}, [issue])
        inbox.finish(tx, 1, ending)
    with database.read() as conn:
        rows = list(inbox.listing(conn))
        assert [(row.state, row.reason) for row in rows] == [("quarantined", "NO_PATIENT"), ("pending", None)]
        assert rows[0].sha256 == hashlib.sha256(b"MSH|1").hexdigest()
        assert [row.id for row in inbox.listing(conn, limit=1)] == [1]
        assert [row.id for row in inbox.listing(conn, last=1)] == [rows[-1].id]
        assert [row.id for row in inbox.listing(conn, last=2, of=rows[0].source)] == [
            row.id for row in rows if row.source == rows[0].source
        ][-2:]
        assert list(inbox.listing(conn, of="nobody")) == []
        assert inbox.state(conn, 1) is MessageState.QUARANTINED
        assert inbox.state(conn, 2) is MessageState.PENDING
        assert inbox.state(conn, 3) is None
        with pytest.raises(LookupError):
            inbox.raw(conn, 3)


def test_a_failed_try_is_counted_and_the_message_keeps_waiting(database: Database) -> None:
    put(database, message())
    with database.write() as tx:
        assert [inbox.failed(tx, 1, "TypeError"), inbox.failed(tx, 1, "TypeError")] == [1, 2]
    with database.read() as conn:
        assert [item.attempts for item in inbox.pending(conn, 10)] == [2]


def put_and_fail(tx: Transaction) -> None:
    inbox.put_many(tx, [message()])
    raise ZeroDivisionError


def test_what_was_not_committed_was_not_received(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as tx:
        put_and_fail(tx)
    assert counts(database).received == 0
    [receipt] = put(database, message())
    assert not receipt.duplicate


def test_big_messages_are_taken_few_at_a_time(database: Database) -> None:
    big = b"x" * (inbox.AT_ONCE_BYTES // 2)
    put(database, *(message(str(n), big + b"%d" % n) for n in range(5)), message("small"))
    with database.read() as conn:
        assert [item.id for item in inbox.pending(conn, 20)] == [1, 2]
        assert [item.id for item in inbox.pending(conn, 1)] == [1]


def test_each_feed_is_counted_for_itself(database: Database) -> None:
    later = NOW + timedelta(seconds=90)
    put(database, message(), message("2", source="adt"), message("2", source="adt"))
    put(database, message("3", source="adt", received=later))
    end(database, 2)
    with database.read() as conn:
        adt, lab = feeds.listing(conn)
        assert feeds.last_received(conn, "nobody") is None
        assert feeds.last_received(conn, "adt") == later
    assert (adt.source, adt.received, adt.applied, adt.duplicate, adt.pending) == ("adt", 3, 1, 1, 1)
    assert (lab.source, lab.received, lab.pending, lab.last_received) == ("lab", 1, 1, NOW)


def test_a_late_clock_does_not_turn_a_feed_back(database: Database) -> None:
    put(database, message())
    put(database, message("2", received=NOW - timedelta(hours=1)), message("1"))
    with database.read() as conn:
        assert feeds.last_received(conn, "lab") == NOW


def test_storing_reads_only_what_is_new(file: SqliteDatabase) -> None:
    """The statement that counts reused control ids must not walk the whole inbox."""
    from adapter.store import inbox_put

    with sqlite3.connect(file.path) as conn:
        plan = conn.execute(f"EXPLAIN QUERY PLAN {inbox_put.FEED}", ("lab", 0, 0, "", "")).fetchall()
    conn.close()
    steps = [step for *_, step in plan]
    assert any("SEARCH new USING INTEGER PRIMARY KEY (rowid>?)" in step for step in steps), steps
    assert any("SEARCH old USING COVERING INDEX" in step for step in steps), steps


def test_a_large_batch_keeps_its_order_whatever_statements_it_takes(database: Database) -> None:
    """85 = 64 + 16 + 4 + 1 rows, some of them there already or twice in the batch."""
    known = put(database, *(message(f"K{n}") for n in range(3)))
    batch = [message(str(n)) for n in range(85)]
    batch[0], batch[63], batch[64], batch[84] = message("K0"), message("K2"), batch[1], message("K1")
    receipts = put(database, *batch)
    assert [n for n, receipt in enumerate(receipts) if receipt.duplicate] == [0, 63, 64, 84]
    assert [receipts[n].inbox_id for n in (0, 63, 84)] == [known[n].inbox_id for n in (0, 2, 1)]
    assert receipts[64].inbox_id == receipts[1].inbox_id
    assert [receipt.inbox_id for receipt in receipts if not receipt.duplicate] == list(range(4, 85))
