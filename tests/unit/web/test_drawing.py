"""Pages are drawn in threads, a few at a time, and never by the loop that answers senders."""

import asyncio
import threading
import time

from fastapi import Request, Response

from adapter.web.app import DRAWN_AT_ONCE, create_app
from adapter.web.worklist import drawn
from tests.web_house import House

PAGES = 3 * DRAWN_AT_ONCE


def test_so_many_pages_are_drawn_at_once_and_no_more_beside_the_loop(home: House) -> None:
    request = Request({"type": "http", "app": create_app(home.context)})
    lock, now, most, threads = threading.Lock(), 0, 0, set()

    def draw(_request: Request) -> Response:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            threads.add(threading.get_ident())
        time.sleep(0.02)
        with lock:
            now -= 1
        return Response()

    async def many() -> int:
        await asyncio.gather(*(drawn(request, draw) for _ in range(PAGES)))
        return threading.get_ident()

    assert asyncio.run(many()) not in threads
    assert most == DRAWN_AT_ONCE
