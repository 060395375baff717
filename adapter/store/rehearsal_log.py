"""What the store remembers of restores that were tried: when one last passed, and what became of the last one."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from adapter.store import audit, backup_log, marks
from adapter.store.codec import canonical, instant, moment
from adapter.store.database import Snapshot, Transaction
from adapter.store.locks import Lock, take

_PASSED, _LAST, _CLAIMED = "restore-test-passed", "restore-test-last", "restore-test-claimed"
EVERY = timedelta(days=30)
EARLY = timedelta(days=1)
"""After one of a store without patients: a first backup is of next to nothing."""
AGAIN = timedelta(hours=6)
"""After one that failed, or that came to nothing."""
LATE = timedelta(days=35)
"""Without one that passed for so long is an alarm (reliability 5.3)."""
DAY = timedelta(days=1)
UNTESTED, FAILED = "restore-untested", "restore-failed"
COMMAND = "adapter restore --try FILE (an encrypted one: --identity KEY)"
ADVICE: Mapping[str, str] = {
    UNTESTED: f"no backup was brought back for 35 days to see that it can be: {COMMAND}",
    FAILED: f"a backup that was tried cannot be restored: try another one, {COMMAND}",
}
"""What the log says with the alarm."""


def due(conn: Snapshot, now: datetime) -> bool:
    """A clock that was set back makes one due at once: what is in the future tells nothing."""
    at, claimed = passed(conn), marks.moment(conn, _CLAIMED)
    every = EARLY if _last_passed(conn).get("of_nobody") else EVERY
    fresh = at is not None and timedelta(0) <= now - at < every and not failed(conn)
    lately = claimed is not None and timedelta(0) <= now - claimed < AGAIN
    return not fresh and not lately


def claim(tx: Transaction, now: datetime) -> bool:
    """Whether one is due, and ours to make: of several processes on one store the first that asks."""
    take(tx, Lock.TALLY)
    if not due(tx, now):
        return False
    marks.put(tx, _CLAIMED, instant(now))
    return True


def tested(tx: Transaction, act: audit.Act, now: datetime) -> None:
    """On record, with its outcome."""
    take(tx, Lock.TALLY)
    good = act.outcome == "ok"
    marks.put(tx, _LAST, canonical({"at": instant(now), "file": act.object_id, "passed": good}))
    if good:
        whole = bool(act.detail.get("brought_back", True))
        empty = act.detail.get("patients") == 0
        marks.put(tx, _PASSED, canonical({"at": instant(now), "brought_back": whole, "of_nobody": empty}))
    audit.append(tx, act, now)


def passed(conn: Snapshot) -> datetime | None:
    """When one last did."""
    last = _last_passed(conn)
    return moment(last["at"]) if last else None


def read_through(conn: Snapshot) -> bool:
    """Whether the last that passed was only read, and brought back nowhere."""
    return not _last_passed(conn).get("brought_back", True)


def _last_passed(conn: Snapshot) -> dict[str, Any]:
    """Empty where none did."""
    found: dict[str, Any] = json.loads(marks.said(conn, _PASSED) or "{}")
    return found


def failed(conn: Snapshot) -> str:
    """The file that could not be brought back, where none has passed since; else empty."""
    text = marks.said(conn, _LAST)
    last = json.loads(text) if text else {"passed": True}
    return "" if last["passed"] else str(last["file"])


def alarms(conn: Snapshot, now: datetime, *, wanted: bool) -> tuple[str, ...]:
    """`wanted`: whether backups are to be made. One that failed is told in any case."""
    untested = (UNTESTED,) if wanted and _is_late(conn, now) else ()
    return (FAILED, *untested) if failed(conn) else untested


def _is_late(conn: Snapshot, now: datetime) -> bool:
    """Counted from the last that passed, else from the first backup. What lies in the future was told by a wrong clock."""
    known = [at for at in (passed(conn), backup_log.wanted(conn)) if at is not None and at - now < DAY]
    return bool(known) and now - max(known) > LATE
