"""The loop that the daemon runs in: libuv's, beside threads that give way to each other soon."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

SWITCH_SECONDS = 0.0005
"""How long a thread that computes keeps the interpreter from one that wants it, a tenth of Python's own: an answer to a
sender needs it several times, and scoring always computes (decisions F2).
"""

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`."""
    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
