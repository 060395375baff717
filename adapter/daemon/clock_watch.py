"""The machine's clock against one that nobody sets: a step of it is put on record (reliability 5.6)."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from adapter import telemetry
from adapter.daemon.clock import utc_now
from adapter.daemon.enduring import patience
from adapter.daemon.recording import own
from adapter.ports import Clock
from adapter.store import audit
from adapter.store.database import Database

LOOK_SECONDS = 5.0
STEP_SECONDS = 1.0
"""A time service that is well draws the clock along more slowly than this."""


@dataclass(slots=True)
class ClockWatch:
    clock: Clock = utc_now
    steady: Callable[[], float] = time.monotonic
    _last: tuple[datetime, float] = field(init=False)

    def __post_init__(self) -> None:
        self._last = (self.clock(), self.steady())

    def step(self) -> float:
        """Seconds by which the clock was set since the last look; a machine that slept is set forward too. 0 for none."""
        (wall, steady), self._last = self._last, (self.clock(), self.steady())
        seconds = (self._last[0] - wall).total_seconds() - (self._last[1] - steady)
        return round(seconds, 1) if abs(seconds) >= STEP_SECONDS else 0.0


async def rounds(database: Database) -> None:
    """While the daemon runs. A step that the store could not take is told by the log alone."""
    watch = ClockWatch()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if seconds := watch.step():
            telemetry.warn("clock set", seconds=seconds)
            with patience():
                await asyncio.to_thread(_record, database, seconds, watch.clock())


def _record(database: Database, seconds: float, now: datetime) -> None:
    with database.write() as tx:
        audit.append(tx, own("clock-step", {"seconds": str(seconds)}), now)
