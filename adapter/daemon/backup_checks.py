"""What `adapter check` says of backups: whether any are made, and whether the next one could be."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from adapter.daemon import copies, dumping, sealing
from adapter.daemon.backing_up import SPARE
from adapter.daemon.clock import utc_now
from adapter.daemon.opening import open_store
from adapter.errors import ConfigError
from adapter.settings import BackupSection, Settings
from adapter.store import backup_log, hold, rehearsal_log
from adapter.store.database import Database, Snapshot
from adapter.store.engines import sqlite_path
from adapter.store.migrate import HEAD, current_revision

Looked = Iterator[tuple[str, str]]
MEND = "let the role make a database (ALTER ROLE … CREATEDB), or restore one on another machine"


def looked_at(settings: Settings) -> Looked:
    """The way there, then the room, then what was made last. Only warnings: the daemon starts and receives without a backup."""
    wish = settings.backup
    if wish is None:
        yield "warning", 'none is made by the daemon — add [backup] to = "/a/folder/on/another/disk"'
    else:
        try:
            yield from _way(settings, wish)
        except ConfigError as error:
            yield "warning", str(error)
        except OSError as error:
            yield "warning", _dead(wish.to, error)
    if settings.on_sqlite() and not sqlite_path(settings.store_url()).exists():
        return
    database = open_store(settings, read_only=True)
    try:
        yield from _standing(database, wish)
    finally:
        database.close()


def _way(settings: Settings, wish: BackupSection) -> Looked:
    if wish.recipient:
        sealing.recipients(wish.recipient)
    if not settings.on_sqlite():
        dumping.refuse_without("pg_dump")
    there = next(folder for folder in (wish.to, *wish.to.parents) if folder.exists())
    if there != wish.to:
        if not os.access(there, os.W_OK | os.X_OK):
            raise ConfigError(f"{wish.to} is not there, and this account may not make it — make it for it, mode 700")
        yield "warning", f"{wish.to} is not there yet — the first backup makes it"
    else:
        copies.folder_of_copies(wish.to)
    data = settings.adapter.data
    if data.exists() and there.stat().st_dev == data.stat().st_dev:
        yield "warning", f"{wish.to} lies on the disk of the store: both would be lost together — choose another disk"
    kind = "encrypted" if wish.recipient else "not encrypted by us: that disk must be"
    yield "ok", f"{wish.to}, {kind}"


def _dead(folder: Path, error: OSError) -> str:
    return f"{folder} cannot be looked at ({error.strerror}) — look at its disk or share"


def _standing(database: Database, wish: BackupSection | None) -> Looked:
    with database.read() as conn:
        if current_revision(conn) != HEAD:
            return
        last, old = backup_log.last(conn), backup_log.old(conn, utc_now())
        held, size = hold.stands(conn), sum(database.sizes())
        tried = list(_tried(conn, wanted=wish is not None))
    if held:
        yield "warning", "the store was restored: alerts and pushes are held until `adapter restore --release`"
    if wish is not None:
        with contextlib.suppress(OSError):  # told above
            if wish.to.exists() and (free := shutil.disk_usage(wish.to).free) < size + SPARE:
                yield "warning", f"{wish.to} has {free >> 20} MiB free and a copy takes {size >> 20} — make room there"
    if last is not None:
        yield "warning" if old and wish else "ok", f"the last one that is whole was begun {last:%Y-%m-%d %H:%M} UTC"
    if last is not None or wish is not None:
        yield from tried


def _tried(conn: Snapshot, *, wanted: bool) -> Looked:
    """Whether one was brought back lately, to see that it can be."""
    alarms, passed = rehearsal_log.alarms(conn, utc_now(), wanted=wanted), rehearsal_log.passed(conn)
    late, failed, short = rehearsal_log.UNTESTED in alarms, rehearsal_log.failed(conn), rehearsal_log.read_through(conn)
    if failed:
        yield "warning", f"{failed} was tried and cannot be restored — try another one: {rehearsal_log.COMMAND}"
    if passed is None:
        said = "none was ever brought back on trial"
    elif short:
        said = f"one was last read through on trial {passed:%Y-%m-%d %H:%M} UTC, and brought back nowhere — {MEND}"
    else:
        said = f"one was last brought back on trial {passed:%Y-%m-%d %H:%M} UTC"
    advice = f" — {rehearsal_log.COMMAND}" if late or passed is None else ""
    yield "warning" if late or short else "ok", said + advice
