"""What commands have the daemon put on record: that a backup was made, or tried, that a restored store is released."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from adapter import telemetry
from adapter.daemon import numbers_file
from adapter.errors import RejectedError
from adapter.ports import Clock
from adapter.screening import canary
from adapter.store import audit, backup, backup_log, hold, rehearsal_log
from adapter.store.codec import instant
from adapter.store.database import Database, Snapshot

Json = dict[str, Any]
NOTHING_HELD = "nothing is held: this store was not restored, or was released before"


def _made(database: Database, clock: Clock, request: Mapping[str, Any]) -> Json:
    act = audit.Act(str(request["by"]), "operator", "backup", "store", str(request["file"]), request["detail"])
    with database.write() as tx:
        backup_log.succeeded(tx, act, datetime.fromisoformat(request["made"]), clock())
        if request.get("numbers"):
            numbers_file.note(tx, Path(request["folder"]), str(request["numbers"]))
    return {}


def _tested(database: Database, clock: Clock, request: Mapping[str, Any]) -> Json:
    """A backup was brought back to see that it can be, or it could not."""
    who, file, outcome = (str(request[name]) for name in ("by", "file", "outcome"))
    act = audit.Act(
        who, "operator", "restore-tested", "store", file, request["detail"], outcome, str(request["reason"])
    )
    with database.write() as tx:
        rehearsal_log.tested(tx, act, clock())
    return {}


def _release(database: Database, clock: Clock, request: Mapping[str, Any]) -> Json:
    """Alerts and pushes go out from now on; the answer says what came since the restore."""
    with database.write() as tx:
        held = hold.release(tx)
        if held is None:
            raise RejectedError(NOTHING_HELD)
        told = since_the_restore(tx, held)
        feeds = {one["feed"]: one["messages"] for one in told["feeds"]}
        act = audit.Act(str(request["by"]), "operator", "restore-release", "store", "", {"feeds": feeds})
        audit.append(tx, act, clock())
    telemetry.log("released", text="alerts and pushes go out again")
    return told


def since_the_restore(conn: Snapshot, held: hold.Hold) -> Json:
    """For whoever decides whether the gap is closed: by feed, up to when the backup had it and what came afterwards."""
    came = backup.after(conn, held.last_message)
    feeds = [
        {
            "feed": name,
            "in_backup_until": instant(held.since[name]) if name in held.since else None,
            "messages": came[name].messages if name in came else 0,
            "newest": instant(came[name].newest) if name in came else None,
        }
        for name in sorted({*held.since, *came} - {canary.SOURCE})
    ]
    return {"restored": instant(held.restored), "feeds": feeds}


COMMANDS: Mapping[str, Callable[[Database, Clock, Mapping[str, Any]], Json]] = {
    "backup-made": _made,
    "restore-tested": _tested,
    "restore-release": _release,
}
