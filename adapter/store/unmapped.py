"""What no mapping knew, counted by source as the senders wrote it, so that nothing falls out unseen."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, case, delete, func, select, tuple_, update

from adapter.domain.issue import Issue
from adapter.store.codec import moment_or_none, storable
from adapter.store.schema import inbox, unmapped
from adapter.store.upsert import insert

COUNTED = frozenset({"unmapped-code", "unmapped-drug", "unmapped-unit", "unmapped-answer", "unknown-specimen"})
"""Issues that a line in the site's file mends; a value nobody can read is the sender's to mend."""
LONGEST = 64
"""Characters of what the sender wrote: more is no code and no unit."""
MOST = 5000
"""Different codes and units that are told apart; a sender who makes up more has them counted together."""
REST = "…"
"""The detail of those."""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """`count` results of `source` had the issue `code`; `detail` is the code or unit as it came, empty in a sum."""

    source: str
    code: str
    detail: str
    count: int


@dataclass(frozen=True, slots=True)
class Met:
    """Where and when it was met: the site that reads the source, the newest message, and when the first and newest came."""

    missed: Unmapped
    site: str
    newest: int
    first: datetime | None
    last: datetime | None


_SOURCE = select(inbox.c.source).where(inbox.c.id == bindparam("item")).scalar_subquery()
_NEW = insert(unmapped).values(
    source=_SOURCE,
    code=bindparam("issue"),
    detail=bindparam("said"),
    count=bindparam("n"),
    first_message=bindparam("item"),
    last_message=bindparam("item"),
)
_NEWEST = case(
    (unmapped.c.last_message < _NEW.excluded.last_message, _NEW.excluded.last_message), else_=unmapped.c.last_message
)
_MORE = _NEW.on_conflict_do_update(
    index_elements=["source", "code", "detail"],
    set_={"count": unmapped.c.count + _NEW.excluded.count, "last_message": _NEWEST},
)
_LESS = (
    update(unmapped)
    .where(unmapped.c.source == _SOURCE, unmapped.c.code == bindparam("issue"), unmapped.c.detail == bindparam("said"))
    .values(count=unmapped.c.count - bindparam("n"))
)


def add(tx: Connection, found: Iterable[tuple[int, Sequence[Issue]]]) -> None:
    """In the transaction that ends the messages, given by id."""
    rows = _rows(found)
    if rows:
        tx.execute(_MORE, _bounded(tx, rows))


def _bounded(tx: Connection, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """A full table takes more of what it knows; what is new goes to the rest."""
    room = MOST - tx.execute(select(func.count()).select_from(unmapped)).scalar_one()
    if room >= len(rows):
        return rows
    pair = tuple_(unmapped.c.code, unmapped.c.detail)
    wanted = select(unmapped.c.code, unmapped.c.detail).where(pair.in_([(row["issue"], row["said"]) for row in rows]))
    known = {(code, said) for code, said in tx.execute(wanted)}
    kept = []
    for row in rows:
        key = (row["issue"], row["said"])
        if key not in known and room > 0:
            known.add(key)
            room -= 1
        kept.append(row if key in known else row | {"said": REST})
    return kept


def take_back(tx: Connection, message_id: int, issues: Sequence[Issue]) -> None:
    """The message is read again: what it had counted must not count twice."""
    rows = _rows([(message_id, issues)])
    for row in rows:
        if not tx.execute(_LESS, row).rowcount:
            tx.execute(_LESS, row | {"said": REST})
    if rows:
        tx.execute(delete(unmapped).where(unmapped.c.count <= 0))


def _rows(found: Iterable[tuple[int, Sequence[Issue]]]) -> list[dict[str, object]]:
    counted = Counter(
        (message_id, issue.code, storable(issue.detail)[:LONGEST])
        for message_id, issues in found
        for issue in issues
        if issue.code in COUNTED
    )
    return [{"item": item, "issue": code, "said": said, "n": n} for (item, code, said), n in counted.items()]


def listing(conn: Connection, limit: int) -> list[Unmapped]:
    """As the senders wrote it, the most frequent first."""
    return [Unmapped(*row[:4]) for row in conn.execute(_frequent().limit(limit))]


def met(conn: Connection, limit: int, *, source: str | None = None) -> list[Met]:
    """As `listing`, with where and when; of one source where it is named."""
    rows = conn.execute(
        (_frequent() if source is None else _frequent().where(unmapped.c.source == source)).limit(limit)
    )
    found = [(Unmapped(*row[:4]), row.first_message, row.last_message) for row in rows]
    told = _told(conn, {message for _, *messages in found for message in messages})
    nothing = ("", None)
    return [
        Met(one, told.get(newest, nothing)[0], newest, told.get(first, nothing)[1], told.get(newest, nothing)[1])
        for one, first, newest in found
    ]


def _told(conn: Connection, messages: set[int]) -> dict[int, tuple[str, datetime | None]]:
    wanted = select(inbox.c.id, inbox.c.site, inbox.c.received).where(inbox.c.id.in_(messages))
    return {row.id: (row.site, moment_or_none(row.received)) for row in conn.execute(wanted)}


def _frequent() -> Select[Any]:
    return select(unmapped).where(unmapped.c.count > 0).order_by(unmapped.c.count.desc(), *unmapped.primary_key)


def sums(conn: Connection) -> list[Unmapped]:
    """By source and issue, without a sender's words."""
    total = func.sum(unmapped.c.count)
    wanted = select(unmapped.c.source, unmapped.c.code, total).group_by(unmapped.c.source, unmapped.c.code)
    rows = conn.execute(wanted.having(total > 0).order_by(unmapped.c.source, unmapped.c.code))
    return [Unmapped(source, code, "", int(count)) for source, code, count in rows]
