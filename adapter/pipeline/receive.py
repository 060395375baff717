"""Receiving: a message is on the disk before its sender hears of it; messages that wait together share one commit.

Where nobody else writes and the disk is quick, the event loop commits by itself what its turn brought: handing a message to
another thread and its answer back costs more than the commit. Otherwise a thread does, and the loop goes on (docs/adr/0037).
"""

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
from adapter.telemetry import bug

BATCH_MESSAGES = 500
BATCH_BYTES = 8 * 1024 * 1024
"""What one transaction takes at most, so that the first in it does not wait for the last too long."""
AT_ONCE_BYTES = 256 * 1024
"""What the loop commits by itself at most."""

Outcome = Receipt | AdapterError
Waiting = tuple[RawMessage, "asyncio.Future[Receipt]"]


class StoreInbox:
    """The inbox port over the store: group commit, by the loop itself or by one thread.

    `on_stored` is called after each commit, in the thread that made it, to wake who processes. `failed` is set once the disk failed:
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
        self._refusing: UnavailableError | None = None
        """Why nothing more is taken: the end, or the disk failed."""
        self._rung = False
        """The thread has been asked, and will tell the loop."""
        self._one = threading.Lock()
        """Whoever takes what waits holds it until the commit: what came first is stored first."""
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
        self._thread.start()

    def put(self, message: RawMessage) -> "asyncio.Future[Receipt]":
        """Durable when awaited. Raises UnavailableError when it could not be stored: then no ACK is owed."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt] = loop.create_future()
        if self._refusing is not None:
            future.set_exception(self._refusing)
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
        """Messages, and what `beside` writes of them, in one commit; in the caller's own thread, for doors that fetch and for
        what people do. Whatever `beside` raises undoes it all.

        Raises UnavailableError when nothing was stored.
        """
        if self._closed:
            raise UnavailableError("the inbox is closing — try again later")
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
        """Once a turn of the loop: whatever all connections brought in it is stored together."""
        self._ringing = None
        if not self._waiting or self._at_once() or self._rung:
            return
        self._rung = True
        self._bell.put(None)

    def _at_once(self) -> bool:
        """Stored by the loop itself, unless that could keep it waiting."""
        if not self._database.quick or not self._one.acquire(blocking=False):
            return False
        try:
            batch = self._next()
            if not batch:
                return True
            small = sum([len(message.body) for message, _ in batch]) <= AT_ONCE_BYTES
            outcomes = self._stored(batch, wait=False) if small else None
            if outcomes is None:
                self._waiting.extendleft(reversed(batch))
                return False
        finally:
            self._one.release()
        _resolve(batch, outcomes, here=asyncio.get_running_loop())
        return not self._waiting

    def waiting(self) -> tuple[int, float]:
        """How many messages wait for a commit, and for how many seconds the oldest has, at most (reliability R10)."""
        since = self._storing or (self._first if self._waiting else None)
        return len(self._waiting), 0.0 if since is None else time.monotonic() - since

    def close(self) -> None:
        """Store what was accepted, then end the thread; whoever comes now is refused."""
        self._closed = True
        self._refusing = self._refusing or UnavailableError("the inbox is closing — send again later")
        self._bell.put(None)
        self._thread.join()

    def _run(self) -> None:
        """Without this thread messages would wait for ever on a slow disk: its end is the daemon's."""
        closed = False
        try:
            while not closed:
                self._bell.get()
                closed = self._closed
                while self._turn():
                    pass
        except Exception as error:  # noqa: BLE001 — a bug of ours: said, and everybody refused
            bug("the inbox ended", error)
            self._fail(StorageFailedError("the thread that stores messages ended — report this as a bug"))

    def _turn(self) -> bool:
        """The thread's: a batch stored and answered. False: nothing waits, or its loop will look after it."""
        with self._one:
            batch = self._next()
            outcomes = self._stored(batch, wait=True) if batch else ()
        self._rung = False
        told = _resolve(batch, outcomes or (), then=self._ring)
        left_to_us = self._closed or not self._database.quick
        try:
            _, first = self._waiting[0]
        except IndexError:  # also where the loop was quicker since we let go
            return False
        return left_to_us or first.get_loop() not in told

    def _stored(self, batch: Sequence[Waiting], *, wait: bool) -> Sequence[Outcome] | None:
        self._storing = self._first
        outcomes = self._store([message for message, _ in batch], wait=wait)
        self._storing = None
        self.refused += sum([isinstance(outcome, AdapterError) for outcome in outcomes or ()])
        return outcomes

    def _next(self) -> list[Waiting]:
        """Whoever waits now, up to a full batch."""
        batch: list[Waiting] = []
        size = 0
        while self._waiting and len(batch) < BATCH_MESSAGES and size < BATCH_BYTES:
            batch.append(self._waiting.popleft())
            size += len(batch[-1][0].body)
        return batch

    def _store(self, batch: Sequence[RawMessage], *, wait: bool) -> Sequence[Outcome] | None:
        """One outcome a message. A message no database takes (a bug of ours) does not take its neighbours with it."""
        try:
            receipts = self._shared(batch) if self._database.many_writers else self._database.store(batch, wait=wait)
        except StorageFailedError as error:
            self._fail(error)
            return [error] * len(batch)
        except UnavailableError as error:
            return [error] * len(batch)
        except Exception as error:  # noqa: BLE001 — the thread must outlive any message
            return self._one_by_one(batch, error)
        if receipts is not None:
            self._on_stored()
        return receipts

    def _one_by_one(self, batch: Sequence[RawMessage], error: Exception) -> Sequence[Outcome]:
        if len(batch) > 1:
            return [outcome for message in batch for outcome in self._store([message], wait=True) or ()]
        return [UnavailableError(f"the message could not be stored ({type(error).__name__}) — report this as a bug")]

    def _shared(self, batch: Sequence[RawMessage]) -> Sequence[Receipt]:
        with self._database.write() as tx:
            receipts = put_many(tx, batch)
            self._hand_out(tx, batch, receipts)
        return receipts

    def _hand_out(self, tx: Transaction, messages: Sequence[RawMessage], receipts: Sequence[Receipt]) -> None:
        """To the partitions of their patients, where other processes wait for them."""
        if self._whose is not None:
            new = (pair for pair in zip(messages, receipts, strict=True) if not pair[1].duplicate)
            move(tx, {receipt.inbox_id: partition_of(self._whose(message)) for message, receipt in new})
        self._database.announce(tx, News.STORED)

    def _fail(self, error: StorageFailedError) -> None:
        self._refusing = error
        if not self.failed.done():
            self.failed.set_result(error)


def _resolve(
    batch: Sequence[Waiting],
    outcomes: Iterable[Outcome],
    *,
    here: asyncio.AbstractEventLoop | None = None,
    then: Callable[[], None] = lambda: None,
) -> set[asyncio.AbstractEventLoop]:
    """Answer in the order of arrival, with one call into each event loop but the one we are in; which were told."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Receipt], Outcome]]] = {}
    for (_, future), outcome in zip(batch, outcomes, strict=True):
        by_loop.setdefault(future.get_loop(), []).append((future, outcome))
    told = {loop for loop in by_loop if not loop.is_closed()}
    for loop in told:
        if loop is here:
            _answer(by_loop[loop], then)
        else:
            loop.call_soon_threadsafe(_answer, by_loop[loop], then)
    return told


def _answer(answers: list[tuple["asyncio.Future[Receipt]", Outcome]], then: Callable[[], None]) -> None:
    for future, outcome in answers:
        if future.done():
            continue  # the sender went away; its message is stored all the same
        if isinstance(outcome, Receipt):
            future.set_result(outcome)
        else:
            future.set_exception(outcome)
    then()
