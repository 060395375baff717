"""What the store remembers of its own backups: when one was tried, when one last succeeded, and that on the audit trail."""

import json
from datetime import datetime, timedelta

from adapter.store import audit, marks
from adapter.store.codec import canonical, instant, moment
from adapter.store.database import Snapshot, Transaction
from adapter.store.locks import Lock, take

_DONE, _TRIED, _WANTED = "backup-done", "backup-tried", "backup-wanted-since"
AGAIN = timedelta(minutes=15)
"""After one that failed."""
OLD = timedelta(hours=26)
"""Without a success for so long is an alarm (reliability 5.3)."""


def claim(tx: Transaction, now: datetime, every: timedelta) -> bool:
    """Whether one is due, and ours to make: of several processes on one store the first that asks."""
    take(tx, Lock.TALLY)
    if not marks.said(tx, _WANTED):
        marks.put(tx, _WANTED, instant(now))
    if not due(tx, now, every):
        return False
    marks.put(tx, _TRIED, instant(now))
    return True


def due(conn: Snapshot, now: datetime, every: timedelta) -> bool:
    """A clock that was set back makes one due at once: what is in the future tells nothing."""
    done, tried = last(conn), marks.moment(conn, _TRIED)
    fresh = done is not None and timedelta(0) <= now - done < every
    lately = tried is not None and timedelta(0) <= now - tried < min(AGAIN, every)
    return not fresh and not lately


def succeeded(tx: Transaction, act: audit.Act, made: datetime, now: datetime) -> None:
    marks.put(tx, _DONE, canonical({"made": instant(made), "file": act.object_id}))
    audit.append(tx, act, now)


def last(conn: Snapshot) -> datetime | None:
    """When the newest one was begun that succeeded: what it lacks came afterwards."""
    text = marks.said(conn, _DONE)
    return moment(json.loads(text)["made"]) if text else None


def wanted(conn: Snapshot) -> datetime | None:
    """Since when a daemon is to make any."""
    return marks.moment(conn, _WANTED)


def old(conn: Snapshot, now: datetime) -> bool:
    """Nothing is old where no daemon was ever told to make any."""
    reference = max(filter(None, (last(conn), wanted(conn))), default=None)
    return reference is not None and now - reference > OLD
