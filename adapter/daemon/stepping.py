"""The machine's clock beside one that nobody sets: a step of it is put on record (reliability 5.6)."""

import asyncio
from datetime import datetime

from adapter import telemetry
from adapter.daemon.enduring import patience
from adapter.daemon.parts import Parts
from adapter.daemon.recording import own
from adapter.store import audit
from adapter.store.database import Database

LOOK_SECONDS = 5.0


async def rounds(parts: Parts) -> None:
    """While the daemon runs. A step that the store could not take is told by the log alone, and by the alarm."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if seconds := parts.pulse.clock_watch.look():
            telemetry.warn("clock stepped", seconds=seconds)
            with patience():
                await asyncio.to_thread(_record, parts.database, seconds, parts.clock())


def _record(database: Database, seconds: float, now: datetime) -> None:
    with database.write() as tx:
        audit.append(tx, own("clock-step", {"seconds": str(seconds)}), now)
