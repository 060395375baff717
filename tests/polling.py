"""A poller before a real server and a real store, one round at a time."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from adapter.fhir.search import Bookmark
from adapter.pipeline.authorize import Authorization, Fixed
from adapter.pipeline.exchange import Limits, session
from adapter.pipeline.origin import Origin
from adapter.pipeline.receive import StoreInbox
from adapter.sources.fhir_client import FhirClient
from adapter.sources.fhir_crawl import Crawl, Desk, Server
from adapter.sources.fhir_poller import FhirPoller
from adapter.sources.fhir_tally import PollMetrics, Tally
from adapter.store import inbox, polls
from adapter.store.database import Database
from adapter.telemetry import Metrics
from tests import stores
from tests.fhir_server import FhirServer

LIMITS = Limits(connect=10, read=20, total=30, size=2 * 1024 * 1024)
HASTY = replace(LIMITS, read=1, total=1)
"""For a server that drips: all others have the time that a busy machine takes."""


@dataclass
class Bench:
    """`now` is our own clock, which follows the server's unless a test says otherwise."""

    fhir: FhirServer
    database: Database
    store: StoreInbox
    server: Server
    authorization: Authorization = field(default_factory=Fixed)
    limits: Limits = LIMITS
    ahead: Any = None
    stopped: bool = False

    def __post_init__(self) -> None:
        self.metrics = Metrics()
        self.tally = Tally(self.server.name, PollMetrics(self.metrics.registry))
        self.poller = self.made()

    def made(self, **changes: Any) -> FhirPoller:
        self.server = replace(self.server, **changes)
        self.poller = FhirPoller(self.server, self.client, self.database, self.clock, self.tally)
        return self.poller

    def clock(self) -> datetime:
        return self.fhir.now if self.ahead is None else self.fhir.now + self.ahead

    def client(self) -> FhirClient:
        return FhirClient(Origin(self.server.base), self.authorization, session(), self.clock, self.limits)

    def crawl(self) -> Crawl:
        desk = Desk(self.store, self.database, self.clock)
        return Crawl(self.server, self.client(), desk, self.tally, lambda: self.stopped)

    def round(self) -> float:
        """The seconds until the next."""
        return self.poller.round(self.crawl())

    # --- what is stored --------------------------------------------------------------------------------------------

    def rows(self) -> list[inbox.InboxRow]:
        with self.database.read() as conn:
            return list(inbox.listing(conn))

    def bodies(self) -> list[dict[str, Any]]:
        """Of what can be read."""
        with self.database.read() as conn:
            waiting = inbox.pending(conn, 10_000)
        return [json.loads(one.message.body) for one in waiting if one.message.quarantine is None]

    def stored(self, kind: str = "Observation") -> list[tuple[str, str]]:
        """Id and version of every entry that was found, in order, as often as it was stored."""
        entries = [entry for body in self.bodies() for entry in body.get("entry", [])]
        found = [one["resource"] for one in entries if one.get("search", {}).get("mode") != "include"]
        return [(one["id"], one.get("meta", {}).get("versionId", "")) for one in found if one["resourceType"] == kind]

    def mark(self, search: str = "Observation") -> Bookmark:
        with self.database.read() as conn:
            return polls.bookmark(conn, self.server.name, search)

    def counted(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"adapter_{name}", {"feed": self.server.name} | labels) or 0.0

    def alarms(self) -> tuple[str, ...]:
        return self.tally.alarms()


@contextmanager
def bench(fhir: FhirServer, folder: Path, **changes: Any) -> Iterator[Bench]:
    database = stores.opened(folder)
    store = StoreInbox(database)
    server = Server(name="ehr", site="generic", base=fhir.base, kinds=("Patient", "Observation"), count=3)
    try:
        yield Bench(fhir, database, store, replace(server, **changes))
    finally:
        store.close()
        database.close()


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come")
