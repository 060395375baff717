"""Who was refused at a door, put on record: once an hour for each peer and reason, so that a flood fills no log book."""

import asyncio
from datetime import datetime, timedelta

from adapter import telemetry
from adapter.errors import UnavailableError
from adapter.ports import Clock
from adapter.store import audit
from adapter.store.database import Database

AGAIN = timedelta(hours=1)
KEPT = 1000
"""Peers and reasons remembered; beyond that the memory begins anew."""


class Refusals:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self.clock = database, clock
        self._noted: dict[tuple[str, str, str], datetime] = {}

    def note(self, feed: str, peer: str, reason: str) -> None:
        """Called by the event loop, which waits for nothing here."""
        now, key = self.clock(), (feed, peer, reason)
        if (last := self._noted.get(key)) is not None and now - last < AGAIN:
            return
        if len(self._noted) >= KEPT:
            self._noted.clear()
        self._noted[key] = now
        asyncio.get_running_loop().run_in_executor(None, self._write, key, now)

    def _write(self, key: tuple[str, str, str], now: datetime) -> None:
        feed, peer, reason = key
        act = audit.Act("system", "system", "connection-refused", "feed", feed, {"peer": peer}, "refused", reason)
        try:
            with self._database.write() as tx:
                audit.append(tx, act, now)
        except UnavailableError:
            telemetry.warn("refusal not on record", feed=feed, peer=peer, kind=reason)
