"""What each source has sent: how much, and when last."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from adapter.store.codec import moment
from adapter.store.schema import feeds, inbox, inbox_pending

_WAITING = select(inbox_pending.c.source, func.count()).group_by(inbox_pending.c.source)
_FEEDS = select(feeds).order_by(feeds.c.source)


@dataclass(frozen=True, slots=True)
class FeedRow:
    """`last_received` is exact to a second."""

    source: str
    duplicate: int
    control_id_reuse: int
    applied: int
    ignored: int
    quarantined: int
    last_received: datetime
    pending: int

    @property
    def received(self) -> int:
        """Everything that came, duplicates included."""
        return self.duplicate + self.applied + self.ignored + self.quarantined + self.pending


def listing(conn: Connection) -> list[FeedRow]:
    """By name; a source that never sent is not here."""
    waiting: dict[str, int] = {source: number for source, number in conn.execute(_WAITING)}  # noqa: C416 — rows are no tuples
    rows = conn.execute(_FEEDS).mappings()
    return [
        FeedRow(
            **(dict(row) | {"last_received": moment(row["last_received"]), "pending": waiting.get(row["source"], 0)})
        )
        for row in rows
    ]


def oldest_pending(conn: Connection) -> dict[str, datetime]:
    """When the oldest message that nobody has read yet came, by source; a source without one is not here."""
    first = select(func.min(inbox_pending.c.id).label("id")).group_by(inbox_pending.c.source).subquery()
    rows = conn.execute(select(inbox.c.source, inbox.c.received).join(first, first.c.id == inbox.c.id))
    return {row.source: moment(row.received) for row in rows}


def last_received(conn: Connection, source: str) -> datetime | None:
    """`None` when the source never sent."""
    text = conn.execute(select(feeds.c.last_received).where(feeds.c.source == source)).scalar_one_or_none()
    return None if text is None else moment(text)
