"""Access to patients in an emergency: asked with a reason, given by a second person, over after an hour by itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, update

from adapter.errors import RejectedError
from adapter.store.codec import instant, moment, moment_or_none
from adapter.store.locks import Lock, take
from adapter.store.people import break_glass
from adapter.store.upsert import insert

LASTS = timedelta(hours=1)
"""An emergency; and so long a request waits for its answer."""


@dataclass(frozen=True, slots=True)
class Emergency:
    """`until` is null while nobody gave it."""

    id: int
    user: str
    reason: str
    asked: datetime
    decided_by: str
    until: datetime | None


def ask(tx: Connection, user: str, reason: str, now: datetime) -> int:
    take(tx, Lock.TALLY)
    number = 1 + (tx.execute(select(func.max(break_glass.c.id))).scalar() or 0)
    tx.execute(insert(break_glass), {"id": number, "user": user, "reason": reason, "asked": instant(now)})
    return number


def give(tx: Connection, number: int, by: str, now: datetime) -> Emergency:
    """For an hour from now. Raises RejectedError for one's own request, and for one that waits no more."""
    found = next((one for one in recent(tx, now) if one.id == number and one.until is None), None)
    if found is None:
        raise RejectedError("This request waits no more: it was answered, or is too old. Ask again.")
    if found.user == by:
        raise RejectedError("Somebody else must let you in.")
    until = now + LASTS
    values = {"decided_by": by, "until": instant(until)}
    tx.execute(update(break_glass).where(break_glass.c.id == number).values(**values))
    return Emergency(found.id, found.user, found.reason, found.asked, by, until)


def end(tx: Connection, user: str, now: datetime) -> bool:
    """Before its hour is over. False where there was none."""
    still = (break_glass.c.user == user) & (break_glass.c.until > instant(now))
    return bool(tx.execute(update(break_glass).where(still).values(until=instant(now))).rowcount)


def recent(conn: Connection, now: datetime) -> list[Emergency]:
    """Those that wait, and those that are on; the newest first."""
    since = instant(now - LASTS)
    waits = break_glass.c.until.is_(None) & (break_glass.c.asked > since)
    wanted = select(break_glass).where(waits | (break_glass.c.until > instant(now)))
    return [_read(row) for row in conn.execute(wanted.order_by(break_glass.c.id.desc())).mappings()]


def open_for(conn: Connection, user: str, now: datetime) -> datetime | None:
    """Until when somebody sees patients in an emergency."""
    mine = (one.until for one in recent(conn, now) if one.user == user and one.until is not None)
    return max(mine, default=None)


def _read(row: Any) -> Emergency:
    times = (moment(row["asked"]), row["decided_by"], moment_or_none(row["until"]))
    return Emergency(row["id"], row["user"], row["reason"], *times)
