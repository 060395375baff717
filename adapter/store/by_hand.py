"""What people did on the pages, as messages: those whose effect nobody sees yet, and those that came since somebody looked."""

from sqlalchemy import ColumnElement, Connection, func, select

from adapter.store.inbox import Item, read_item
from adapter.store.schema import inbox, inbox_pending

SOURCE = "worklist"
"""Of what people enter: nobody sends that again, so after a restore they must."""


def newest(conn: Connection) -> int:
    """The last message of any source: what comes later has a greater id."""
    return int(conn.execute(select(func.coalesce(func.max(inbox.c.id), 0))).scalar_one())


def waiting(conn: Connection) -> list[Item]:
    """Stored, and not applied yet."""
    return _items(conn, inbox.c.id.in_(select(inbox_pending.c.id).where(inbox_pending.c.source == SOURCE)))


def since(conn: Connection, after: int, but: int) -> list[Item]:
    """Stored behind `after`, whatever became of them; `but` is the one who asks."""
    return _items(conn, (inbox.c.id > after) & (inbox.c.id != but))


def _items(conn: Connection, which: ColumnElement[bool]) -> list[Item]:
    """Oldest first."""
    rows = conn.execute(select(inbox).where(which, inbox.c.source == SOURCE).order_by(inbox.c.id))
    return [read_item(row, attempts=0) for row in rows]
