"""Alarms about the store itself, put on record when they begin and when they end; what the store cannot take now it takes later."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from adapter.daemon.recording import own
from adapter.errors import UnavailableError
from adapter.store import audit
from adapter.store.audit import Act
from adapter.store.database import Database

OWN = frozenset({"store-unavailable", "store-slow", "disk-low", "disk-nearly-full", "log-long", "audit-broken"})
"""The others tell of feeds, peers and people, and stand in the log and in /metrics."""
MOST = 100
"""Waiting for a store that is away; beyond that the oldest are left out."""


@dataclass(slots=True)
class SelfChecks:
    database: Database
    _owed: list[tuple[Act, datetime]] = field(default_factory=list)

    def note(self, began: Collection[str], ended: Collection[str], now: datetime) -> None:
        for codes, outcome in ((began, "failed"), (ended, "ok")):
            self._owed += [
                (own("self-check", {"code": code}, outcome), now) for code in sorted(OWN.intersection(codes))
            ]
        del self._owed[:-MOST]
        if not self._owed:
            return
        try:
            with self.database.write() as tx:
                for act, at in self._owed:
                    audit.append(tx, act, at)
        except UnavailableError:
            return
        self._owed.clear()
