"""Polls a FHIR server: round after round in a thread of its own; its troubles are its own too."""

import asyncio
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from datetime import timedelta
from functools import partial
from time import monotonic

from adapter import telemetry
from adapter.errors import StorageFailedError, UnavailableError
from adapter.fhir.search import Search
from adapter.pipeline.receive import StoreInbox
from adapter.pipeline.retry import after
from adapter.ports import Clock
from adapter.sources import fhir_export, fhir_reconcile
from adapter.sources.fhir_client import FhirClient, PollError
from adapter.sources.fhir_crawl import Crawl, Desk, Server, StoppedError
from adapter.sources.fhir_roster import asked
from adapter.sources.fhir_tally import Tally
from adapter.store.database import Database

LOOK = 1.0
"""Seconds between two looks at the thread."""
HUNG = 150.0
"""Seconds after which a request is given up that its own deadlines could not end (a server that drips its headers)."""
LAST_PAGE = 3.0
"""Seconds a page in hand is given when the daemon stops."""
FALTERING = 3
"""Searches in a row that a server fails with, after which it is left alone until the next round."""
JITTER = 0.1
COURTESY = 1.0
"""Seconds between two rounds, however often the server knocks."""
WHOLE = ""
"""The server itself, where a search is named."""


class FhirPoller:
    """A Source. `make_client` is called again when a request hung: that thread is left behind with its connection."""

    def __init__(
        self, server: Server, make_client: Callable[[], FhirClient], database: Database, clock: Clock, tally: Tally
    ) -> None:
        self.server, self.tally = server, tally
        self._make_client, self._database, self._clock = make_client, database, clock
        self._client: FhirClient | None = None
        self._knock = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failures = 0
        self._resting: dict[Search, float] = {}
        self._faltering = 0

    async def run(self, inbox: StoreInbox) -> None:
        """Until cancelled. Raises StorageFailedError."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._knock.clear()
            seconds = await self._turn(inbox)
            await asyncio.sleep(min(seconds, COURTESY))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._knock.wait(), seconds - COURTESY)

    def wake(self) -> None:
        """Asks at once, from whatever thread; a server in trouble is left alone as long as it needs."""
        if self._loop is not None and not self._failures:
            self._loop.call_soon_threadsafe(self._knock.set)

    async def _turn(self, inbox: StoreInbox) -> float:
        """One round in a daemon thread, watched; the seconds until the next."""
        stop, done = threading.Event(), Future[float]()
        client = self._client = self._client or self._make_client()
        crawl = Crawl(self.server, client, Desk(inbox, self._database, self._clock), self.tally, stop.is_set)
        threading.Thread(target=self._into, args=(done, crawl), name=f"poll {self.server.name}", daemon=True).start()
        wrapped = asyncio.wrap_future(done)
        try:
            while not (await asyncio.wait([wrapped], timeout=LOOK))[0]:
                if client.since() > HUNG:
                    self._client = None
                    return self._troubled(PollError("hung", "a request hangs — given up, and asked again"))
            return wrapped.result()
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait([wrapped], timeout=LAST_PAGE)
            raise
        finally:
            stop.set()

    def _into(self, done: "Future[float]", crawl: Crawl) -> None:
        try:
            result = self.round(crawl)
        except BaseException as error:  # noqa: BLE001 — carried over to who waits
            done.set_exception(error)
        else:
            done.set_result(result)

    def round(self, crawl: Crawl) -> float:
        """Every search once; the seconds until the next round. Raises StorageFailedError."""
        try:
            whole = self._round(crawl)
        except (StorageFailedError, StoppedError) as error:
            if isinstance(error, StorageFailedError):
                raise
            return self.server.every
        except PollError as error:
            return self._troubled(error)
        except UnavailableError as error:
            telemetry.warn("store unavailable", source=self.server.name, text=str(error))
            return self._later(error)
        except Exception as error:  # noqa: BLE001 — a bug in one source must not end the others
            telemetry.bug("poll", error, source=self.server.name)
            return self._later(UnavailableError("a bug"))
        self._failures = 0
        self.tally.came_through(WHOLE)
        self.tally.round("whole" if whole else "partial", self._clock())
        return self.server.every * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 — no secret: sources must not knock in step

    def _round(self, crawl: Crawl) -> bool:
        """Whether every search came through. Raises PollError where the server itself is in trouble."""
        self._faltering = 0
        since = self._clock() - self.server.look_back
        searches = list(asked(crawl))
        self.tally.only({search.patient for search in searches})
        if fhir_export.wanted(crawl):  # beside the searches: a round is whole without it
            self._attempt(fhir_export.SEARCH, partial(fhir_export.step, crawl))
        failed = []
        for search in searches:
            work = partial(crawl.again, search, since) if search.patient else partial(crawl.poll, search)
            if not self._attempt(search, work):
                failed.append(search)
        whole = not failed
        # What the server does not give at all is no reason to wait; what it may give in a minute is.
        if all(self.tally.refused(one.kind, one.patient) for one in failed) and fhir_reconcile.due(crawl):
            fhir_reconcile.look_at_server(crawl)
            whole = fhir_reconcile.reconcile(crawl, searches, self._attempt) and whole
        return whole

    def _attempt(self, search: Search, work: Callable[[], object]) -> bool:
        """One search: its own trouble stops no other one."""
        if self._resting.get(search, 0.0) > monotonic():
            return False
        try:
            work()
        except PollError as error:
            if error.everything:
                raise
            count = self.tally.failed(search.kind, error, search.patient)
            self._resting[search] = monotonic() + self._pause(count, error)
            self._falter(error)
            return False
        self._faltering = 0
        self._resting.pop(search, None)
        self.tally.came_through(search.kind, search.patient)
        return True

    def _falter(self, error: PollError) -> None:
        self._faltering = self._faltering + 1 if error.kind == "server" else 0
        if self._faltering >= FALTERING:
            raise PollError("down", "the server fails with one search after the other — left alone for a while")

    # --- when to ask again -----------------------------------------------------------------------------------------

    def _troubled(self, error: PollError) -> float:
        self.tally.failed(WHOLE, error)
        self.tally.round("failed", self._clock())
        return self._later(error)

    def _later(self, error: UnavailableError) -> float:
        self._failures += 1
        return self._pause(self._failures, error)

    def _pause(self, failures: int, error: UnavailableError) -> float:
        """The corridor's own back-off: doubled, with jitter, never before the peer's wish."""
        now = self._clock()
        again = after(failures, error, now, key=f"{self.server.name}|{now.isoformat()}")
        return ((again or now + timedelta(hours=1)) - now).total_seconds()
