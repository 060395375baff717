"""`adapter backup`: one made at once, by this process; the daemon, where one runs, puts it on record."""

from dataclasses import dataclass
from pathlib import Path

from adapter.daemon.backing_up import Job, Made, make
from adapter.daemon.clock import utc_now
from adapter.daemon.numbers_file import NumbersFile
from adapter.daemon.opening import open_store
from adapter.daemon.reaching import recorded, too_old
from adapter.errors import AdapterError, StorageFailedError, UnavailableError
from adapter.settings import Settings
from adapter.store.database import Database
from adapter.store.migrate import current_revision


@dataclass(frozen=True, slots=True)
class Taken:
    """`unrecorded` says why the audit trail does not know of it, `unkept` why no screening numbers lie beside it; else empty."""

    made: Made
    unrecorded: str
    unkept: str


def take(settings: Settings, folder: Path, by: str) -> Taken:
    """Raises ConfigError, UnavailableError."""
    database = open_store(settings, read_only=True)
    try:
        with database.read() as conn:
            revision = current_revision(conn)
        if revision is None:
            raise UnavailableError("the store is not made yet — start the daemon, or wait until it listens")
        made = make(settings, database, Job(folder, utc_now()))
        kept, unkept = _kept(database, folder)
    finally:
        database.close()
    act, said = made.act(by, "operator"), made.manifest.as_json()
    request = {"command": "backup-made", "by": by, "file": act.object_id, "detail": act.detail, "made": said["made"]}
    beside = {"folder": str(folder), "numbers": kept}
    return Taken(made, too_old(revision) or recorded(settings, request | beside), unkept)


def _kept(database: Database, folder: Path) -> tuple[str, str]:
    """What was written, and why nothing was: the backup is good without. Raises StorageFailedError."""
    try:
        return NumbersFile(folder, notes=False).keep(database), ""
    except StorageFailedError:
        raise
    except AdapterError as error:
        return "", str(error)
