"""Whether a trial flags as often as it used to: one that fell silent misses people, one that storms is read by nobody."""

import time
from collections.abc import Collection
from dataclasses import dataclass

from adapter import telemetry
from adapter.domain.frequency import is_silent, storms
from adapter.ports import Clock
from adapter.store import by_hand, flagged
from adapter.store.database import Snapshot

LOOK_SECONDS = 600.0
SILENT, STORMS = "trial-silent", "trial-storms"


@dataclass(slots=True)
class TrialWatch:
    """Looks now and then: the newest lines of every candidate's history are read."""

    trials: Collection[str]
    clock: Clock
    _found: frozenset[tuple[str, str]] = frozenset()
    _looked: float | None = None

    def alarms(self, conn: Snapshot) -> tuple[str, ...]:
        if self._looked is None or time.monotonic() - self._looked >= LOOK_SECONDS:
            self._look(conn)
            self._looked = time.monotonic()
        return tuple(sorted({code for code, _ in self._found}))

    def _look(self, conn: Snapshot) -> None:
        newest, now = by_hand.newest(conn), self.clock()
        known = flagged.by_trial(conn, self.trials)
        silent = {(SILENT, trial) for trial, flags in known.items() if is_silent(flags, newest, now)}
        found = silent | {(STORMS, trial) for trial, flags in known.items() if storms(flags, now)}
        for code, trial in sorted(found - self._found):
            telemetry.warn("trial flags unlike before", code=code, trial=trial)
        self._found = frozenset(found)
