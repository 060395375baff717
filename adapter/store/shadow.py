"""When a trial was in shadow: nobody is told, nothing is pushed. And what waits in the outbox for such trials."""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, text, update

from adapter.store import marks
from adapter.store.calling import NOT_DELIVERED, calls, messages
from adapter.store.codec import instant, moment
from adapter.store.outbox import DELIVERED, SNAPSHOT, SUPERSEDED, WAITING
from adapter.store.schema import STANDING, candidate_history, candidates, outbox
from adapter.store.subjects import of_trials

TOLD = ("raised", "updated", "withdrawn")
"""What people hear of."""


@dataclass(frozen=True, slots=True)
class Span:
    """From its beginning to its end; without an end it goes on."""

    since: datetime
    until: datetime | None = None

    def covers(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


def in_shadow(at: datetime | None, spans: Iterable[Span]) -> bool:
    return at is not None and any(span.covers(at) for span in spans)


@dataclass(frozen=True, slots=True)
class Telling:
    """One time people would have been told."""

    candidate: str
    at: datetime
    kind: str


def spans(conn: Connection, trial: str) -> tuple[Span, ...]:
    """Oldest first; nothing of a trial that was live from its first day."""
    said = marks.said(conn, _mark(trial))
    return tuple(_span(*one.split("/")) for one in said.split())


def _span(since: str, until: str) -> Span:
    return Span(moment(since), moment(until) if until else None)


def _mark(trial: str) -> str:
    return f"shadow:{trial}"


def is_dark(conn: Connection, trial: str) -> bool:
    """As it was said last."""
    said = spans(conn, trial)
    return bool(said) and said[-1].until is None


def turn(tx: Connection, trial: str, now: datetime, *, shadow: bool) -> bool:
    """Says how it is from now on; whether it was otherwise before. A trial nobody spoke of was live."""
    if shadow == is_dark(tx, trial):
        return False
    before = spans(tx, trial)
    after = (*before, Span(now)) if shadow else (*before[:-1], Span(before[-1].since, now))
    written = (f"{instant(one.since)}/{instant(one.until) if one.until else ''}" for one in after)
    marks.put(tx, _mark(trial), " ".join(written))
    return True


def tellings(conn: Connection, trial: str) -> Iterator[Telling]:
    """Every time people would have been told of a candidate of the trial while it was in shadow; oldest first."""
    dark = spans(conn, trial)
    if not dark:
        return
    line = candidate_history.c
    wanted = select(line.candidate, line.at, line.kind).join(candidates).where(candidates.c.trial == trial)
    wanted = wanted.where(line.kind.in_(TOLD), or_(*(_within(line.at, span) for span in dark)))
    for candidate, at, kind in conn.execute(wanted.order_by(line.at, line.id)):
        yield Telling(candidate, moment(at), kind)


def _within(at: ColumnElement[str], span: Span) -> ColumnElement[bool]:
    """As `Span.covers`."""
    begun = at >= instant(span.since)
    return begun if span.until is None else and_(begun, at < instant(span.until))


# --- the outbox --------------------------------------------------------------------------------------------------


def held(conn: Connection, trial: str) -> int:
    """How many snapshots for EDCs wait that do not leave."""
    mine = and_(text("state = 'waiting'"), outbox.c.kind == SNAPSHOT, of_trials((trial,)))
    return int(conn.execute(select(func.count()).select_from(outbox).where(mine)).scalar_one())


def take_back(tx: Connection, trial: str, now: datetime) -> int:
    """Alerts that speak of the trial and reached nobody go: whoever was to hear them is told anew once the trial is live. What a
    channel took was heard, though no round has said so of the message yet.
    """
    carried = select(outbox.c.key).where(outbox.c.kind != SNAPSHOT, outbox.c.state == DELIVERED)
    unheard = select(messages.c.key).where(NOT_DELIVERED, messages.c.key.not_in(carried))
    waits = or_(outbox.c.state == WAITING, outbox.c.key.in_(unheard))
    found = tx.execute(select(outbox.c.id, outbox.c.key, outbox.c.payload).where(outbox.c.kind != SNAPSHOT, waits))
    mine = [(id_, key) for id_, key, said in found if trial in _trials(said)]
    keys = {key for _, key in mine}
    waiting = outbox.c.id.in_([id_ for id_, _ in mine]) & (outbox.c.state == WAITING)
    tx.execute(update(outbox).where(waiting).values(state=SUPERSEDED, settled=instant(now)))
    unheard_keys = list(tx.execute(unheard.where(messages.c.key.in_(keys))).scalars())
    for table in (calls, messages):
        tx.execute(delete(table).where(table.c.key.in_(unheard_keys)))
    return len(keys)


def _trials(payload: str) -> Collection[str]:
    return str(json.loads(payload).get("trial", "")).split(", ")


def review_at_once(tx: Connection, trial: str, now: datetime) -> int:
    """Whoever stands is judged again, so that what is owed of them becomes owed; how many they are."""
    stands = and_(text(STANDING), candidates.c.trial == trial)
    return int(tx.execute(update(candidates).where(stands).values(review_at=instant(now))).rowcount)
