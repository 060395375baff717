"""What became of messages, told again: the outcomes of a second store compared with ours, and taken over."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from adapter.domain.issue import Issue
from adapter.store import unmapped
from adapter.store.codec import instant
from adapter.store.locks import Lock, take
from adapter.store.schema import feeds, inbox, inbox_outcomes
from adapter.store.streaming import in_runs

Row = Mapping[Any, Any]
SAID = ("state", "reason", "ledger", "issues")


@dataclass(frozen=True, slots=True)
class Turn:
    """A message that ends otherwise than it did: (state, reason) before and now."""

    id: int
    before: tuple[str, str | None]
    now: tuple[str, str | None]


def turned(ours: Connection, theirs: Connection) -> Iterator[tuple[Row, Row]]:
    """Pairs that differ, by id: ours, theirs. Theirs holds messages of ours only."""
    for rows in in_runs(theirs, select(inbox_outcomes).order_by(inbox_outcomes.c.id)):
        span = inbox_outcomes.c.id.between(rows[0]["id"], rows[-1]["id"])
        mine = {row["id"]: row for row in ours.execute(select(inbox_outcomes).where(span)).mappings()}
        for row in rows:
            own = mine.get(row["id"])  # a message released from quarantine meanwhile waits, and has no outcome
            if own is not None and any(own[name] != row[name] for name in SAID):
                yield own, row


def turn_of(before: Row, now: Row) -> Turn:
    return Turn(before["id"], (before["state"], before["reason"]), (now["state"], now["reason"]))


def take_over(tx: Connection, theirs: Connection, at: datetime) -> None:
    """Outcomes, the counts of their feeds, and what no mapping knew."""
    take(tx, Lock.TALLY)
    for before, now in list(turned(tx, theirs)):
        message = before["id"]
        unmapped.take_back(tx, message, _issues(before))
        unmapped.add(tx, [(message, _issues(now))])
        values = {name: now[name] for name in SAID} | {"finished": instant(at)}
        tx.execute(update(inbox_outcomes).where(inbox_outcomes.c.id == message).values(values))
        if before["state"] != now["state"]:
            source = select(inbox.c.source).where(inbox.c.id == message).scalar_subquery()
            less, more = before["state"], now["state"]
            counts = {less: feeds.c[less] - 1, more: feeds.c[more] + 1}
            tx.execute(update(feeds).where(feeds.c.source == source).values(counts))


def _issues(row: Row) -> list[Issue]:
    return [Issue(**issue) for issue in json.loads(row["issues"])]
