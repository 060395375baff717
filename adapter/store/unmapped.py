"""What no mapping knew, counted by source as the senders wrote it, so that nothing falls out unseen."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select, update

from adapter.domain.issue import Issue
from adapter.store.codec import storable
from adapter.store.schema import inbox, unmapped
from adapter.store.upsert import insert

COUNTED = frozenset({"unmapped-code", "unmapped-drug", "unmapped-unit", "unmapped-answer", "unknown-specimen"})
"""Issues that a line in the site's file mends; a value nobody can read is the sender's to mend."""
LONGEST = 64
"""Characters of what the sender wrote: more is no code and no unit."""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """`count` results of `source` had the issue `code`; `detail` is the code or unit as it came, empty in a sum."""

    source: str
    code: str
    detail: str
    count: int


_SOURCE = select(inbox.c.source).where(inbox.c.id == bindparam("item")).scalar_subquery()
_NEW = insert(unmapped).values(source=_SOURCE, code=bindparam("issue"), detail=bindparam("said"), count=bindparam("n"))
_MORE = _NEW.on_conflict_do_update(
    index_elements=["source", "code", "detail"], set_={"count": unmapped.c.count + _NEW.excluded.count}
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
        tx.execute(_MORE, rows)


def take_back(tx: Connection, message_id: int, issues: Sequence[Issue]) -> None:
    """The message is read again: what it had counted must not count twice."""
    rows = _rows([(message_id, issues)])
    if rows:
        tx.execute(_LESS, rows)


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
    wanted = select(unmapped).where(unmapped.c.count > 0).order_by(unmapped.c.count.desc(), *unmapped.primary_key)
    return [Unmapped(*row) for row in conn.execute(wanted.limit(limit))]


def sums(conn: Connection) -> list[Unmapped]:
    """By source and issue, without a sender's words."""
    total = func.sum(unmapped.c.count)
    wanted = select(unmapped.c.source, unmapped.c.code, total).group_by(unmapped.c.source, unmapped.c.code)
    rows = conn.execute(wanted.having(total > 0).order_by(unmapped.c.source, unmapped.c.code))
    return [Unmapped(source, code, "", int(count)) for source, code, count in rows]
