"""The one place that asks the machine for the time, and looks whether it tells the truth (reliability P12, P17, 5.6)."""

import ctypes
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from prometheus_client.core import Metric

from adapter import telemetry
from adapter.ports import Clock

STEP = timedelta(seconds=1)
"""No time service slews as much between two looks: the clock was set, or the machine slept."""
TOLD, PATIENCE = 3600.0, 3600.0
"""Seconds: how long a step is an alarm, and how long the kernel may be without a time service."""
STEPPED, UNSYNCHRONISED = "clock-stepped", "clock-unsynchronised"
TIME_ERROR = 5
"""What adjtimex(2) returns where no time service keeps the clock."""


def utc_now() -> datetime:
    """A `Clock`: aware, UTC."""
    return datetime.now(UTC)  # noqa: TID251 — the shell's clock; everything else is told the time


class _Timex(ctypes.Structure):
    """`struct timex`, of which nothing is set and nothing read."""

    _fields_ = (("modes", ctypes.c_uint), ("rest", ctypes.c_long * 40))


def synchronised() -> bool | None:
    """Whether a time service keeps the kernel's clock; none where the system does not say."""
    asked = getattr(ctypes.CDLL(None), "adjtimex", None)
    state = -1 if asked is None else asked(ctypes.byref(_Timex()))
    return None if state < 0 else state != TIME_ERROR


class ClockWatch:
    """Compares the wall clock with the one that only goes forward, at each `look`."""

    def __init__(
        self,
        clock: Clock,
        ticks: Callable[[], float] = time.monotonic,
        kept: Callable[[], bool | None] = synchronised,
    ) -> None:
        self._clock, self._ticks, self._kept = clock, ticks, kept
        self._seen = clock(), ticks()
        self._stepped: float | None = None
        self._in_sync = self._seen[1]
        self._is_kept: bool | None = None

    def look(self) -> float:
        """Seconds by which the clock was set since the last look; a machine that slept is set forward too. 0 for none."""
        now, ticks = self._clock(), self._ticks()
        before, then = self._seen
        off = now - before - timedelta(seconds=ticks - then)
        self._seen = now, ticks
        self._is_kept = self._kept()
        if self._is_kept is not False:
            self._in_sync = ticks
        if abs(off) < STEP:
            return 0.0
        self._stepped = ticks
        return round(off.total_seconds(), 1)

    def alarms(self) -> tuple[str, ...]:
        ticks = self._ticks()
        stepped = (STEPPED,) if self._stepped is not None and ticks - self._stepped < TOLD else ()
        return (*stepped, UNSYNCHRONISED) if ticks - self._in_sync > PATIENCE else stepped

    def figures(self) -> Iterator[Metric]:
        if self._is_kept is not None:
            means = "1 while a time service keeps this machine's clock"
            yield telemetry.gauge("clock_synchronised", means, float(self._is_kept))
