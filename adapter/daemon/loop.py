"""The loop that the daemon runs in: libuv's, beside threads that give way to each other soon."""

import asyncio
import sys
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import uvloop

SWITCH_SECONDS = 0.0001
"""How long a thread that computes keeps the interpreter from one that wants it, a fiftieth of Python's own: an answer to a
sender needs it several times, and scoring always computes (decisions F2). Both wait equally long, so neither starves.
"""
THREADS = 64
"""For whatever waits for a disk or a peer, made as they are needed: Python's own number is six on two processors, and as many peers,
shares and backups that hang would keep everybody else waiting.
"""

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`."""
    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.get_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="waiting"))
        return runner.run(main)
