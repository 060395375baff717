"""Debian's Chromium, and the pages served to it on a port of this machine."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from adapter.web.app import create_app
from tests.web_house import House

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
NO_FRAME, TRIES = "Unable to capture screenshot", 5


@contextmanager
def listening(home: House, port: int = 0) -> Iterator[str]:
    app = create_app(home.context)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    app.state.live.stop()
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        reason = f"no browser at {CHROMIUM} (install it with: apt-get install chromium)"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        made = player.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield made
        made.close()


def pictured(page: Any, path: Path, **how: Any) -> None:
    """A screenshot; on a busy machine Chromium sometimes has no frame at hand and says so, and has one a moment later."""
    from playwright.sync_api import Error

    for _ in range(TRIES - 1):
        try:
            page.screenshot(path=path, **how)
        except Error as error:
            if NO_FRAME not in error.message:
                raise
            time.sleep(0.5)
        else:
            return
    page.screenshot(path=path, **how)
