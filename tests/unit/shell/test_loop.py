"""The loop that the daemon runs in."""

import asyncio
import threading

from adapter.daemon import loop


def test_whoever_hangs_keeps_nobody_else_waiting() -> None:
    """A share that is dead, an EDC and a mail server that answer nothing: each of them waits in a thread."""
    hang = threading.Event()

    async def main() -> str:
        hung = [asyncio.create_task(asyncio.to_thread(hang.wait)) for _ in range(40)]
        await asyncio.sleep(0.1)
        try:
            async with asyncio.timeout(5):
                return await asyncio.to_thread(lambda: "at once")
        finally:
            hang.set()
            await asyncio.gather(*hung)

    assert loop.run(main()) == "at once"
