"""What is owed to sinks and notifiers: in order per subject, once per key, kept until settled."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Row, String, and_, case, cast, func, null, or_, select, text, update

from adapter.domain.message import Delivery, RemoteResource
from adapter.store.codec import instant, moment_or_none, storable
from adapter.store.schema import outbox, outbox_remotes
from adapter.store.subjects import of_trials
from adapter.store.upsert import insert

WAITING, DELIVERED, DEAD, SUPERSEDED = "waiting", "delivered", "dead", "superseded"

SNAPSHOT = "bundle"
"""The kind whose newest says everything: an older one nobody tried to send need not go."""
WITHHELD = "withheld"
"""The content of what an outlet is not to be told at present: whatever is owed afterwards is news to it."""

LONGEST = "3h"
"""A peer that lets each of many replies wait is waited for: were the transaction ended, what arrived would be sent again. Who died lets
go at once all the same, with the connection.
"""

_WAITING = text("state = 'waiting'")
"""As literal text, so that the planner uses the partial index."""
_UNSENT = (outbox.c.state == SUPERSEDED) & (outbox.c.attempts == 0)
"""It never left, and never will."""


class Owed(Protocol):
    """`subject` is the opaque key within which order holds, `key` the identity that makes adding it twice harmless.

    Of a snapshot: `ends`, none of those before it may leave any more, also one that was tried; `spares`, one that holds this
    text says what this one does not, and goes before it.
    """

    @property
    def outlet(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def payload(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def content(self) -> str: ...
    @property
    def ends(self) -> bool: ...
    @property
    def spares(self) -> str: ...


@dataclass(frozen=True, slots=True)
class OutletCounts:
    waiting: int
    delivered: int
    dead: int
    superseded: int
    oldest_waiting: datetime | None


def add(tx: Connection, owed: Owed, now: datetime) -> None:
    """Due at once. The same key again is the same debt; a newer snapshot supersedes an untried older one."""
    row = {
        "outlet": owed.outlet,
        "subject": owed.subject,
        "kind": owed.kind,
        "key": owed.key,
        "state": WAITING,
        "due": instant(now),
        "created": instant(now),
        "payload": owed.payload,
        "content": owed.content,
    }
    add_once = insert(outbox).values(**row).on_conflict_do_nothing(index_elements=["outlet", "key"])
    made = tx.execute(add_once.returning(outbox.c.id)).scalar_one_or_none()
    if made is not None and owed.kind == SNAPSHOT:
        _supersede(tx, owed, now)


def _supersede(tx: Connection, owed: Owed, now: datetime) -> None:
    older = (outbox.c.outlet == owed.outlet) & (outbox.c.subject == owed.subject) & (outbox.c.key != owed.key)
    if not owed.ends:
        older &= outbox.c.attempts == 0
    if owed.spares:
        older &= ~outbox.c.payload.contains(owed.spares, autoescape=True)
    _stop(tx, older, {"settled": instant(now)})


def _stop(tx: Connection, which: ColumnElement[bool], values: Mapping[str, Any]) -> None:
    """Snapshots that wait, and need not or may not go."""
    # One that is on its way at this moment, in another process, was tried: it is left to that one.
    idle = select(outbox.c.id).where(_WAITING, outbox.c.kind == SNAPSHOT, which).with_for_update(skip_locked=True)
    tx.execute(update(outbox).where(outbox.c.id.in_(idle)).values(state=SUPERSEDED, **values))


def withhold(tx: Connection, subjects: Collection[str], now: datetime) -> None:
    """Nothing of these may leave for now: what waits does not go, and what was delivered is not delivered again. Once it may,
    the same is owed anew.
    """
    theirs = outbox.c.subject.in_(subjects)
    # Under another key: else owing the same again would be owing nothing.
    aside = outbox.c.key + "-" + cast(outbox.c.id, String)
    _stop(tx, theirs, {"settled": instant(now), "content": WITHHELD, "key": aside})
    told = theirs & (outbox.c.kind == SNAPSHOT) & (outbox.c.state == DELIVERED)
    tx.execute(update(outbox).where(told, outbox.c.content != WITHHELD).values(content=WITHHELD))


def due(conn: Connection, outlet: str, now: datetime, limit: int, *, shadow: Collection[str] = ()) -> list[Delivery]:
    """The oldest waiting delivery of each subject, if its time has come; a blocked subject blocks no other. Nothing of
    trials in `shadow`.
    """
    leaves = (~of_trials(shadow),) if shadow else ()
    waiting = select(func.min(outbox.c.id)).where(_WAITING, outbox.c.outlet == outlet, *leaves)
    first = waiting.group_by(outbox.c.subject).scalar_subquery()
    wanted = (
        select(outbox, outbox_remotes.c.remote_id, outbox_remotes.c.version)
        .outerjoin(
            outbox_remotes,
            (outbox_remotes.c.outlet == outbox.c.outlet) & (outbox_remotes.c.subject == outbox.c.subject),
        )
        .where(outbox.c.id.in_(first), outbox.c.due <= instant(now))
        .order_by(outbox.c.id)
        .limit(limit)
    )
    return [_delivery(row) for row in conn.execute(wanted)]


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        outlet=row.outlet,
        subject=row.subject,
        kind=row.kind,
        payload=row.payload,
        key=row.key,
        attempts=row.attempts,
        remote=None if row.remote_id is None else RemoteResource(row.remote_id, row.version),
    )


def held_by(conn: Connection, outlet: str, after: int, limit: int) -> list[Delivery]:
    """Of each subject the newest snapshot, where that one was delivered: what the outlet should hold. In order of id; nothing
    of whom nothing may leave.
    """
    newest = (
        select(func.max(outbox.c.id))
        .where(outbox.c.outlet == outlet, outbox.c.kind == SNAPSHOT, outbox.c.state != SUPERSEDED)
        .group_by(outbox.c.subject)
    ).scalar_subquery()
    wanted = select(outbox, null().label("remote_id")).where(outbox.c.id.in_(newest), outbox.c.state == DELIVERED)
    wanted = wanted.where(outbox.c.content != WITHHELD)
    return [
        _delivery(row) for row in conn.execute(wanted.where(outbox.c.id > after).order_by(outbox.c.id).limit(limit))
    ]


def again(tx: Connection, deliveries: Sequence[int], now: datetime) -> None:
    """Delivered once, and lost there since: owed again, due at once."""
    ours = outbox.c.id.in_(deliveries) & (outbox.c.state == DELIVERED)
    tx.execute(update(outbox).where(ours).values(state=WAITING, due=instant(now), settled=None))


def claim(tx: Connection, delivery: Delivery) -> bool:
    """Whether it still waits as it was seen, and is ours until the transaction ends, however long the peer takes; who else
    wants it goes on to the next.
    """
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = '{LONGEST}'")
    same = (outbox.c.id == delivery.id) & (outbox.c.attempts == delivery.attempts)
    wanted = select(outbox.c.id).where(_WAITING, same).with_for_update(skip_locked=True)
    return tx.execute(wanted).scalar_one_or_none() is not None


def delivered(tx: Connection, delivery_id: int, remote: RemoteResource | None, now: datetime) -> None:
    """Done; what the outlet now holds is kept for the next delivery of the subject."""
    note = "" if remote is None else storable(remote.note)
    _settle(tx, delivery_id, DELIVERED, {"settled": instant(now), "error": note})
    if remote is None:
        return
    where = select(outbox.c.outlet, outbox.c.subject).where(outbox.c.id == delivery_id)
    row = tx.execute(where).one_or_none()
    if row is None:  # it was erased while it went out
        return
    outlet, subject = row
    held = {"remote_id": remote.id, "version": remote.version}
    put = insert(outbox_remotes).values(outlet=outlet, subject=subject, **held)
    tx.execute(put.on_conflict_do_update(index_elements=["outlet", "subject"], set_=held))


def postponed(tx: Connection, delivery_id: int, error: str, due_at: datetime) -> None:
    """Tried in vain; again at `due_at`, unless it was superseded on its way. `error` names the fault, never the payload."""
    still = case((outbox.c.state == SUPERSEDED, SUPERSEDED), else_=WAITING)
    _settle(tx, delivery_id, still, {"due": instant(due_at), "error": storable(error)})


def dead(tx: Connection, delivery_id: int, error: str, now: datetime) -> None:
    """Refused for good: a dead letter for a person to see. The subject's next delivery goes on."""
    _settle(tx, delivery_id, DEAD, {"settled": instant(now), "error": storable(error)})


def _settle(tx: Connection, delivery_id: int, state: str | ColumnElement[str], values: Mapping[str, str]) -> None:
    one = update(outbox).where(outbox.c.id == delivery_id)
    tx.execute(one.values(state=state, attempts=outbox.c.attempts + 1, **values))


def remote(conn: Connection, outlet: str, subject: str) -> RemoteResource | None:
    wanted = select(outbox_remotes.c.remote_id, outbox_remotes.c.version).where(
        outbox_remotes.c.outlet == outlet, outbox_remotes.c.subject == subject
    )
    row = conn.execute(wanted).one_or_none()
    return None if row is None else RemoteResource(row.remote_id, row.version)


def told(conn: Connection, outlet: str, subject: str, resource: str) -> bool:
    """Whether a snapshot that holds this resource went to the outlet, or may have gone."""
    ours = (outbox.c.outlet == outlet) & (outbox.c.subject == subject) & ~_UNSENT
    wanted = select(outbox.c.id).where(ours, outbox.c.kind == SNAPSHOT, outbox.c.payload.contains(resource)).limit(1)
    return conn.execute(wanted).scalar_one_or_none() is not None


def newest_contents(conn: Connection, subject: str) -> dict[str, str]:
    """By outlet that was ever owed something of this subject: the digest of what it was owed last. What was withheld before
    anybody tried to send it was owed to nobody.
    """
    ours = (outbox.c.subject == subject) & ~and_(_UNSENT, outbox.c.content == WITHHELD)
    wanted = select(outbox.c.outlet, outbox.c.content).where(ours).order_by(outbox.c.id)
    return {row.outlet: row.content for row in conn.execute(wanted)}


def counts(conn: Connection, *, shadow: Collection[str] = ()) -> dict[str, OutletCounts]:
    """By outlet; what is held back of trials in `shadow` waits for nobody."""
    wanted = select(outbox.c.outlet, outbox.c.state, func.count(), func.min(outbox.c.created))
    if shadow:
        wanted = wanted.where(or_(outbox.c.state != WAITING, ~of_trials(shadow)))
    found: dict[str, dict[str, tuple[int, str]]] = {}
    for outlet, state, number, oldest in conn.execute(wanted.group_by(outbox.c.outlet, outbox.c.state)):
        found.setdefault(outlet, {})[state] = (number, oldest)
    return {outlet: _counts(by_state) for outlet, by_state in found.items()}


def _counts(by_state: Mapping[str, tuple[int, str]]) -> OutletCounts:
    numbers = {state: number for state, (number, _) in by_state.items()}
    oldest = by_state[WAITING][1] if WAITING in by_state else None
    return OutletCounts(
        waiting=numbers.get(WAITING, 0),
        delivered=numbers.get(DELIVERED, 0),
        dead=numbers.get(DEAD, 0),
        superseded=numbers.get(SUPERSEDED, 0),
        oldest_waiting=moment_or_none(oldest),
    )
