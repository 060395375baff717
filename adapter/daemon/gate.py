"""The gate: while the store cannot be trusted with more, the ports are closed and the senders keep what they have."""

import asyncio
from collections.abc import Sequence

from adapter import telemetry
from adapter.daemon.health import AGAIN_SECONDS, IDLE_SECONDS, SLOW, Pulse
from adapter.pipeline.receive import StoreInbox
from adapter.sources.mllp_server import MllpServer


class Gate:
    """Looks once a second; closes at the first refusal of the store or the mark of its disk, opens by itself (P3, 5.1)."""

    def __init__(self, pulse: Pulse, inbox: StoreInbox, servers: Sequence[MllpServer]) -> None:
        self._pulse, self._inbox, self._servers = pulse, inbox, servers
        self._refused = 0
        self.open = True

    async def run(self) -> None:
        """Until cancelled. Raises StorageFailedError once the disk failed, whoever met it."""
        while True:
            await self.look()
            await asyncio.sleep(AGAIN_SECONDS)

    async def look(self) -> None:
        doubt = self._inbox.refused != self._refused
        self._refused = self._inbox.refused
        found = await asyncio.to_thread(self._pulse.refusals, 0.0 if doubt else IDLE_SECONDS)
        reasons = [code for code in found if code != SLOW]
        failure = self._pulse.database.failure
        if failure is not None:
            raise failure
        if reasons and self.open:
            await self._close(reasons)
        elif not reasons and not self.open:
            await self._reopen()

    async def _close(self, reasons: Sequence[str]) -> None:
        self.open = False
        for reason in reasons:
            telemetry.warn("not accepting", code=reason)
        await asyncio.gather(*(server.stop() for server in self._servers))

    async def _reopen(self) -> None:
        try:
            for server in self._servers:
                await server.start(self._inbox)
        except OSError as error:
            telemetry.warn("port taken", error=type(error).__name__, text=error.strerror)
            return
        self.open = True
        telemetry.log("accepting again")
