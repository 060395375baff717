"""How long the store's own commits take lately: whether an event loop may wait for one."""

import time
from types import TracebackType

QUICK_SECONDS = 0.01
"""On the average. Whoever waits for less keeps nobody waiting who would mind."""
LATELY = 16
"""Commits. One that stood still for a second counts until forty others went well."""


class Pace:
    """`with pace:` round what is measured; used under the store's turn."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._began = 0.0

    @property
    def quick(self) -> bool:
        return self._seconds < QUICK_SECONDS

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._seconds += (time.monotonic() - self._began - self._seconds) / LATELY
