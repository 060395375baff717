"""The head of the audit log, written where the store cannot reach, the daemon's log; and the whole chain verified once a day."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client.core import Metric

from adapter import telemetry
from adapter.daemon.enduring import patience
from adapter.daemon.noted import HEAD_LINE
from adapter.daemon.recording import own
from adapter.ports import Clock
from adapter.store import audit, marks
from adapter.store.audit import Head
from adapter.store.audit_walk import Walked, check
from adapter.store.codec import instant, moment
from adapter.store.database import Database

LOOK_SECONDS = 30.0
ANCHOR_SECONDS = 600.0
ANCHOR_ENTRIES = 1000
STALE_SECONDS = 3600.0
DAILY = timedelta(days=1)
ANCHORED, VERIFIED = "audit-anchored", "audit-verified"
"""Marks: the last head that held, as `NUMBER HASH`; when the chain was last walked from end to end, and `ok` or `broken`."""
SHARE = 3.0
"""Of the time the walk takes three times as much is left to who answers senders."""


class StoppingError(Exception):
    """The daemon stops: the walk begins anew at the next start."""


@dataclass(slots=True)
class Anchors:
    """`verifies`: whether this process walks the chain, where several share the store."""

    database: Database
    clock: Clock
    verifies: bool = True
    stopping: Callable[[], bool] = lambda: False
    _told: Head | None = None
    _anchored: datetime | None = None
    _since: float = field(default_factory=time.monotonic)
    _verified: str = ""

    def look(self) -> None:
        """In a thread. Raises UnavailableError."""
        with self.database.read() as conn:
            head, known, self._verified = audit.head(conn), marks.said(conn, ANCHORED), marks.said(conn, VERIFIED)
        elapsed = time.monotonic() - self._since
        if self._told is None or elapsed >= ANCHOR_SECONDS or head.seq - self._told.seq >= ANCHOR_ENTRIES:
            self._anchor(head, known)
        if self.verifies and self._is_due():
            self._verify(known)

    def _is_due(self) -> bool:
        at, _, _ = self._verified.partition(" ")
        return not at or self.clock() - moment(at) >= DAILY

    def _anchor(self, head: Head, known: str) -> None:
        """What was written since the last head that held is walked first: a log that was cut or rewritten meanwhile is told
        at once, and that head stays the one that must hold.
        """
        problems = check(self.database, _head(known), self._rest).problems if known else ()
        telemetry.log(HEAD_LINE, count=head.seq, digest=head.hash)
        self._told, self._anchored, self._since = head, self.clock(), time.monotonic()
        if not problems:
            with self.database.write() as tx:
                marks.put(tx, ANCHORED, f"{head.seq} {head.hash}")
        elif self._whole is not False:
            self._keep(Walked(problems, head))

    def _verify(self, known: str) -> None:
        walked = check(self.database, rest=self._rest)
        with self.database.read() as conn:
            lost = audit.anchored(conn, [_head(known)]) if known else []
        self._keep(Walked((*walked.problems, *lost), walked.last))

    def _keep(self, walked: Walked) -> None:
        now, word = self.clock(), "broken" if walked.problems else "ok"
        if walked.problems:
            telemetry.warn("audit log broken", text=walked.problems[0], count=walked.last.seq)
        detail = {"entries": walked.last.seq, "hash": walked.last.hash}
        act = own("audit-verify", detail, "failed" if walked.problems else "ok", "; ".join(walked.problems[:1]))
        self._verified = f"{instant(now)} {word}"
        with self.database.write() as tx:
            audit.append(tx, act, now)
            marks.put(tx, VERIFIED, self._verified)

    @property
    def _whole(self) -> bool | None:
        """None before the chain was ever verified."""
        return self._verified.endswith(" ok") if self._verified else None

    def _rest(self, seconds: float) -> None:
        if self.stopping():
            raise StoppingError
        time.sleep(SHARE * seconds)

    def alarms(self) -> tuple[str, ...]:
        stale = time.monotonic() - self._since > STALE_SECONDS
        return (("audit-broken",) if self._whole is False else ()) + (("audit-not-anchored",) if stale else ())

    def figures(self) -> Iterator[Metric]:
        if self._anchored is not None:
            at = self._anchored.timestamp()
            yield telemetry.gauge(
                "audit_last_anchor_timestamp_seconds", "When the log last told the audit log's head", at
            )
        if self._whole is not None:
            yield telemetry.gauge(
                "audit_verify_ok", "Whether the audit log was whole when last verified", float(self._whole)
            )


def _head(known: str) -> Head:
    number, _, digest = known.partition(" ")
    return Head(int(number), digest)


async def rounds(anchors: Anchors) -> None:
    """While the daemon runs."""
    while True:
        with patience(), contextlib.suppress(StoppingError):
            await asyncio.to_thread(anchors.look)
        await asyncio.sleep(LOOK_SECONDS)
