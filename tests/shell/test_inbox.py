"""The inbox port over the real store: durable when it returns, many messages to a commit, honest when the disk is not."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapter.domain.message import MessageKind, RawMessage, Receipt
from adapter.errors import StorageFailedError, UnavailableError
from adapter.pipeline import receive
from adapter.pipeline.receive import StoreInbox
from adapter.store import inbox
from adapter.store.database import Database, SqliteDatabase
from adapter.store.locks import Lock, take
from tests import stores

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def message(control_id: str, body: bytes = b"MSH|") -> RawMessage:
    sent = RawMessage("lab", "generic", MessageKind.HL7V2, body + control_id.encode(), NOW, "LAB|HOSP", control_id)
    assert sent.quarantine is None
    return sent


@contextlib.contextmanager
def nobody_stores(database: Database) -> Iterator[None]:
    """Whoever wants to store waits; SQLite's writer is alone anyway."""
    with database.write() as tx:
        take(tx, Lock.INBOX)
        yield


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """For what only SQLite does."""
    opened = stores.opened(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def database(each_store: str, tmp_path: Path) -> Iterator[Database]:
    opened = stores.opened(tmp_path)
    yield opened
    opened.close()


def stored(database: Database) -> list[str]:
    with database.read() as conn:
        return [item.message.control_id for item in inbox.pending(conn, 10_000)]


def put_all(store: StoreInbox, *messages: RawMessage) -> list[Receipt | BaseException]:
    async def run() -> list[Receipt | BaseException]:
        return await asyncio.gather(*map(store.put, messages), return_exceptions=True)

    return asyncio.run(run())


def test_a_receipt_means_that_the_message_is_stored(database: Database) -> None:
    store = StoreInbox(database)

    async def run() -> None:
        receipt = await store.put(message("1"))
        assert not receipt.duplicate
        assert stored(database) == ["1"]
        assert (await store.put(message("1"))).duplicate

    asyncio.run(run())
    store.close()


def test_messages_that_wait_together_share_a_commit_and_keep_their_order(database: Database) -> None:
    wakes: list[int] = []
    store = StoreInbox(database, on_stored=lambda: wakes.append(1))
    receipts = put_all(store, *(message(str(n)) for n in range(2000)))
    store.close()
    assert [receipt.inbox_id for receipt in receipts if isinstance(receipt, Receipt)] == list(range(1, 2001))
    assert stored(database) == [str(n) for n in range(2000)]
    assert 4 <= len(wakes) < 200


def test_a_sender_that_goes_away_does_not_disturb_the_others(database: Database) -> None:
    store = StoreInbox(database)

    async def run() -> None:
        with nobody_stores(database):
            gone, stays = (asyncio.ensure_future(store.put(message(name))) for name in ("gone", "stays"))
            await asyncio.sleep(0.01)
            gone.cancel()
        assert not (await stays).duplicate

    asyncio.run(run())
    store.close()
    assert stored(database) == ["gone", "stays"]


def test_a_full_disk_gives_no_receipt_and_passes_by_itself(file: SqliteDatabase) -> None:
    with file.write() as tx:
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    store = StoreInbox(file)
    [answer] = put_all(store, message("1", b"x" * 100_000))
    assert isinstance(answer, UnavailableError)
    assert not isinstance(answer, StorageFailedError)
    assert not store.failed.done()
    with file.write() as tx:
        tx.exec_driver_sql("PRAGMA max_page_count = 1000000")
    [answer] = put_all(store, message("1", b"x" * 100_000))
    assert isinstance(answer, Receipt)
    assert not answer.duplicate
    store.close()


def test_after_a_storage_failure_nothing_is_acknowledged_any_more(file: SqliteDatabase) -> None:
    store = StoreInbox(file)
    assert isinstance(put_all(store, message("1"))[0], Receipt)
    Path(f"{file.path}-wal").unlink()
    assert isinstance(put_all(store, message("2"))[0], StorageFailedError)
    assert isinstance(store.failed.result(timeout=30), StorageFailedError)
    assert isinstance(put_all(store, message("3"))[0], StorageFailedError)
    store.close()


def test_a_message_no_database_takes_does_not_take_its_neighbours_with_it(database: Database) -> None:
    bad = RawMessage("lab", "generic", MessageKind.HL7V2, b"MSH", NOW, peer="\udc80")
    store = StoreInbox(database)

    async def run() -> list[Receipt | BaseException]:
        with nobody_stores(database):
            waiting = [asyncio.ensure_future(store.put(one)) for one in (message("1"), bad, message("2"))]
            await asyncio.sleep(0.01)
        return await asyncio.gather(*waiting, return_exceptions=True)

    first, refused, last = asyncio.run(run())
    store.close()
    assert isinstance(first, Receipt)
    assert isinstance(refused, UnavailableError)
    assert isinstance(last, Receipt)
    assert stored(database) == ["1", "2"]


def test_what_waits_has_an_age(database: Database) -> None:
    store = StoreInbox(database)

    async def run() -> None:
        assert store.waiting() == (0, 0.0)
        with nobody_stores(database):
            accepted = asyncio.ensure_future(store.put(message("1")))
            await asyncio.sleep(0.05)
            assert 0.04 < store.waiting()[1] < 10
        await accepted
        await asyncio.sleep(0.05)
        assert store.waiting() == (0, 0.0)

    asyncio.run(run())
    store.close()


def test_closing_stores_what_was_accepted_and_refuses_the_rest(database: Database) -> None:
    store = StoreInbox(database)

    async def run() -> None:
        with nobody_stores(database):
            accepted = asyncio.ensure_future(store.put(message("1")))
            await asyncio.sleep(0.01)
            closing = threading.Thread(target=store.close)
            closing.start()
            await asyncio.sleep(0.01)
        assert not (await accepted).duplicate
        closing.join()
        with pytest.raises(UnavailableError, match="closing"):
            await store.put(message("2"))

    asyncio.run(run())
    store.close()
    assert stored(database) == ["1"]


def test_more_than_a_transaction_takes_is_stored_by_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "BATCH_MESSAGES", 2)
    wakes: list[int] = []
    store = StoreInbox(database, on_stored=lambda: wakes.append(1))
    receipts = put_all(store, *(message(str(n)) for n in range(20)))
    store.close()
    assert all(isinstance(receipt, Receipt) for receipt in receipts)
    assert stored(database) == [str(n) for n in range(20)]
    assert len(wakes) >= 10


def storing(file: SqliteDatabase) -> tuple[StoreInbox, list[str]]:
    """And the names of the threads that stored."""
    by: list[str] = []
    return StoreInbox(file, on_stored=lambda: by.append(threading.current_thread().name)), by


LOOP, THREAD = threading.main_thread().name, "inbox"


def test_the_loop_stores_by_itself_while_nobody_else_writes(file: SqliteDatabase) -> None:
    file.migrate()
    store, by = storing(file)
    assert [isinstance(one, Receipt) for one in put_all(store, *(message(str(n)) for n in range(200)))] == [True] * 200
    store.close()
    assert by == [LOOP]


@pytest.mark.parametrize("why", ["another writes", "the disk is slow", "it is big", "the log is to be copied"])
def test_the_thread_stores_what_would_keep_the_loop_waiting(file: SqliteDatabase, why: str) -> None:
    file.migrate()
    store, by = storing(file)

    async def run() -> Receipt:
        if why == "another writes":
            with file.write():
                stored = asyncio.ensure_future(store.put(message("1")))
                await asyncio.sleep(0.01)
                assert not stored.done()
            return await stored
        file._pace._seconds = 1.0 if why == "the disk is slow" else 0.0
        file._checkpointer._every = 0 if why == "the log is to be copied" else 1000
        return await store.put(message("1", bytes(receive.AT_ONCE_BYTES + 1) if why == "it is big" else b"MSH|"))

    assert asyncio.run(run()).inbox_id == 1
    assert isinstance(put_all(store, message("2"))[0], Receipt)
    store.close()
    assert by == [THREAD, THREAD if why == "the disk is slow" else LOOP]


def test_whoever_stores_what_came_first_is_stored_first(file: SqliteDatabase) -> None:
    """The loop and the thread take turns, because somebody else writes again and again."""
    file.migrate()
    store, by = storing(file)
    done = threading.Event()

    def disturb() -> None:
        while not done.wait(0.002):
            with file.write():
                done.wait(0.002)

    async def run() -> list[Receipt]:
        waiting = []
        for n in range(300):
            waiting.append(store.put(message(str(n))))
            await asyncio.sleep(0.001 if n % 3 else 0)
        return list(await asyncio.gather(*waiting))

    other = threading.Thread(target=disturb)
    other.start()
    receipts = asyncio.run(run())
    done.set()
    other.join()
    store.close()
    assert [receipt.inbox_id for receipt in receipts] == list(range(1, 301))
    assert stored(file) == [str(n) for n in range(300)]
    assert set(by) == {LOOP, THREAD}


def test_what_came_after_the_writer_looked_is_stored_before_the_thread_ends(database: Database) -> None:
    store = StoreInbox(database)

    async def run() -> None:
        accepted = store.put(message("1"))
        store.close()  # before this turn of the loop has rung for it
        assert not (await accepted).duplicate

    asyncio.run(run())
    assert stored(database) == ["1"]


class TakenMeanwhile(deque[Any]):
    """The loop was quicker: gone between the look whether somebody waits and the look who."""

    def __getitem__(self, place: Any) -> Any:
        self.clear()
        return super().__getitem__(place)


def test_the_thread_outlives_a_loop_that_is_quicker(file: SqliteDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive, "BATCH_MESSAGES", 1)
    door = StoreInbox(file)

    async def two() -> Receipt:
        door._waiting = TakenMeanwhile()
        first, _ = door.put(message("1")), door.put(message("2"))
        assert not door._turn()
        return await first

    assert asyncio.run(two()).inbox_id == 1
    door.close()


class Broken(deque[Any]):
    def __bool__(self) -> bool:
        raise RuntimeError("a bug")


def test_a_bug_that_ends_the_thread_ends_the_daemon(file: SqliteDatabase) -> None:
    """What nobody stores must not wait for ever behind an open port."""
    door = StoreInbox(file)
    door._waiting = Broken()
    door._bell.put(None)
    assert "the thread that stores messages ended" in str(door.failed.result(timeout=10))

    async def refused() -> None:
        with pytest.raises(StorageFailedError):
            await door.put(message("1"))

    asyncio.run(refused())
