"""The list that moves by itself: server-sent events say that something changed, never what; the page then asks again."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from adapter.errors import UnavailableError
from adapter.store import teamwork
from adapter.web import sessions
from adapter.web.access import STREAM, SeesPatients
from adapter.web.context import WebContext
from adapter.web.tongue import say

router = APIRouter(include_in_schema=False)

MOST = 200
"""Pages that listen at a time; any other page reloads by itself as if it had no script."""
EVERY = 1.0
"""Seconds between two looks into the store, shared by all who listen."""
TICKS = 30
"""After so many looks without news the page asks again all the same: hours go by, feeds fall silent."""
HEADERS = {"X-Accel-Buffering": "no"}


class Live:
    """Who listens, and what they were told last."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self._stamp, self._looked = "", -EVERY
        self._stopped = asyncio.Event()
        self._lock = asyncio.Lock()
        self.listening = 0

    def stop(self) -> None:
        """Every stream ends, so that nobody waits for them."""
        self._stopped.set()

    async def stamp(self) -> str:
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now - self._looked >= EVERY:
                self._stamp = await run_in_threadpool(_stamp, self._context)
                self._looked = now
            return self._stamp

    async def events(self, token: str) -> AsyncIterator[str]:
        """Until the session is over, the store is away or the house closes; the browser asks again where it may."""
        self.listening += 1
        try:
            yield f"retry: {int(EVERY * 5000)}\n\n"
            last, ticks = "", 0
            while not self._stopped.is_set():
                stamp, ticks = await self.stamp(), ticks + 1
                if stamp != last or ticks >= TICKS:
                    if not await self._still(token):
                        yield "event: over\ndata: sign in again\n\n"
                        return
                    yield f"event: {'tick' if stamp == last else 'news'}\ndata: {stamp}\n\n"
                    last, ticks = stamp, 0
                await self._pause()
        except UnavailableError:
            return
        finally:
            self.listening -= 1

    async def _still(self, token: str) -> bool:
        return await run_in_threadpool(sessions.find, self._context, token, active=False) is not None

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(EVERY):
                await self._stopped.wait()
        except TimeoutError:
            return


def _stamp(context: WebContext) -> str:
    with context.database.read() as conn:
        return ".".join(map(str, teamwork.stamp(conn)))


@router.get(STREAM)
async def listen(request: Request, visitor: SeesPatients) -> StreamingResponse:  # noqa: ARG001 — the right is the point
    live: Live = request.app.state.live
    if live.listening >= MOST:
        raise HTTPException(503, say("Too many pages listen already."), {"Retry-After": "30"})
    token = sessions.read_cookie(request)
    return StreamingResponse(live.events(token), media_type="text/event-stream", headers=HEADERS)
