"""Receiving: a message is on the disk before its sender hears of it; messages that wait together share one commit."""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from adapter.domain.message import RawMessage, Receipt
from adapter.domain.patient import PatientId
from adapter.errors import AdapterError, StorageFailedError, UnavailableError
from adapter.store.database import Database, News, Transaction
from adapter.store.inbox import put_many
from adapter.store.partitions import move, partition_of

BATCH_MESSAGES = 500
BATCH_BYTES = 32 * 1024 * 1024
"""What one transaction takes at most, so that the first in it does not wait for the last too long."""

WAITING = 5000
"""Messages accepted for storing at a time; further ones wait at the door, and so do their senders (reliability R10)."""

Outcome = Receipt | AdapterError


@dataclass(frozen=True, slots=True)
class _Waiting:
    message: RawMessage
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Receipt]"


class StoreInbox:
    """The inbox port over the store: group commit in one thread of its own.

    `on_stored` is called in that thread after each commit, to wake who processes. `failed` is set once the disk failed:
    from then on nothing is stored, nothing may be acknowledged, and the daemon ends (reliability R5). `whose` guesses the
    patient of a message, where several processes share them.
    """

    def __init__(
        self,
        database: Database,
        on_stored: Callable[[], None] = lambda: None,
        whose: Callable[[RawMessage], PatientId | None] | None = None,
    ) -> None:
        self.failed: Future[StorageFailedError] = Future()
        self._database = database
        self._on_stored = on_stored
        self._whose = whose
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._room = asyncio.Semaphore(WAITING)
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
        self._thread.start()

    async def put(self, message: RawMessage) -> Receipt:
        """Durable when it returns. Raises UnavailableError when it could not be stored: then no ACK is owed."""
        async with self._room:
            if self._closed:
                raise UnavailableError("the inbox is closing — send again later")
            if self.failed.done():
                raise self.failed.result()
            loop = asyncio.get_running_loop()
            future: asyncio.Future[Receipt] = loop.create_future()
            self._queue.put(_Waiting(message, loop, future))
            return await future

    def close(self) -> None:
        """Store what was accepted, then end the thread; whoever comes now is refused."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            batch, ended = self._next()
            if batch:
                _resolve(batch, self._store(batch))

    def _next(self) -> tuple[list[_Waiting], bool]:
        """Whoever waits now, up to a full batch; and whether `close` was met."""
        first = self._queue.get()
        if first is None:
            return [], True
        batch, size = [first], len(first.message.body)
        while len(batch) < BATCH_MESSAGES and size < BATCH_BYTES:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                break
            if waiting is None:
                return batch, True
            batch.append(waiting)
            size += len(waiting.message.body)
        return batch, False

    def _store(self, batch: list[_Waiting]) -> list[Outcome]:
        """One outcome a message. A message no database takes (a bug of ours) does not take its neighbours with it."""
        try:
            with self._database.write() as tx:
                receipts = put_many(tx, [waiting.message for waiting in batch])
                if self._database.many_writers:
                    self._hand_out(tx, [waiting.message for waiting in batch], receipts)
        except StorageFailedError as error:
            self._fail(error)
            return [error] * len(batch)
        except UnavailableError as error:
            return [error] * len(batch)
        except Exception as error:  # noqa: BLE001 — the thread must outlive any message
            if len(batch) > 1:
                return [self._store([waiting])[0] for waiting in batch]
            return [
                UnavailableError(f"the message could not be stored ({type(error).__name__}) — report this as a bug")
            ]
        self._on_stored()
        return list(receipts)

    def _hand_out(self, tx: Transaction, messages: Sequence[RawMessage], receipts: Sequence[Receipt]) -> None:
        """To the partitions of their patients, where other processes wait for them."""
        if self._whose is not None:
            new = (pair for pair in zip(messages, receipts, strict=True) if not pair[1].duplicate)
            move(tx, {receipt.inbox_id: partition_of(self._whose(message)) for message, receipt in new})
        self._database.announce(tx, News.STORED)

    def _fail(self, error: StorageFailedError) -> None:
        if not self.failed.done():
            self.failed.set_result(error)


def _resolve(batch: list[_Waiting], outcomes: Iterable[Outcome]) -> None:
    """Answer in the order of arrival, with one call into each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Receipt], Outcome]]] = {}
    for waiting, outcome in zip(batch, outcomes, strict=True):
        by_loop.setdefault(waiting.loop, []).append((waiting.future, outcome))
    for loop, answers in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_answer, answers)


def _answer(answers: list[tuple["asyncio.Future[Receipt]", Outcome]]) -> None:
    for future, outcome in answers:
        if future.done():
            continue  # the sender went away; its message is stored all the same
        if isinstance(outcome, Receipt):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)
