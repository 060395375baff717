"""A command that tidies up after itself though it is told to end."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BASE = 128
"""A shell's exit code for a signal is this and its number."""


@contextlib.contextmanager
def heard() -> Iterator[Callable[[], bool]]:
    """Gives whether to go on; at the end of the block the command ends where it was told to.

    An exception out of a signal would be lost inside SQLite's own calls, and break off the tidying up: only a second one is.
    """
    told: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        told.append(number)
        if len(told) > 1:
            raise SystemExit(BASE + number)

    wanted = [one for one in ENDING if signal.getsignal(one) != signal.SIG_IGN]  # nohup means it
    before = [(one, signal.signal(one, hear)) for one in wanted]
    try:
        yield lambda: not told
    finally:
        for one, was in before:
            signal.signal(one, was)
        if told:
            raise SystemExit(BASE + told[0])
