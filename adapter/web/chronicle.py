"""The screening log as it was read last, for all who look: with thousands of patients a reading takes seconds of a processor."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from starlette.concurrency import run_in_threadpool

from adapter.domain.trial import Trial
from adapter.store import screening_log, shadow
from adapter.store.accounts import Scope
from adapter.store.database import Snapshot
from adapter.store.screening_log import Judged, Known, Logged
from adapter.store.shadow import Span, Telling, in_shadow
from adapter.web import entries, figures, flow
from adapter.web.context import WebContext
from adapter.web.entries import Entry
from adapter.web.figures import Criterion, Predictive, Times
from adapter.web.flow import Step
from adapter.web.tongue import language

REST = 10
"""A reading serves for so many times as long as it took: a tenth of a processor at most goes into it, whoever asks."""
LONGEST = 60.0
"""Seconds, however long it took."""
QUICK = 0.1
"""What takes less is read anew for everybody who asks: then nothing lags."""
SCOPES = 16
"""Groups of people with the same sites whose part of a reading is kept with it."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Everything that is counted over the entries of which people were told; `enrolled` over all of them."""

    steps: tuple[Step, ...]
    times: tuple[Times, ...]
    by_flag: tuple[Predictive, ...]
    by_criterion: tuple[Criterion, ...]
    enrolled: tuple[Logged, ...]


@dataclass(slots=True)
class Part:
    """What somebody of some sites sees of it, as of `at`. `spans`: when the trial was in shadow."""

    trial: Trial
    at: datetime
    entries: tuple[Entry, ...]
    judged: Judged
    spans: tuple[Span, ...] = ()
    _tellings: tuple[Telling, ...] | None = None
    _sums: dict[str, Sums] = field(default_factory=dict)

    @property
    def listed(self) -> list[Logged]:
        return [one.logged for one in self.entries]

    def tellings(self, conn: Snapshot) -> tuple[Telling, ...]:
        """Of whom people would have been told in shadow: read for who asks, and once."""
        if self._tellings is None:
            self._tellings = tuple(shadow.tellings(conn, self.trial.id))
        return self._tellings

    def sums(self) -> Sums:
        """Counted once for each language: what is counted has its name."""
        spoken = language()
        if spoken not in self._sums:
            many = [one for one in self.listed if not in_shadow(one.flagged, self.spans)]
            judged = replace(self.judged, episodes=self.judged.episodes - len(self.entries) + len(many))
            self._sums[spoken] = Sums(
                flow.flow(self.trial, judged, many),
                figures.times(many),
                figures.by_flag(self.trial, many),
                figures.by_criterion(self.trial, many),
                tuple(figures.enrolled(self.trial, self.listed)),
            )
        return self._sums[spoken]


@dataclass(slots=True)
class _Reading:
    at: datetime
    entries: tuple[Entry, ...]
    parts: dict[Scope, Part]
    until: float


@dataclass(slots=True)
class Chronicle:
    """One for all readers; what each of them may see is cut out afterwards."""

    context: WebContext
    elapsed: Callable[[], float] = time.monotonic
    spent: Callable[[], float] = time.thread_time
    """Of a processor: waiting for one makes a reading no longer."""
    _kept: dict[str, _Reading] = field(default_factory=dict)
    _known: dict[str, Known] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read(self, trial: Trial, scope: Scope) -> Part:
        """Whoever comes while somebody reads gets the reading before; only where there is none they wait, and hold no thread."""
        kept = self._kept.get(trial.id)
        if kept is None or (self.elapsed() >= kept.until and not self._lock.locked()):
            async with self._lock:
                kept = self._kept.get(trial.id)
                if kept is None or self.elapsed() >= kept.until:
                    kept = await run_in_threadpool(self._read, trial)
        return await run_in_threadpool(_part, self.context, trial, kept, scope)

    def _read(self, trial: Trial) -> _Reading:
        began, at, known = self.spent(), self.context.clock(), self._known.setdefault(trial.id, Known())
        with self.context.database.read() as conn:
            many = tuple(entries.entries(conn, self.context, trial, known))
        took = self.spent() - began
        if took < QUICK:  # nothing of it is kept
            self._kept.pop(trial.id, None)
            self._known.pop(trial.id, None)
            return _Reading(at, many, {}, 0.0)
        found = self._kept[trial.id] = _Reading(at, many, {}, self.elapsed() + min(LONGEST, REST * took))
        return found


def _part(context: WebContext, trial: Trial, kept: _Reading, scope: Scope) -> Part:
    part = kept.parts.get(scope)
    if part is None:
        with context.database.read() as conn:
            judged = screening_log.judged(conn, trial.id, scope)
            spans = shadow.spans(conn, trial.id)
        mine = kept.entries if scope.sites is None else tuple(_of(kept.entries, scope))
        part = Part(trial, kept.at, mine, judged, spans)
        if len(kept.parts) < SCOPES:
            kept.parts[scope] = part
    return part


def _of(many: tuple[Entry, ...], scope: Scope) -> list[Entry]:
    return [one for one in many if scope.site(one.logged.patient.site)]
