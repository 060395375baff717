"""Messages nobody could read: found, put back to be read again, or given up for good by a person."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    case,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from adapter.domain.issue import Issue
from adapter.domain.message import MessageState
from adapter.errors import RejectedError
from adapter.store import unmapped
from adapter.store.codec import instant, moment
from adapter.store.locks import Lock, take
from adapter.store.schema import feeds, inbox, inbox_outcomes, inbox_pending
from adapter.store.streaming import streamed

DISCARDED = "DISCARDED"
"""The reason of a message a person has given up; who and why stands in the audit log."""
VOUCHED = "SENDER"
"""The one reason of the door that a person may overrule by releasing: the message is whole, only its sender was unknown."""
INTERNAL = "INTERNAL"
"""Begins the reason of a message that we ourselves failed on; the type of the error stands behind it."""
RUN = 500
"""Messages put back in one transaction: receiving waits for it."""

# Written out, not bound: SQLite uses the partial index only where it sees the very words.
_QUARANTINED = inbox_outcomes.c.state == literal_column(f"'{MessageState.QUARANTINED}'")


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """`at_the_door`: what is stored is no whole message of ours, so reading it again can only end the same way."""

    id: int
    source: str
    control_id: str
    type: str
    received: datetime
    reason: str
    at_the_door: bool


@dataclass(frozen=True, slots=True)
class Held:
    """How many wait for one reason, how many of them were set aside lately, and when the newest was."""

    number: int
    lately: int
    newest: datetime


def listing(
    conn: Connection, *, limit: int | None = None, newest_first: bool = False, reason: str | None = None
) -> Iterator[QuarantineRow]:
    """Oldest first unless asked otherwise, as a stream."""
    wanted = _rows().order_by(inbox_outcomes.c.id.desc() if newest_first else inbox_outcomes.c.id)
    if reason is not None:
        wanted = wanted.where(inbox_outcomes.c.reason == reason)
    yield from map(_row, streamed(conn, wanted.limit(limit)))


def reasons(conn: Connection, sources: Collection[str] | None = None) -> dict[str, int]:
    """How many wait for each reason, the most frequent first; of these sources alone where they are named."""
    number = func.count()
    reason = func.coalesce(inbox_outcomes.c.reason, "")
    wanted = select(reason, number).where(_QUARANTINED).group_by(reason).order_by(number.desc(), reason)
    if sources is not None:
        wanted = wanted.join(inbox, inbox.c.id == inbox_outcomes.c.id).where(inbox.c.source.in_(sources))
    return {row[0]: row[1] for row in conn.execute(wanted)}


def held(conn: Connection, lately: datetime) -> dict[str, Held]:
    """What waits, by reason."""
    reason, finished = inbox_outcomes.c.reason, inbox_outcomes.c.finished
    new = func.count(case((finished >= instant(lately), 1)))
    wanted = select(reason, func.count(), new, func.max(finished)).where(_QUARANTINED).group_by(reason)
    return {row[0] or "": Held(row[1], row[2], moment(row[3])) for row in conn.execute(wanted)}


def more_than_a_hundredth(conn: Connection, number: int, since: datetime) -> bool:
    """Whether so many are more than 1 % of the messages stored since: then the hundredth before each of them is older."""
    last = select(func.max(inbox.c.id)).scalar_subquery()
    wanted = select(inbox.c.received).where(inbox.c.id <= last - 100 * number).order_by(inbox.c.id.desc()).limit(1)
    received = conn.execute(wanted).scalar_one_or_none()
    return number > 0 and (received is None or moment(received) < since)


def by_feed(conn: Connection) -> dict[tuple[str, ...], float]:
    """How many wait, by source and code; what we failed on is one code, whatever the error."""
    reason = inbox_outcomes.c.reason
    joined = select(inbox.c.source, reason, func.count()).join(inbox_outcomes, inbox_outcomes.c.id == inbox.c.id)
    found: Counter[tuple[str, ...]] = Counter()
    for source, said, number in conn.execute(joined.where(_QUARANTINED).group_by(inbox.c.source, reason)):
        found[source, (said or "").partition(" ")[0]] += number
    return {key: float(number) for key, number in found.items()}


def find(conn: Connection, message_id: int) -> QuarantineRow:
    """Raises RejectedError where there is no such message in quarantine (any more)."""
    row = conn.execute(_rows().where(inbox_outcomes.c.id == message_id)).one_or_none()
    if row is None:
        raise absent(message_id)
    return _row(row)


def absent(message_id: int) -> RejectedError:
    return RejectedError(f"message {message_id} is not in quarantine — it was settled already, or never was there")


def release(tx: Connection, message_id: int) -> QuarantineRow:
    """It waits again and is read under today's rules. Raises RejectedError for one the door could not take whole."""
    take(tx, Lock.TALLY)
    row = find(tx, message_id)
    if row.at_the_door:
        raise RejectedError(
            f"message {message_id} came in broken ({row.reason}): reading it again cannot help — "
            "ask the sender for it once more, then discard this one"
        )
    _put_back(tx, row)
    return row


def release_all(tx: Connection, reason: str, after: int) -> list[int]:
    """The next ids behind `after` that were put back, at most `RUN`; those the door refused stay."""
    take(tx, Lock.TALLY)
    wanted = _rows().where(inbox_outcomes.c.reason == reason, inbox_outcomes.c.id > after, _releasable())
    rows = [_row(row) for row in tx.execute(wanted.order_by(inbox_outcomes.c.id).limit(RUN)).all()]
    for row in rows:
        _put_back(tx, row)
    return [row.id for row in rows]


def discard(tx: Connection, message_id: int, now: datetime) -> QuarantineRow:
    """It is ignored for good; its bytes stay. Raises RejectedError where it is not in quarantine."""
    take(tx, Lock.TALLY)
    row = find(tx, message_id)
    ended = {"state": str(MessageState.IGNORED), "reason": DISCARDED, "finished": instant(now)}
    tx.execute(update(inbox_outcomes).where(inbox_outcomes.c.id == message_id).values(ended))
    _count(tx, row, {"quarantined": -1, "ignored": 1})
    return row


def _releasable() -> ColumnElement[bool]:
    return or_(inbox.c.quarantine.is_(None), inbox.c.quarantine == VOUCHED)


def _put_back(tx: Connection, row: QuarantineRow) -> None:
    if row.reason == VOUCHED:
        tx.execute(update(inbox).where(inbox.c.id == row.id).values(quarantine=None))
    gone = delete(inbox_outcomes).where(inbox_outcomes.c.id == row.id).returning(inbox_outcomes.c.issues)
    issues = [Issue(**issue) for issue in json.loads(tx.execute(gone).scalar_one())]
    unmapped.take_back(tx, row.id, issues)
    tx.execute(insert(inbox_pending).values(id=row.id, source=row.source))
    _count(tx, row, {"quarantined": -1})


def _count(tx: Connection, row: QuarantineRow, changes: Mapping[str, int]) -> None:
    values = {name: feeds.c[name] + change for name, change in changes.items()}
    tx.execute(update(feeds).where(feeds.c.source == row.source).values(values))


def _rows() -> Select[Any]:
    names = ("id", "source", "control_id", "type", "received", "quarantine")
    joined = select(*(inbox.c[name] for name in names), inbox_outcomes.c.reason)
    return joined.join(inbox_outcomes, inbox_outcomes.c.id == inbox.c.id).where(_QUARANTINED)


def _row(row: Any) -> QuarantineRow:
    return QuarantineRow(
        id=row.id,
        source=row.source,
        control_id=row.control_id,
        type=row.type,
        received=moment(row.received),
        reason=row.reason or "",
        at_the_door=row.quarantine not in {None, VOUCHED},
    )
