"""Messages whose bytes are taken away: the row stays with its hash, its fate and its size (docs/adr/0044)."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, literal, or_, select, update

from adapter.domain.issue import Issue
from adapter.domain.message import MessageKind, MessageState
from adapter.store import unmapped
from adapter.store.codec import instant
from adapter.store.erased import erased_messages
from adapter.store.inbox import Ending, Item, finish_many, read_item
from adapter.store.locks import Lock, take
from adapter.store.schema import feeds, inbox, inbox_outcomes

ERASED, OPTED_OUT = "erased", "opted-out"
AT_ONCE = 500
"""Ids in one statement."""
UNMISTAKABLE = 4
"""Characters of a number that a control id does not hold by chance."""
ROUGHLY = 10
"""A count of those who want no part is told in full tens: a single one would tell of a single person."""


def empty(
    tx: Connection, messages: Mapping[int, bool], why: tuple[str, datetime], numbers: Collection[str] = ()
) -> int:
    """By id, and whether each spoke of others too; how many were not empty yet. One that waits, or is in quarantine, ends as
    ignored for this cause, at this time; what became of the others stays. A control id that holds one of the `numbers` goes too.
    """
    cause, now = why
    done = 0
    if messages:
        take(tx, Lock.TALLY)
    wanted = sorted(messages)
    for first in range(0, len(wanted), AT_ONCE):
        run = wanted[first : first + AT_ONCE]
        rows = tx.execute(_full(run)).all()
        waiting = [row.id for row in rows if row.state is None]
        finish_many(tx, [(one, Ending(MessageState.IGNORED, now, cause)) for one in waiting])
        for row in rows:
            _forget(tx, row, cause)
        gone = [
            {"id": row.id, "at": instant(now), "bytes": row.size, "cause": cause, "shared": int(messages[row.id])}
            for row in rows
        ]
        if gone:
            tx.execute(insert(erased_messages), gone)
            ids = inbox.c.id.in_([row.id for row in rows])
            tx.execute(update(inbox).where(ids).values(body=b""))
            _forget_control_ids(tx, ids, numbers)
        done += len(gone)
    return done


def _forget_control_ids(tx: Connection, ids: ColumnElement[bool], numbers: Collection[str]) -> None:
    """With the acknowledgment, which repeats it. Such a message would not be known again if it were sent once more."""
    said = [inbox.c.control_id.contains(one, autoescape=True) for one in sorted(numbers) if len(one) >= UNMISTAKABLE]
    if said:
        tx.execute(update(inbox).where(ids, or_(*said)).values(control_id="", acknowledgment=b""))


def _full(run: Sequence[int]) -> Select[Any]:
    """What waits has no state."""
    columns = (inbox.c.id, inbox.c.source, func.length(inbox.c.body).label("size"))
    wanted = select(*columns, inbox_outcomes.c.state, inbox_outcomes.c.issues)
    joined = wanted.outerjoin(inbox_outcomes, inbox_outcomes.c.id == inbox.c.id)
    already = select(erased_messages.c.id).where(erased_messages.c.id.in_(run))
    return joined.where(inbox.c.id.in_(run), inbox.c.id.not_in(already)).order_by(inbox.c.id)


def _forget(tx: Connection, row: Any, cause: str) -> None:
    """What was odd about it is said no more, and counted no more; nobody can look at it in quarantine."""
    if row.state is None:
        return
    unmapped.take_back(tx, row.id, [Issue(**issue) for issue in json.loads(row.issues)])
    said = {"issues": "[]"}
    if row.state == MessageState.QUARANTINED:
        said |= {"state": str(MessageState.IGNORED), "reason": cause}
        counts = {"quarantined": feeds.c.quarantined - 1, "ignored": feeds.c.ignored + 1}
        tx.execute(update(feeds).where(feeds.c.source == row.source).values(counts))
    tx.execute(update(inbox_outcomes).where(inbox_outcomes.c.id == row.id).values(said))


def shared(conn: Connection) -> list[int]:
    """Emptied messages that spoke of others too: a replay cannot hear of them again."""
    return list(conn.execute(select(erased_messages.c.id).where(erased_messages.c.shared == 1)).scalars())


def last(conn: Connection) -> int:
    """The last id given."""
    return int(conn.execute(select(func.coalesce(func.max(inbox.c.id), 0))).scalar_one())


def number(conn: Connection) -> int:
    return int(conn.execute(select(func.count()).select_from(erased_messages)).scalar_one())


def left_out(conn: Connection) -> int:
    """Messages of people who want no part, in full tens."""
    opted = erased_messages.c.cause == OPTED_OUT
    found: int = conn.execute(select(func.count()).where(opted).select_from(erased_messages)).scalar_one()
    return found // ROUGHLY * ROUGHLY


def when(conn: Connection, message: int) -> str | None:
    """The day on which it was emptied."""
    found: str | None = conn.execute(select(erased_messages.c.at).where(erased_messages.c.id == message)).scalar()
    return found and found[: len("2026-01-31")]


def unnoted(conn: Connection) -> dict[int, bool]:
    """Messages that ended as those of somebody who wants no part, and hold their bytes still: a replay found them."""
    wanted = select(inbox_outcomes.c.id).outerjoin(erased_messages, erased_messages.c.id == inbox_outcomes.c.id)
    found = conn.execute(wanted.where(and_(inbox_outcomes.c.reason == OPTED_OUT, erased_messages.c.id.is_(None))))
    return dict.fromkeys(found.scalars(), False)


def spellings(number: str) -> Iterator[bytes]:
    """Of a number in a message's bytes: plain, with HL7's and JSON's escapes, in one byte a letter or two."""
    hl7 = "".join({"&": "\\T\\", "^": "\\S\\", "~": "\\R\\", "|": "\\F\\", "\\": "\\E\\"}.get(c, c) for c in number)
    for text in dict.fromkeys((number, hl7, json.dumps(number)[1:-1], number.replace("/", "\\/"))):
        yield from (text.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


def holding(conn: Connection, numbers: Sequence[str], after: int, upto: int) -> list[int]:
    """Messages behind `after`, to `upto`, whose bytes hold one of these numbers, whatever it means there."""
    needles = dict.fromkeys(needle for number in numbers for needle in spellings(number))
    said = or_(*(_within(conn, needle) for needle in needles))
    people = inbox.c.kind != str(MessageKind.CANARY)  # that is of nobody, whatever digits it holds
    wanted = select(inbox.c.id).where(inbox.c.id > after, inbox.c.id <= upto, people, said)
    return list(conn.execute(wanted.order_by(inbox.c.id)).scalars())


def bodies(conn: Connection, ids: Sequence[int]) -> Iterator[Item]:
    """These messages, one after the other: together they may not fit into memory."""
    for one in ids:
        yield read_item(conn.execute(select(inbox).where(inbox.c.id == one)).one(), attempts=0)


def _within(conn: Connection, needle: bytes) -> ColumnElement[bool]:
    """In each dialect's own word."""
    if conn.dialect.name == "sqlite":
        return func.instr(inbox.c.body, needle) > 0
    return func.position(literal(needle).op("IN")(inbox.c.body)) > 0
