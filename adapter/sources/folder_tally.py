"""How a drop folder has been: its files by outcome, what waits, its alarms. No name of a file passes here."""

from collections.abc import Sequence
from datetime import datetime
from time import monotonic

from prometheus_client import CollectorRegistry, Counter, Gauge

from adapter import telemetry
from adapter.domain.message import RawMessage
from adapter.sources.drop import Look, Seen
from adapter.telemetry import Metrics

HUNG = 150.0
"""Seconds without a sign of the reader: a network share that hangs takes its thread with it."""
NANO = 1e9
UNREACHABLE, FILE, LEFT, STUCK = "folder-unreachable", "folder-file", "folder-refused", "folder-hung"


class FolderMetrics:
    """The figures of all drop folders; labels are sources and our own words."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"adapter_folder_{name}", text, ["feed", *labels], registry=registry)

        self.files = Counter("adapter_folder_files", "Files read, by outcome", ["feed", "outcome"], registry=registry)
        self.waiting = gauge("waiting", "Files that wait to be read")
        self.oldest = gauge("oldest_seconds", "How long ago the oldest of them was written")
        self.left = gauge("left", "What lies there and is not read, by kind", "kind")


class Tally:
    """Of one folder. Written by its thread, read by everybody."""

    def __init__(self, name: str, figures: FolderMetrics, metrics: Metrics) -> None:
        self._name, self._figures, self._metrics = name, figures, metrics
        self._standing: frozenset[str] = frozenset()
        self._failures: dict[Seen, str] = {}
        self._left: frozenset[str] = frozenset()
        self._alive = monotonic()

    def alive(self, now: float) -> None:
        self._alive = now

    def seen(self, found: Look, now: datetime) -> None:
        self._figures.waiting.labels(self._name).set(found.waiting)
        age = now.timestamp() - found.files[0].changed / NANO if found.files else 0.0
        self._figures.oldest.labels(self._name).set(max(0.0, age))
        kinds = frozenset(found.left)
        for kind in kinds | self._left:
            self._figures.left.labels(self._name, kind).set(found.left[kind])
        for kind in sorted(kinds - self._left):
            telemetry.log("left where it lies", feed=self._name, kind=kind, count=found.left[kind])
        self._left = kinds
        there = frozenset(found.files)
        self._failures = {one: code for one, code in self._failures.items() if one in there}

    def stored(self, messages: Sequence[RawMessage]) -> None:
        for message in messages:
            if message.quarantine is not None:
                self._metrics.door_quarantined.labels(self._name, message.quarantine).inc()

    def read(self, seen: Seen, count: int, again: int, seconds: float) -> None:
        told = {"feed": self._name, "file": seen.alone, "bytes": seen.size, "seconds": round(seconds, 3)}
        telemetry.log("file read", **told, count=count, duplicate=again)

    def moved(self, seen: Seen, reason: str) -> None:
        self._figures.files.labels(self._name, "refused" if reason else "taken").inc()
        self._failures.pop(seen, None)
        if reason:
            telemetry.warn("file refused", feed=self._name, file=seen.alone, code=reason)

    def failed(self, seen: Seen, error: OSError) -> None:
        """It cannot be opened, read or moved; tried again at each look, told once."""
        kind = type(error).__name__ if error.strerror is None else error.strerror
        if self._failures.get(seen) != kind:
            self._failures[seen] = kind
            telemetry.warn("file trouble", feed=self._name, file=seen.alone, text=kind)

    def grew(self, seen: Seen, error: OSError | None) -> None:
        """Its writer went on after it was moved; it is brought back, or cannot be."""
        text = "to be read again" if error is None else f"cannot be brought back: {error.strerror}"
        telemetry.warn("file written on after it was taken", feed=self._name, file=seen.alone, text=text)

    def unreachable(self, error: OSError) -> None:
        if UNREACHABLE not in self._standing:
            telemetry.warn("folder unreachable", feed=self._name, text=error.strerror)
        self._standing |= {UNREACHABLE}

    def looked(self, failed: int, *, refused: bool) -> None:
        """The end of a look that came through."""
        if UNREACHABLE in self._standing:
            telemetry.log("folder reachable again", feed=self._name)
        wrong = {FILE: bool(failed or self._failures), LEFT: refused}
        self._standing = frozenset(code for code, stands in wrong.items() if stands)

    def alarms(self) -> tuple[str, ...]:
        return tuple(sorted(self._standing | ({STUCK} if monotonic() - self._alive > HUNG else frozenset())))
