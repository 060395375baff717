"""Reads files dropped into a folder: every message durable first, then the file is moved; a kill in between reads it again.

The inbox knows a message by source, sender, control id and bytes, so what was stored before the kill makes no second row.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from adapter import telemetry
from adapter.domain.message import MessageKind, RawMessage
from adapter.errors import MalformedMessageError, StorageFailedError, UnavailableError
from adapter.fhir.contents import contents_of
from adapter.fhir.gather import Gathering, Shelf, is_bundle
from adapter.pipeline.receive import StoreInbox
from adapter.sources import drop
from adapter.sources.drop import ChangedError, Seen
from adapter.sources.envelope import Door, unanswered
from adapter.sources.files import Part, parts_in
from adapter.sources.folder_tally import Tally
from adapter.sources.refusal import reason_for, sniffed
from adapter.sources.shelf import on_the_data_disk
from adapter.sources.taken import Taken
from adapter.store import inbox as store
from adapter.store.database import Database

BATCH_MESSAGES, BATCH_BYTES = 100, 1024 * 1024
"""What one commit takes: a sender on the wire waits no longer for it than for a burst of its own."""
AHEAD = 1000
"""Messages that may wait to be screened before a file adds more: a result on the wire does not queue behind a whole file."""
LOOK = 0.1
LAST_BATCH = 3.0
"""Seconds a batch in hand is given when the daemon stops."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A source of adapter.toml as its reader needs it; `every` in seconds."""

    path: Path
    every: float
    pattern: str
    deletes: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """Where messages are stored; where lines of NDJSON lie until their patient is complete; whether the disk takes more."""

    database: Database
    shelf: Callable[[], AbstractContextManager[Shelf]]
    refusing: Callable[[], bool] = lambda: False


class StoppedError(Exception):
    """Somebody asked the reader to stop: the file is read again at the next start."""


class FolderReader:
    """A Source: look after look in a thread of its own."""

    def __init__(self, folder: Folder, door: Door, desk: Desk, tally: Tally) -> None:
        self.folder, self.door, self.tally = folder, door, tally
        self._desk = desk
        self._before: frozenset[Seen] = frozenset()
        self._read: dict[Seen, str] = {}
        """Files whose messages are stored and which could not be moved yet, with the reason of a refusal."""
        self._failed: frozenset[Seen] = frozenset()
        self._stuck = 0
        """Files that the last look could not get out of the way."""
        self._taken = Taken()
        self._stop = threading.Event()

    async def run(self, inbox: StoreInbox) -> None:
        """Until cancelled. Raises StorageFailedError."""
        done = Future[None]()
        threading.Thread(target=self._into, args=(done, inbox), name=f"folder {self.door.name}", daemon=True).start()
        wrapped = asyncio.wrap_future(done)
        try:
            await asyncio.shield(wrapped)
        finally:
            self._stop.set()
            await asyncio.wait([wrapped], timeout=LAST_BATCH)

    def _into(self, done: "Future[None]", inbox: StoreInbox) -> None:
        try:
            while not self._stop.is_set():
                self.round(inbox)
                self._stop.wait(self.folder.every)
        except BaseException as error:  # noqa: BLE001 — carried over to who waits
            done.set_exception(error)
        else:
            done.set_result(None)

    def round(self, inbox: StoreInbox) -> None:
        """One look; what two looks found alike is read. Raises StorageFailedError."""
        self.tally.alive(monotonic())
        try:
            if self._desk.refusing():
                return
            with drop.opened(self.folder.path) as handle:
                self._look(handle, inbox)
        except StorageFailedError:
            raise
        except StoppedError:
            return
        except OSError as error:
            self.tally.unreachable(error)
        except UnavailableError as error:
            telemetry.warn("store unavailable", feed=self.door.name, text=str(error))
        except Exception as error:  # noqa: BLE001 — a bug in one source must not end the others
            telemetry.bug("folder", error, feed=self.door.name)

    def _look(self, handle: int, inbox: StoreInbox) -> None:
        found = drop.look(handle, self.folder.pattern, drop.MOST + min(self._stuck, drop.MOST_STUCK))
        self.tally.seen(found, self.door.clock())
        now = frozenset(found.files)
        ready = [one for one in found.files if one in self._before and one not in self._failed]
        self._before, self._failed = now, self._failed & now
        self._read = {one: reason for one, reason in self._read.items() if one in now}
        self._stuck = len(self._failed) + len(ready)
        for one in ready:
            self._stuck -= self._take(handle, one, inbox)
        for one, trouble in self._taken.look(handle):
            self.tally.grew(one, trouble)
        self.tally.looked(len(self._failed) + self._taken.stuck, refused=drop.refused(handle))

    # --- one file --------------------------------------------------------------------------------------------------

    def _take(self, handle: int, seen: Seen, inbox: StoreInbox) -> bool:
        """Whether it is away. Its own trouble stops no other file; the store's stops all."""
        try:
            if seen not in self._read:
                self._read[seen] = _File(self, inbox).read(handle, seen)
                if self.folder.deletes and not self._read[seen]:
                    return False  # at the next look, where it is still the same: its writer may only have paused
            self._move(handle, seen)
        except (ChangedError, FileNotFoundError):
            telemetry.log("file changed while it was read", feed=self.door.name, file=seen.alone)
        except OSError as error:
            self.tally.failed(seen, error)
        except (StoppedError, UnavailableError):
            raise
        except Exception as error:  # noqa: BLE001 — as above; this file waits until it is another one
            telemetry.bug("folder", error, feed=self.door.name, file=seen.alone)
            self._failed |= {seen}
        else:
            return True
        return False

    def _move(self, handle: int, seen: Seen) -> None:
        reason = self._read[seen]
        if reason:
            drop.put_away(handle, seen, drop.REFUSED, reason_for(reason))
        elif self.folder.deletes:
            drop.delete(handle, seen)
        else:
            self._taken.add(drop.put_away(handle, seen, drop.TAKEN), seen)
        del self._read[seen]
        self.tally.moved(seen, reason)

    # --- what a file needs -----------------------------------------------------------------------------------------

    def shelf(self) -> AbstractContextManager[Shelf]:
        """Raises UnavailableError, StorageFailedError; so does what it gives."""
        return on_the_data_disk(self._desk.shelf)

    def sign(self) -> None:
        """Of life. Raises StoppedError."""
        self.tally.alive(monotonic())
        if self._stop.is_set():
            raise StoppedError

    def go_on(self) -> None:
        """Waits while screening is far behind. Raises StoppedError, UnavailableError."""
        while True:
            self.sign()
            if self._desk.refusing():
                raise UnavailableError("the data disk is full — the file waits")
            with self._desk.database.read() as conn:
                if not store.more_wait_than(conn, AHEAD):
                    return
            self._stop.wait(LOOK)


class _File:
    """One reading: messages in batches, nothing of a file in which none can be read."""

    def __init__(self, reader: FolderReader, inbox: StoreInbox) -> None:
        self._reader, self._inbox = reader, inbox
        self._batch: list[RawMessage] = []
        self._size = self._count = self._again = 0
        self._known = False
        """Something in it is a message."""

    def read(self, handle: int, seen: Seen) -> str:
        """Everything stored, or why it is refused. Raises OSError, ChangedError, UnavailableError."""
        began = monotonic()
        with drop.reading(handle, seen, self._reader.sign) as file, self._reader.shelf() as shelf:
            first = sniffed(file)
            gathered = Gathering(shelf)
            for part in parts_in(file, gathered):
                if not self._put(part):
                    return first or self._reason()
            drop.unchanged(file, seen)  # else the last line may be half of one, and would be stored before these
            for number, body in enumerate(gathered.bodies(), 1):
                if not self._put(Part(number, body, MessageKind.FHIR)):
                    return first or self._reason()
            drop.unchanged(file, seen)  # else the last message may be half of one
        if self._batch and not self._known:
            return first or self._reason()
        self._store()
        self._reader.tally.read(seen, self._count, self._again, monotonic() - began)
        return ""

    def _put(self, part: Part) -> bool:
        """False: so much, and no message in it."""
        if len(self._batch) >= BATCH_MESSAGES or self._size >= BATCH_BYTES:
            if not self._known:
                return False
            self._store()
        message = self._message(part)
        self._known = self._known or _readable(message)
        self._batch.append(message)
        self._size += len(message.body)
        return True

    def _message(self, part: Part) -> RawMessage:
        door = self._reader.door
        if part.kind is not MessageKind.FHIR:
            return unanswered(door, part.body, part.kind, part.lost)
        kind = "Bundle" if is_bundle(part.body) else "NDJSON"
        return RawMessage(
            door.name, door.site, part.kind, part.body, door.clock(), type=kind, quarantine=part.lost or None
        )

    def _store(self) -> None:
        self._reader.go_on()
        receipts = self._inbox.keep(self._batch, lambda _tx, _receipts: None)
        self._reader.tally.stored(self._batch)
        self._count += len(receipts)
        self._again += sum(receipt.duplicate for receipt in receipts)
        self._batch, self._size = [], 0

    def _reason(self) -> str:
        return self._batch[0].quarantine or _fault(self._batch[0].body)


def _readable(message: RawMessage) -> bool:
    """Whether it is a message, whatever is wrong inside."""
    if message.kind is not MessageKind.FHIR:
        return bool(message.type or message.control_id)
    return not message.quarantine and not _fault(message.body)


def _fault(body: bytes) -> str:
    """Of FHIR, the reason's code."""
    try:
        contents_of(body)
    except MalformedMessageError as error:
        return error.code
    return ""
