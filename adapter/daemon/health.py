"""How the daemon feels: its loop, its store, its disk (reliability 5.1)."""

import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from adapter.daemon.certificates import Certificate, alarms
from adapter.errors import UnavailableError
from adapter.ports import Clock
from adapter.store import accounts, inbox, outbox, quarantine
from adapter.store.database import Database
from adapter.web.context import Health

LOOP_SECONDS = 5.0
PROBE_SECONDS = 2.0
AGAIN_SECONDS = 1.0
"""A probe's answer serves everybody who asks within this time."""
FREE_BYTES = 256 * 1024 * 1024
OLDEST = timedelta(minutes=5)
"""A message that waits longer is an alarm: screening stands still."""


@dataclass(slots=True)
class Pulse:
    """Asked by the web's threads; `beat` is called by the event loop each second."""

    database: Database
    folder: Path
    clock: Clock
    certificates: Sequence[Certificate] = ()
    stopping: Callable[[], bool] = lambda: False
    _beaten: float = field(default_factory=time.monotonic)
    _probed: float = 0.0
    _alarms: tuple[str, ...] = ()

    def beat(self) -> None:
        self._beaten = time.monotonic()

    def health(self) -> Health:
        live = time.monotonic() - self._beaten < LOOP_SECONDS
        critical, minor = self._stored_alarms(), self._waiting_alarms()
        failing = bool(critical) or not live
        status = "failing" if failing else "degraded" if minor else "ok"
        return Health(live, live and not critical and not self.stopping(), status, critical + minor)

    def _stored_alarms(self) -> tuple[str, ...]:
        if time.monotonic() - self._probed > AGAIN_SECONDS:
            self._alarms = tuple(self._probe())
            self._probed = time.monotonic()
        return self._alarms

    def _probe(self) -> list[str]:
        alarms = [] if _free(self.folder) > FREE_BYTES else ["disk-nearly-full"]
        began = time.monotonic()
        try:
            self._write()
        except UnavailableError:
            return [*alarms, "store-unavailable"]
        return alarms if time.monotonic() - began < PROBE_SECONDS else [*alarms, "store-slow"]

    def _write(self) -> None:
        """A row really written, synced and taken away again: a sign-in token that is expired when it is made."""
        now = self.clock()
        with self.database.write() as tx:
            accounts.add_token(tx, f"probe-{secrets.token_hex(8)}", "probe", now)
            accounts.forget_expired(tx, now)

    def _waiting_alarms(self) -> tuple[str, ...]:
        try:
            with self.database.read() as conn:
                oldest = inbox.counts(conn).oldest_pending
                stranger = quarantine.holds(conn, quarantine.VOUCHED)
                dead = any(one.dead for one in outbox.counts(conn).values())
        except UnavailableError:
            return ()
        late = oldest is not None and self.clock() - oldest > OLDEST
        found = {"inbox-waiting": late, "dead-letters": dead, "unknown-sender": stranger}
        return (*(name for name, holds in found.items() if holds), *alarms(self.certificates, self.clock()))


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
