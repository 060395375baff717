"""Lines for a site's file that one person proposes and another approves or declines (reliability 2.6, 4.4)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, literal_column, select, update

from adapter.errors import RejectedError
from adapter.store.codec import canonical, instant, moment, storable
from adapter.store.people import proposals

OPEN, APPROVED, DECLINED = "open", "approved", "declined"
# Written out, not bound: SQLite uses the partial index only where it sees the very words.
_STILL = proposals.c.state == literal_column(f"'{OPEN}'")
MOST = 200
"""Open at a time: more is nobody's to look through."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """`line` is the JSON of a `SiteLine`; `reason` is the proposer's."""

    id: int
    site: str
    line: Mapping[str, Any]
    state: str
    at: datetime
    by: str
    reason: str


def add(tx: Connection, site: str, line: Mapping[str, str], who: tuple[str, str], now: datetime) -> None:
    """`who` is (name, reason). Raises RejectedError for a line that is proposed already, and where too many are."""
    text = canonical(dict(line))
    if tx.execute(select(func.count()).select_from(proposals).where(_STILL)).scalar_one() >= MOST:
        raise RejectedError(f"{MOST} lines wait for approval already — have these decided first")
    if tx.execute(select(proposals.c.id).where(_STILL, proposals.c.site == site, proposals.c.line == text)).first():
        raise RejectedError("this line is proposed already — it waits for approval")
    name, reason = map(storable, who)
    row = {"site": site, "line": text, "state": OPEN, "at": instant(now), "by": name, "reason": reason}
    tx.execute(insert(proposals).values(row))


def listing(conn: Connection) -> list[Proposal]:
    """What waits, oldest first."""
    rows = conn.execute(select(proposals).where(_STILL).order_by(proposals.c.id))
    return [_read(row) for row in rows]


def find(conn: Connection, number: int) -> Proposal:
    """Raises RejectedError for one that is decided, or never was."""
    row = conn.execute(select(proposals).where(proposals.c.id == number, proposals.c.state == OPEN)).one_or_none()
    if row is None:
        raise RejectedError("this proposal was decided already — look at the page again")
    return _read(row)


def decide(tx: Connection, number: int, state: str, by: str, now: datetime) -> Proposal:
    """As `find`."""
    found = find(tx, number)
    decided = {"state": state, "decided_by": storable(by), "decided_at": instant(now)}
    tx.execute(update(proposals).where(proposals.c.id == number).values(decided))
    return found


def _read(row: Any) -> Proposal:
    return Proposal(row.id, row.site, json.loads(row.line), row.state, moment(row.at), row.by, row.reason)
