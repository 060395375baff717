"""How a polled server has been: its troubles by search, its clock, and the figures that tell of them."""

import threading
from collections.abc import Collection
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge

from adapter import telemetry
from adapter.sources.fhir_client import PATIENT, PollError

TRIES = 3
"""Failures in a row that make an alarm (bad-input F01)."""
AT_ONCE = frozenset({"auth", "forbidden", "origin", "redirect", "tls", "pages", "token", "scope", "overlay"})
"""What makes an alarm the first time: no later try mends it."""
SKEW = timedelta(minutes=2)


class PollMetrics:
    """The counters of all polled servers; labels are sources, types and our own words."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"adapter_{name}", text, ["feed", *labels], registry=registry)

        self.rounds = counter("poll_rounds", "Rounds of searches, by outcome", "outcome")
        self.pages = counter("poll_pages", "Pages read", "search")
        self.resources = counter("poll_resources", "Resources that were new, or in a new version", "search")
        self.errors = counter("poll_errors", "Searches that did not come through, by reason", "kind")
        self.unresolved = counter("poll_unresolved", "References whose target the server does not give")
        self.deleted = counter("poll_deleted", "Resources found deleted on the server")
        self.last = Gauge(
            "adapter_poll_last_success_timestamp_seconds",
            "When every search had come through",
            ["feed"],
            registry=registry,
        )
        self.skew = Gauge("adapter_poll_clock_seconds", "The server's clock less ours", ["feed"], registry=registry)


class Tally:
    """Of one server. Written by its thread, read by everybody."""

    def __init__(self, name: str, metrics: PollMetrics) -> None:
        self._name, self._metrics = name, metrics
        self._failures: dict[tuple[str, str], tuple[str, int]] = {}
        """By search, and the patient it was for where a server is asked so: that of others says nothing of it."""
        self._standing: set[str] = set()
        self._lock = threading.Lock()

    def page(self, search: str, fresh: int) -> None:
        self._metrics.pages.labels(self._name, search).inc()
        self._metrics.resources.labels(self._name, search).inc(fresh)

    def unresolved(self, count: int) -> None:
        self._metrics.unresolved.labels(self._name).inc(max(0, count))

    def deleted(self, search: str) -> None:
        self._metrics.deleted.labels(self._name).inc()
        telemetry.log("deleted on the server", source=self._name, kind=search)

    def only(self, patients: Collection[str]) -> None:
        """Nobody asks for others any more."""
        with self._lock:
            for search, patient in [*self._failures]:
                if patient and patient not in patients:
                    del self._failures[search, patient]

    def came_through(self, search: str, patient: str = "") -> None:
        with self._lock:
            before = self._failures.pop((search, patient), None)
        if before:
            telemetry.log("poll recovered", source=self._name, kind=search, attempts=before[1])

    def failed(self, search: str, error: PollError, patient: str = "") -> int:
        """How often in a row it has. The patient is not told."""
        with self._lock:
            count = self._failures.get((search, patient), ("", 0))[1] + 1
            self._failures[search, patient] = (error.kind, count)
        self._metrics.errors.labels(self._name, error.kind).inc()
        telemetry.warn("poll failed", source=self._name, kind=search, code=error.kind, attempts=count, text=str(error))
        return count

    def failing(self, search: str, patient: str = "") -> int:
        return self._failures.get((search, patient), ("", 0))[1]

    def refused(self, search: str, patient: str = "") -> bool:
        """Whether it failed last for what a person must mend."""
        return self._failures.get((search, patient), ("", 0))[0] in PATIENT

    def odd(self, kind: str) -> None:
        """Something a person must know, though nothing failed."""
        with self._lock:
            new = kind not in self._standing
            self._standing.add(kind)
        if new:
            self._metrics.errors.labels(self._name, kind).inc()
            telemetry.warn("poll", source=self._name, code=kind, text=ODD[kind])

    def clocks(self, there: datetime | None, here: datetime) -> None:
        if there is None:
            return
        apart = there - here
        self._metrics.skew.labels(self._name).set(apart.total_seconds())
        if abs(apart) > SKEW:
            self.odd("clock")
        else:
            self._standing.discard("clock")

    def round(self, outcome: str, now: datetime) -> None:
        self._metrics.rounds.labels(self._name, outcome).inc()
        if outcome == "whole":
            self._metrics.last.labels(self._name).set(now.timestamp())

    def alarms(self) -> tuple[str, ...]:
        with self._lock:
            found = {kind for kind, count in self._failures.values() if count >= TRIES or kind in AT_ONCE}
            return tuple(sorted(f"poll-{kind}" for kind in found | self._standing))


ODD = {
    "export": "the server could not export everything — what it left out is found by polling, as far back as that looks",
    "scope": "the token may do more than we asked for — ask the server's administrator to grant no more",
    "clock": "the server's clock and ours are more than two minutes apart — set them",
    "version": "the server's software or FHIR version has changed — compare what it gives with what it gave",
}
