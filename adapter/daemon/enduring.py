"""How long the parts of the daemon live: none ends by itself, and a store that is away for a moment is waited for."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from adapter import telemetry
from adapter.errors import StorageFailedError, UnavailableError


async def endless(part: Coroutine[Any, Any, None]) -> None:
    """A part that returns has failed, like one that raises (house: a side task that dies stops the daemon)."""
    await part
    raise RuntimeError("a part of the daemon ended by itself")


@contextlib.contextmanager
def patience() -> Iterator[None]:
    """A store that is away for a moment is waited for; one whose disk failed is not."""
    try:
        yield
    except StorageFailedError:
        raise
    except UnavailableError as error:
        telemetry.warn("store unavailable", text=str(error))


def reporting(
    job: Callable[[], Coroutine[Any, Any, None]], failed: "asyncio.Future[None]"
) -> Callable[[], Coroutine[Any, Any, None]]:
    """The scheduler swallows what a job raises; this hands it to whoever watches."""

    async def run() -> None:
        try:
            with patience():
                await job()
        except Exception as error:  # noqa: BLE001 — carried over, not hidden
            if not failed.done():
                failed.set_exception(error)

    return run
