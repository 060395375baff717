"""A round of alerting: what stands in the store is compared with what people were told, and what is owed goes to the outbox.

Nothing is kept in memory between two rounds: whatever was not told, for whatever reason, is told by the next one.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from adapter import telemetry
from adapter.alerting import channels, gather, plan
from adapter.alerting.model import Call, Cause, Message, Policy, Standing, Wish
from adapter.alerting.rota import Rota
from adapter.domain.assessment import LOST
from adapter.domain.trial import CONSENTED, Trial, ends_the_question
from adapter.pipeline import on_record
from adapter.pipeline.outgoing import INTENDED_USE, Owed
from adapter.pipeline.silence import SPOKEN, Silence
from adapter.ports import Clock
from adapter.screening.alerts import substance
from adapter.store import audit, calls, hold, outbox, shadow
from adapter.store.calls import FAILED, OPEN, Alert, MessageRow
from adapter.store.database import Database, Snapshot, Transaction
from adapter.store.locks import Lock, take

WITHDRAWN_TOLD = timedelta(days=2)
"""A withdrawal that quiet hours or an outage held for longer is no news any more."""
CARRIED = timedelta(days=3)
"""So long other channels are looked for; the outbox itself goes on trying."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one round owes. `onward`: messages that go on by another channel; `turned`: those whose state changed."""

    messages: tuple[Message, ...]
    onward: tuple[tuple[MessageRow, str], ...]
    turned: tuple[tuple[str, str], ...]
    alerts: Mapping[str, Alert]

    @property
    def empty(self) -> bool:
        return not (self.messages or self.onward or self.turned)


@dataclass(frozen=True, slots=True)
class Caller:
    """`rota` is asked anew each round; `worklist` is its address, a candidate's page stands at `worklist` + `c/` + id."""

    database: Database
    clock: Clock
    policy: Policy
    rota: Callable[[], Rota]
    trials: Sequence[Trial]
    worklist: str
    silence: Silence = SPOKEN

    def round(self) -> int:
        """How many deliveries became owed. What seems owed is decided again inside the transaction that keeps it."""
        now = self.clock()
        with self.database.read() as conn:
            if hold.stands(conn) or self._as_said_last(conn).plan(conn, now).empty:
                return 0
        with self.database.write() as tx:
            take(tx, Lock.CALLING)
            return self._keep(tx, self._as_said_last(tx).plan(tx, now), now)

    def _as_said_last(self, conn: Snapshot) -> "Caller":
        """A trial is in shadow for us, too, once another process of the store was started with it there."""
        dark = {trial.id for trial in self.trials if shadow.is_dark(conn, trial.id)}
        return replace(self, silence=replace(self.silence, trials=self.silence.trials | dark))

    def plan(self, conn: Snapshot, now: datetime) -> Plan:
        alerts = calls.alerts(conn, now, WITHDRAWN_TOLD)
        underway = calls.underway(conn, now - CARRIED)
        onward, turned = self._carried(conn, underway, now)
        failed = {row.key for row in underway if row.state == FAILED} | {k for k, state in turned if state == FAILED}
        standings = [self._standing(alert, frozenset(failed)) for alert in alerts if self._trial(alert.trial)]
        on_call = self.rota().on_call(now)
        sent = calls.sent(conn, now - max(self.policy.storm_window, gather.LATE))
        by_id = {alert.candidate: alert for alert in alerts}
        wanted = [wish for one in standings for wish in plan.wishes(one, on_call, self.policy, now)]
        told = {wish.candidate for wish in wanted}
        digest = gather.digest_due(sent, self.policy, now)
        asked = [one for one in standings if not one.decided and (one.candidate in told or (digest and one.waits))]
        if consented := self._consented(conn, asked):
            standings = [_decided(one, by_id) if one.candidate in consented else one for one in standings]
            wanted = [wish for one in standings for wish in plan.wishes(one, on_call, self.policy, now)]
        waiting = dict.fromkeys((trial.id for trial in self._live), 0)
        for one in standings:
            waiting[one.trial] += one.waits
        return Plan(
            (
                *gather.messages(wanted, sent, self.policy, now),
                *gather.digests(waiting, on_call, sent, self.policy, now),
            ),
            tuple(onward),
            tuple(turned),
            by_id,
        )

    def _consented(self, conn: Snapshot, asked: Sequence[Standing]) -> set[str]:
        """Of those of whom somebody would be told now: the answer to the trial's criterion of consent says what the status does.
        Only theirs is read, for a round comes every few seconds.
        """
        criteria = {trial.id: trial.parameters.consent_criterion for trial in self.trials}
        return calls.answered_met(conn, {o.candidate: criteria[o.trial] for o in asked if criteria.get(o.trial)})

    def _carried(
        self, conn: Snapshot, underway: Sequence[MessageRow], now: datetime
    ) -> tuple[list[tuple[MessageRow, str]], list[tuple[str, str]]]:
        onward: list[tuple[MessageRow, str]] = []
        turned: list[tuple[str, str]] = []
        outlets = sorted({name for person in self.policy.people for name in person.channels})
        tried = calls.tried(conn, [row.key for row in underway], outlets)
        for row in underway:
            person, ways = self.policy.person(row.person), tried.get(row.key, {})
            names = person.channels if person else ()
            given = (names, ways, now, self.policy.fallback)
            following, state = channels.following(*given), _state(given)
            if following is not None:
                onward.append((row, following))
            if state != row.state:
                turned.append((row.key, state))
        return onward, turned

    def _trial(self, trial_id: str) -> Trial | None:
        return next((trial for trial in self._live if trial.id == trial_id), None)

    @property
    def _live(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.id not in self.silence.trials]

    def _standing(self, alert: Alert, failed: frozenset[str]) -> Standing:
        trial = self._trial(alert.trial)
        return Standing(
            candidate=alert.candidate,
            trial=alert.trial,
            standing=alert.standing,
            raised=alert.raised,
            changed=alert.changed,
            told=substance(alert.summary),
            deadline=alert.deadline,
            marks=trial.clocks[0].warn_left if trial and trial.clocks else (),
            claimed=bool(alert.status or alert.holder),
            holder=alert.holder,
            handed=alert.handed,
            decided=is_decided(trial, alert.status) and not (alert.status == CONSENTED and _ground_lost(alert)),
            opened=alert.opened,
            held=self.silence.held(alert.trial, alert.raised),
            calls=alert.calls,
            failed=failed,
        )

    # --- what is kept ------------------------------------------------------------------------------------------

    def _keep(self, tx: Transaction, planned: Plan, now: datetime) -> int:
        owed = list(self._owed(tx, planned, now))
        for row in owed:
            outbox.add(tx, row, now)
        for key, state in planned.turned:
            calls.settle(tx, key, state)
            if state == FAILED:
                audit.append(tx, on_record.untold(key), now)
                telemetry.warn("alert not delivered", text="no channel of the person took it")
        return len(owed)

    def _owed(self, tx: Transaction, planned: Plan, now: datetime) -> Iterator[Owed]:
        for message in planned.messages:
            person = self.policy.person(message.person)
            if person is None or not person.channels:
                continue
            key = key_of(message, now)
            of = [
                (wish.candidate, planned.alerts[wish.candidate].raised, _call(wish, key, now))
                for wish in message.wishes
            ]
            if message.cause is Cause.ESCALATED:
                who = [wish.candidate for wish in message.wishes]
                audit.append(tx, on_record.escalated(key, str(message.cause), who, message.person), now)
            calls.record(tx, MessageRow(key, message.person, message.cause, now, OPEN), of)
            kind, said = str(message.cause), self._payload(message, planned)
            yield Owed(person.channels[0], _subject(message, key), kind, said, key)
        for row, outlet in planned.onward:
            subject, kind, said = calls.payload(tx, row.key)
            telemetry.warn("alert goes on by another channel", outlet=outlet, kind=kind)
            yield Owed(outlet, subject, kind, said, row.key)

    def _payload(self, message: Message, planned: Plan) -> str:
        """A link, an opaque number or a count, the trial: nothing else ever."""
        said: dict[str, object] = {"kind": str(message.cause), "intended_use": INTENDED_USE}
        if message.cause in {Cause.MANY, Cause.DIGEST}:
            trials = message.trials or sorted({planned.alerts[wish.candidate].trial for wish in message.wishes})
            said |= {"count": message.count, "link": self.worklist, "trial": ", ".join(trials)}
        else:
            candidate = message.wishes[0].candidate
            said |= {"candidate": candidate, "link": f"{self.worklist}c/{candidate}"}
            said["trial"] = planned.alerts[candidate].trial
        return json.dumps(said, sort_keys=True)


def is_decided(trial: Trial | None, status: str) -> bool:
    """Whether a person's status ends the question; one that is only under way does not."""
    reasons = dict(trial.statuses).get(status, ()) if trial else ()
    return ends_the_question(status, with_reason=bool(reasons))


def _decided(standing: Standing, alerts: Mapping[str, Alert]) -> Standing:
    """Of one who consented."""
    return replace(standing, decided=not _ground_lost(alerts[standing.candidate]))


def _ground_lost(alert: Alert) -> bool:
    """A correction took the ground of one who consented: before the randomisation somebody must hear of it."""
    return not alert.standing and alert.summary.split()[0] in LOST


def key_of(message: Message, now: datetime) -> str:
    """Message-ID and webhook-id: opaque, the same by every channel."""
    of = sorted(wish.candidate for wish in message.wishes)
    said = "|".join(("call", message.person, str(message.cause), *of, now.isoformat()))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _subject(message: Message, key: str) -> str:
    """Messages of one candidate keep their order; one of several waits for none."""
    return key if message.cause in {Cause.MANY, Cause.DIGEST} else message.wishes[0].candidate


def _call(wish: Wish, key: str, now: datetime) -> Call:
    return Call(wish.person, wish.cause, wish.told, now, key)


def _state(given: tuple[Sequence[str], Mapping[str, channels.Tried], datetime, timedelta]) -> str:
    if any(one.delivered for one in given[1].values()):
        return outbox.DELIVERED
    return FAILED if channels.failed(*given) else OPEN
