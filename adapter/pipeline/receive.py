"""Receiving: a message is on the disk before its sender hears of it; messages that wait together share one commit."""

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future

from adapter.domain.message import RawMessage, Receipt
from adapter.domain.patient import PatientId
from adapter.errors import AdapterError, StorageFailedError, UnavailableError
from adapter.store.database import Database, News, Transaction
from adapter.store.inbox import put_many
from adapter.store.partitions import move, partition_of

BATCH_MESSAGES = 500
BATCH_BYTES = 8 * 1024 * 1024
"""What one transaction takes at most, so that the first in it does not wait for the last too long."""

Outcome = Receipt | AdapterError
Waiting = tuple[RawMessage, "asyncio.Future[Receipt]"]


class StoreInbox:
    """The inbox port over the store: group commit in one thread of its own.

    `on_stored` is called in that thread after each commit, to wake who processes. `failed` is set once the disk failed:
    from then on nothing is stored, nothing may be acknowledged, and the daemon ends (reliability R5). How much waits here
    is bounded at the doors, each of which stops reading while too much of its own is in hand (reliability R10). `whose`
    guesses the patient of a message, where several processes share them.
    """

    def __init__(
        self,
        database: Database,
        on_stored: Callable[[], None] = lambda: None,
        whose: Callable[[RawMessage], PatientId | None] | None = None,
    ) -> None:
        self.failed: Future[StorageFailedError] = Future()
        self.refused = 0
        """Messages that could not be stored."""
        self._first = 0.0
        self._storing: float | None = None
        self._database = database
        self._on_stored = on_stored
        self._whose = whose
        self._waiting: deque[Waiting] = deque()
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._ringing: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
        self._thread.start()

    def put(self, message: RawMessage) -> "asyncio.Future[Receipt]":
        """Durable when awaited. Raises UnavailableError when it could not be stored: then no ACK is owed."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt] = loop.create_future()
        if self._closed:
            future.set_exception(UnavailableError("the inbox is closing — send again later"))
        elif self.failed.done():
            future.set_exception(self.failed.result())
        else:
            if not self._waiting:
                self._first = time.monotonic()
            self._waiting.append((message, future))
            if self._ringing is not loop:
                self._ringing = loop
                loop.call_soon(self._ring)
        return future

    def keep(
        self, messages: Sequence[RawMessage], beside: Callable[[Transaction, Sequence[Receipt]], None]
    ) -> Sequence[Receipt]:
        """Messages, and what `beside` writes of them, in one commit; in the caller's own thread, for doors that fetch.

        Raises UnavailableError when nothing was stored.
        """
        if self._closed:
            raise UnavailableError("the inbox is closing — fetched again later")
        try:
            with self._database.write() as tx:
                receipts = put_many(tx, messages)
                beside(tx, receipts)
                if messages and self._database.many_writers:
                    self._hand_out(tx, messages, receipts)
        except StorageFailedError as error:
            self._fail(error)
            raise
        if messages:
            self._on_stored()
        return receipts

    def _ring(self) -> None:
        """Once a turn of the loop: whatever all connections brought in it is stored together, by a thread woken once."""
        self._ringing = None
        self._bell.put(None)

    def waiting(self) -> tuple[int, float]:
        """How many messages wait for a commit, and for how many seconds the oldest has, at most (reliability R10)."""
        since = self._storing or (self._first if self._waiting else None)
        return len(self._waiting), 0.0 if since is None else time.monotonic() - since

    def close(self) -> None:
        """Store what was accepted, then end the thread; whoever comes now is refused."""
        self._closed = True
        self._bell.put(None)
        self._thread.join()

    def _run(self) -> None:
        closed = False
        while not closed:
            self._bell.get()
            closed = self._closed
            while batch := self._next():
                self._storing = self._first
                outcomes = self._store([message for message, _ in batch])
                self._storing = None
                self.refused += sum(isinstance(outcome, AdapterError) for outcome in outcomes)
                _resolve(batch, outcomes)

    def _next(self) -> list[Waiting]:
        """Whoever waits now, up to a full batch."""
        batch: list[Waiting] = []
        size = 0
        while self._waiting and len(batch) < BATCH_MESSAGES and size < BATCH_BYTES:
            batch.append(self._waiting.popleft())
            size += len(batch[-1][0].body)
        return batch

    def _store(self, batch: Sequence[RawMessage]) -> Sequence[Outcome]:
        """One outcome a message. A message no database takes (a bug of ours) does not take its neighbours with it."""
        try:
            with self._database.write() as tx:
                receipts = put_many(tx, batch)
                if self._database.many_writers:
                    self._hand_out(tx, batch, receipts)
        except StorageFailedError as error:
            self._fail(error)
            return [error] * len(batch)
        except UnavailableError as error:
            return [error] * len(batch)
        except Exception as error:  # noqa: BLE001 — the thread must outlive any message
            if len(batch) > 1:
                return [self._store([message])[0] for message in batch]
            return [
                UnavailableError(f"the message could not be stored ({type(error).__name__}) — report this as a bug")
            ]
        self._on_stored()
        return receipts

    def _hand_out(self, tx: Transaction, messages: Sequence[RawMessage], receipts: Sequence[Receipt]) -> None:
        """To the partitions of their patients, where other processes wait for them."""
        if self._whose is not None:
            new = (pair for pair in zip(messages, receipts, strict=True) if not pair[1].duplicate)
            move(tx, {receipt.inbox_id: partition_of(self._whose(message)) for message, receipt in new})
        self._database.announce(tx, News.STORED)

    def _fail(self, error: StorageFailedError) -> None:
        if not self.failed.done():
            self.failed.set_result(error)


def _resolve(batch: Sequence[Waiting], outcomes: Iterable[Outcome]) -> None:
    """Answer in the order of arrival, with one call into each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Receipt], Outcome]]] = {}
    for (_, future), outcome in zip(batch, outcomes, strict=True):
        by_loop.setdefault(future.get_loop(), []).append((future, outcome))
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
