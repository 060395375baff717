"""The rounds of alerting while the daemon runs: a few seconds apart, in the process that delivers."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from adapter.daemon.enduring import patience
from adapter.daemon.parts import Parts
from adapter.pipeline.calling import Caller

SECONDS = 3.0
"""Far less than the minute within which an alert is handed over (P7)."""
SHARE, LONGEST = 10, 20.0
"""A round that takes long, because very many candidates stand, takes a tenth of the time at most; and still comes within the minute."""


def rounds(parts: Parts, owed: Callable[[], None]) -> Iterator[Coroutine[Any, Any, None]]:
    """Nothing without `[alerts]`. `owed` is called when there is something to deliver."""
    if parts.caller is not None and "deliver" in parts.settings.adapter.roles:
        yield _rounds(parts.caller, owed)


async def _rounds(caller: Caller, owed: Callable[[], None]) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        began = clock()
        with patience():
            if await asyncio.to_thread(caller.round):
                owed()
        await asyncio.sleep(min(LONGEST, max(SECONDS, SHARE * (clock() - began))))
