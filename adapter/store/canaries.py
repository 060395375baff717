"""What became of the canary lately, as every process of the store sees it."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from adapter.domain.message import MessageKind
from adapter.store.codec import instant, moment
from adapter.store.schema import inbox, inbox_outcomes

MOST = 100


@dataclass(frozen=True, slots=True)
class Told:
    """`reason` is empty while it waits; `missed` are (trial, what)."""

    site: str
    at: datetime
    reason: str
    missed: tuple[tuple[str, str], ...]


_NEWEST = (
    select(inbox.c.site, inbox.c.received, inbox_outcomes.c.reason, inbox_outcomes.c.issues)
    .outerjoin(inbox_outcomes, inbox_outcomes.c.id == inbox.c.id)
    .where(inbox.c.source == str(MessageKind.CANARY), inbox.c.sender == "", inbox.c.received <= bindparam("now"))
    .order_by(inbox.c.control_id.desc(), inbox.c.id.desc())
    .limit(MOST)
)
"""By the key under which messages are found again: its control ids begin with the moment."""


def newest(conn: Connection, now: datetime) -> list[Told]:
    """The newest first; what a clock that was ahead told is of no use."""
    return [
        Told(
            row.site,
            moment(row.received),
            row.reason or "",
            tuple((one["where"], one["text"]) for one in json.loads(row.issues or "[]")),
        )
        for row in conn.execute(_NEWEST, {"now": instant(now)})
    ]
