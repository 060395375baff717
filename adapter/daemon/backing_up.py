"""Makes one backup: copied beside the daemon, looked at, encrypted where that is configured, and only then given its name."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapter import __version__, flushed
from adapter.daemon import copies, dumping, sealing
from adapter.daemon.copies import Manifest
from adapter.daemon.site_key import label
from adapter.errors import ConfigError, StorageFailedError, UnavailableError
from adapter.settings import Settings
from adapter.store import audit, backup
from adapter.store.backup import Contents, Going
from adapter.store.database import Database, Snapshot

SCRATCH = "backup-scratch"
"""In the data folder: what will be encrypted is nowhere else in clear."""
SPARE = 64 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """`to` is the folder; `going` says whether it is still wanted."""

    to: Path
    began: datetime
    going: Going = lambda: True


@dataclass(frozen=True, slots=True)
class Made:
    path: Path
    manifest: Manifest

    def act(self, actor: str, role: str) -> audit.Act:
        """For the audit trail."""
        said = self.manifest.as_json()
        detail = {name: said[name] for name in ("bytes", "sha256", "encrypted", "schema", "last_message")}
        return audit.Act(actor, role, "backup", "store", self.path.name, detail | {"entries": said["audit"]["entries"]})


def make(settings: Settings, database: Database, job: Job) -> Made:
    """Complete, or not there. Raises ConfigError, UnavailableError (BrokenOffError when `going` said no)."""
    try:
        with _workplace(settings, job) as scratch:
            return _made(settings, database, job, scratch)
    except StorageFailedError:
        raise
    except OSError as error:
        where = error.filename or job.to
        raise UnavailableError(f"the backup could not be written ({error.strerror}) — look at {where}") from error


@contextlib.contextmanager
def scratch_folder(settings: Settings) -> Iterator[Path]:
    """One works in it at a time: makes a backup, or tries one. Raises UnavailableError."""
    scratch = settings.adapter.data / SCRATCH
    with contextlib.suppress(FileExistsError):
        private_folder(scratch)
    with copies.locked(scratch):
        try:
            yield scratch
        finally:
            with contextlib.suppress(OSError):  # somebody put something there
                scratch.rmdir()


def private_folder(path: Path) -> None:
    """One that root makes is its parent's owner's: the daemon must be able to take it away. Raises FileExistsError."""
    path.mkdir(mode=0o700)
    flushed.give(path, path.parent.stat())


@contextlib.contextmanager
def _workplace(settings: Settings, job: Job) -> Iterator[Path]:
    """Where the plain copy is made. Under two locks: one backup of a store at a time, one at a time in a folder."""
    folder = copies.folder_of_copies(job.to)
    if folder.resolve().is_relative_to(settings.adapter.data.resolve()):
        raise ConfigError(f"{folder} lies in the data folder: both would be lost together — choose another disk")
    with scratch_folder(settings) as scratch, copies.locked(folder):
        copies.clear_parts(folder)
        copies.clear_parts(scratch)
        try:
            yield scratch if _keys(settings) else folder
        finally:
            copies.clear_parts(scratch)
            copies.clear_parts(folder)


def _made(settings: Settings, database: Database, job: Job, scratch: Path) -> Made:
    keys = _keys(settings)
    sealing.recipients(keys) if keys else None
    name = f"adapter-{job.began:%Y%m%dT%H%M%SZ}.{'db' if settings.on_sqlite() else 'dump'}"
    final = f"{name}.age" if keys else name
    if (job.to / final).exists():
        raise UnavailableError(f"{job.to / final} is there already — try again in a second")
    part = copies.part_of(scratch, name)
    _refuse_tight(database, scratch, job.to)
    found, key = _sqlite(database, part, job) if settings.on_sqlite() else _postgres(settings, database, part, job)
    if keys:
        plain, part = part, copies.part_of(job.to, final)
        sealing.seal(plain, part, keys, job.going)
        plain.unlink()
    flushed.flush_file(part)
    size = part.stat().st_size
    manifest = Manifest(job.began, final, size, copies.sha256(part, job.going), bool(keys), __version__, key, found)
    return Made(copies.publish(part, manifest), manifest)


def _sqlite(database: Database, part: Path, job: Job) -> tuple[Contents, str]:
    backup.copy(database, part, job.going)
    with backup.looked_into(part, job.going) as conn:
        return _whole(conn, job.going)


def _postgres(settings: Settings, database: Database, part: Path, job: Job) -> tuple[Contents, str]:
    """What is dumped is what was looked at: one snapshot for both."""
    with database.read() as conn:
        whole = _whole(conn, job.going)
        dumping.dump(settings, part, backup.exported(conn), job.going)
        return whole


def _whole(conn: Snapshot, going: Going) -> tuple[Contents, str]:
    """Raises UnavailableError for one that is not."""
    wrong = backup.problems(conn, going)
    if wrong:
        raise UnavailableError(
            f"the copy is not whole: {wrong[0]} — keep the store as it is, and look at its disk; older backups stay"
        )
    return backup.contents(conn), label(conn)


def _refuse_tight(database: Database, *folders: Path) -> None:
    size = sum(database.sizes())
    for folder in folders:
        if shutil.disk_usage(folder).free < size + SPARE:
            raise UnavailableError(f"{folder} has no room for a copy of {size >> 20} MiB — make room there")


def _keys(settings: Settings) -> tuple[str, ...]:
    return settings.backup.recipient if settings.backup else ()
