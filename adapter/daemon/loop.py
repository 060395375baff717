"""The loop that the daemon runs in: libuv's, beside threads that give way to each other soon."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

SWITCH_SECONDS = 0.0001
"""How long a thread that computes keeps the interpreter from one that wants it, a fiftieth of Python's own: an answer to a
sender needs it several times, and scoring always computes (decisions F2). Both wait equally long, so neither starves.
"""

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`."""
    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
