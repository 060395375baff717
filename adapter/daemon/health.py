"""How the daemon feels: its loop, its store, its disk (reliability 5.1)."""

import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client.core import Metric

from adapter import telemetry
from adapter.daemon.canary import CanaryWatch
from adapter.daemon.certificates import Certificate, alarms
from adapter.daemon.clock import ClockWatch
from adapter.daemon.hanging import Question
from adapter.daemon.self_check import SelfChecks
from adapter.daemon.trial_watch import TrialWatch
from adapter.domain.rhythm import SILENCE
from adapter.errors import UnavailableError
from adapter.pipeline.watch import watch
from adapter.ports import Clock
from adapter.store import (
    accounts,
    backup_log,
    break_glass,
    calls,
    feeds,
    hold,
    inbox,
    outbox,
    quarantine,
    rehearsal_log,
)
from adapter.store.database import Database, Snapshot
from adapter.store.space import Room, Space
from adapter.web.context import Health

LOOP_SECONDS = 5.0
PROBE_SECONDS = 2.0
AGAIN_SECONDS = 1.0
"""A probe's answer serves everybody who asks within this time."""
SLOW = "store-slow"
"""Not ready, says this; it closes no port, since a slow answer is as true as a quick one."""
IDLE_SECONDS = 30.0
"""Nobody asks and nothing was refused: still the store is tried this often, so that an alarm comes within a minute (P3)."""
OLDEST = timedelta(minutes=5)
"""A message that waits longer is an alarm: screening stands still."""
OWED = timedelta(hours=1)
"""So does a delivery: an EDC or a mail server is away."""
LOST = timedelta(days=1)
"""So long an alert that no channel took is an alarm."""
BROKEN = frozenset(
    {"NO_MSH", "PROCID", "TOO_BIG", "CONTINUATION", "NO_MRG", "PARTICIPANT", "SHARED_NUMBER", "LEFT_OUT"}
)
"""Reasons that lie with a sender or an engine, where every message of a kind is lost, and those that a person must settle: each
of them is an alarm for a day.
"""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HELD = "restored"
LOG_BYTES = 128 << 20
"""A write-ahead log that cannot be copied: a reader holds an old snapshot."""


@dataclass(slots=True)
class Pulse:
    """Asked by the web's threads; `beat` is called by the event loop each second."""

    database: Database
    space: Space
    clock: Clock
    certificates: Sequence[Certificate] = ()
    sources: Mapping[str, timedelta | None] = field(default_factory=dict)
    """Whom senders reach us by: each is expected to speak before so much time has passed; none: as its own rhythm says."""
    stopping: Callable[[], bool] = lambda: False
    shadow: Collection[str] = ()
    """Trials of which nothing leaves: what waits of them is no alarm."""
    trials: Collection[str] = ()
    """Those that are screened for: each is expected to flag people as often as it used to."""
    canary: CanaryWatch | None = None
    backups: bool = False
    """Whether any are to be made."""
    others: Callable[[], tuple[str, ...]] = tuple
    """What is wrong with the servers that are asked, with folders, and with the audit log."""
    clock_watch: ClockWatch = field(init=False)
    _flags: TrialWatch = field(init=False)
    _began: datetime = field(init=False)
    _beaten: float = field(default_factory=time.monotonic)
    _looked: float = 0.0
    _probed: float = 0.0
    _failing: tuple[str, ...] = ()
    _room: Room = Room.ENOUGH
    _minor: tuple[str, ...] = ()
    _told: tuple[str, ...] = ()
    _checks: SelfChecks = field(init=False)
    _one: threading.Lock = field(default_factory=threading.Lock)
    _question: Question[tuple[str, ...]] = field(init=False)
    """A commit may hang for hours, as one does that waits for a standby which is gone."""

    def __post_init__(self) -> None:
        self._began, self._checks = self.clock(), SelfChecks(self.database)
        self._question = Question(self._probe, PROBE_SECONDS)
        self.clock_watch, self._flags = ClockWatch(self.clock), TrialWatch(self.trials, self.clock)

    def beat(self) -> None:
        self._beaten = time.monotonic()

    def stops(self) -> bool:
        return self.stopping()

    def health(self) -> Health:
        live = time.monotonic() - self._beaten < LOOP_SECONDS
        critical = self.refusals()
        minor = self._waiting_alarms() + ((Room.LOW,) if self._room is Room.LOW else ())
        failing = bool(critical) or not live
        status = "failing" if failing else "degraded" if minor else "ok"
        return Health(live, live and not critical and not self.stopping(), status, critical + minor, self._notices())

    def _notices(self) -> tuple[str, ...]:
        return tuple(f"shadow:{trial}" for trial in self.shadow)

    def figures(self) -> Iterator[Metric]:
        standing = dict.fromkeys(self.health().codes, 1.0)
        yield from self.clock_watch.figures()
        yield from self.canary.figures() if self.canary else ()
        yield telemetry.gauge_family("alarm", "1 for each alarm that stands (those of /healthz)", "code", standing)
        dark = dict.fromkeys(self.shadow, 1.0)
        yield telemetry.gauge_family(
            "shadow", "1 for each trial in shadow: nobody is told, nothing is pushed", "trial", dark
        )

    def tell(self) -> None:
        """A line in the log for each alarm that began or ended since the last look."""
        codes = self.health().codes
        began, ended = set(codes) - set(self._told), set(self._told) - set(codes)
        for code in sorted(began):
            advice = rehearsal_log.ADVICE.get(code)
            telemetry.warn("alarm", code=code, **({"text": advice} if advice else {}))
        for code in sorted(ended):
            telemetry.log("alarm over", code=code)
        self._told = codes
        self._checks.note(began, ended, self.clock())

    def held(self) -> bool:
        """As of the last look: what a page says must not cost a look of its own."""
        return HELD in self._minor

    def refusals(self, patience: float = AGAIN_SECONDS) -> tuple[str, ...]:
        """Why the store is not ready; empty when all is well. What was found well holds for `patience` seconds."""
        with self._one:
            now = time.monotonic()
            if now - self._looked > AGAIN_SECONDS:
                self._room, self._looked = self.space.look(), now
            troubled = self._failing or self._room is Room.NEARLY_FULL
            if now - self._probed > (AGAIN_SECONDS if troubled else patience):
                self._failing, self._probed = self._question.answer((SLOW,)), now
            full = (str(Room.NEARLY_FULL),) if self._room is Room.NEARLY_FULL else ()
            return full + self._failing

    def refuses(self) -> bool:
        """Whether the store takes nothing more, for sources that have no port to close."""
        return any(code != SLOW for code in self.refusals(IDLE_SECONDS))

    def _probe(self) -> tuple[str, ...]:
        began = time.monotonic()
        try:
            if self._failing or self._room is Room.NEARLY_FULL:
                self.database.make_room()
            self._write()
        except UnavailableError:
            return ("store-unavailable",)
        return () if time.monotonic() - began < PROBE_SECONDS else (SLOW,)

    def _write(self) -> None:
        """A row really written, synced and taken away again: a sign-in token that is expired when it is made."""
        now = self.clock()
        with self.database.write() as tx:
            accounts.add_token(tx, f"probe-{secrets.token_hex(8)}", "probe", now)
            accounts.forget_tokens(tx, now)

    def _waiting_alarms(self) -> tuple[str, ...]:
        """Those found last stand while the store cannot be read."""
        try:
            with self.database.read() as conn:
                held = _held(conn, self.clock())
                oldest, owed = inbox.counts(conn).oldest_pending, outbox.counts(conn, shadow=self.shadow).values()
                watched = watch(conn, self.clock())
                spoke = {row.source: row.last_received for row in feeds.listing(conn)}
                emergency = any(one.until for one in break_glass.recent(conn, self.clock()))
                lost = calls.lost(conn, self.clock() - LOST)
                unlike = (*self._flags.alarms(conn), *(self.canary.look(conn) if self.canary else ()))
                restored, stale = hold.stands(conn), self.backups and backup_log.old(conn, self.clock())
                untested = rehearsal_log.alarms(conn, self.clock(), wanted=self.backups)
        except UnavailableError:
            return self._minor
        now = self.clock()
        found = {
            "inbox-waiting": oldest is not None and now - oldest > OLDEST,
            "outbox-waiting": any(one.oldest_waiting and now - one.oldest_waiting > OWED for one in owed),
            **held,
            "alert-undelivered": lost,
            "dead-letters": any(one.dead for one in owed),
            "feed-silent": any(
                now - spoke.get(source, self._began) > (patience or watched.patience.get(source, SILENCE))
                for source, patience in self.sources.items()
            ),
            "analyte-silent": bool(watched.silent),
            "values-moved": bool(watched.moved),
            "break-glass": emergency,
            HELD: restored,
            "backup-old": stale,
            "log-long": self.database.sizes()[1] > LOG_BYTES,
        }
        standing = (code for code, stands in found.items() if stands)
        self._minor = (
            *standing,
            *unlike,
            *untested,
            *self.others(),
            *self.clock_watch.alarms(),
            *alarms(self.certificates, now),
        )
        return self._minor


def _held(conn: Snapshot, now: datetime) -> dict[str, bool]:
    """What of the quarantine is an alarm; a stranger's messages and our own failures have their own, and do not count for the hundredth."""
    held = quarantine.held(conn, now - HOUR)
    failed = {reason for reason in held if reason.startswith(quarantine.INTERNAL)}
    lately = sum(one.lately for reason, one in held.items() if reason not in failed | {quarantine.VOUCHED})
    return {
        "unknown-sender": quarantine.VOUCHED in held,
        "message-failed": bool(failed),
        "quarantine": any(reason in held and now - held[reason].newest < DAY for reason in BROKEN)
        or quarantine.more_than_a_hundredth(conn, lately, now - HOUR),
    }
