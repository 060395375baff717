"""Brings a backup back into an empty place, and holds alerts and pushes until a person says that the gap is closed."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapter import __version__, flushed
from adapter.daemon import copies, dumping, numbers_file, rehearsal_place, sealing
from adapter.daemon.backing_up import SPARE
from adapter.daemon.copies import Manifest
from adapter.daemon.lock import data_folder, held
from adapter.daemon.opening import open_store
from adapter.daemon.rules import SECRET
from adapter.daemon.site_key import label_of, refuse_other_key
from adapter.errors import AdapterError, ConfigError, UnavailableError
from adapter.settings import Settings
from adapter.store import audit, backup, hold, screening_ids
from adapter.store.backup import BrokenOffError, Going
from adapter.store.database import Snapshot, Transaction
from adapter.store.disk import OWNER_ONLY, refuse_network_filesystem
from adapter.store.engines import sqlite_path
from adapter.store.migrate import migrate, refuse_newer, refuse_unknown
from adapter.store.screening_ids import Number
from adapter.store.secret import SiteSecret

SIDES = ("", "-wal", "-shm", "-id", "-journal")
PART = ".restore.part"
ALLOWED = frozenset({SECRET, "adapter.lock", "lost+found", *(PART + end for end in SIDES)})
"""What an empty data folder may hold; the last are of a restore that was killed."""
SHOWN = 3
NOT_HELD = "the database is full and nothing in it is held: drop it, and start no daemon on it"


@dataclass(frozen=True, slots=True)
class Order:
    """`opened` are the private keys of an encrypted backup; `by` who asks; `kept`: folders where the daemon
    keeps the screening numbers; what lies beside the backup may be a copy as old as that. `going` is given where others work
    beside it: a copy rests now and then, and all asks whether to go on.
    """

    file: Path
    opened: sealing.Opened | None
    by: str
    now: datetime
    kept: tuple[Path, ...] = ()
    going: Going | None = None

    def goes(self) -> bool:
        return self.going is None or self.going()


@dataclass(frozen=True, slots=True)
class Restored:
    """`numbers`: the screening numbers that were given after the backup and are known again; None where nobody kept them."""

    manifest: Manifest
    numbers: int | None


@dataclass(frozen=True, slots=True)
class Given:
    """What was read before anything was written."""

    order: Order
    manifest: Manifest
    key: Path
    kept: list[Number] | None


def restore(settings: Settings, order: Order) -> Restored:
    """All of it or nothing. Raises ConfigError for whatever does not fit, UnavailableError for what may pass."""
    try:
        return _restored(settings, order)
    except OSError as error:
        raise UnavailableError(
            f"{order.file.name} could not be restored ({error.strerror or type(error).__name__}) — look at it, and at the "
            "disk of the store, then try again"
        ) from error


def _restored(settings: Settings, order: Order) -> Restored:
    folder = data_folder(settings.adapter.data)
    with held(folder):
        rehearsal_place.clear_data_folder(settings)  # a try that was killed is no store, and its copy takes room
        _refuse_used(settings, folder)
        path = sqlite_path(settings.store_url()) if settings.on_sqlite() else None
        refuse_network_filesystem((data_folder(path.parent) if path else folder) / PART)
        return as_file(settings, order, path) if path else into_server(settings, order, folder)


def as_file(settings: Settings, order: Order, path: Path) -> Restored:
    """An SQLite store of this very path: an URL would end it at the first question mark. Raises OSError too."""
    with unpacked(settings, order, path.parent) as (part, given):
        return Restored(given.manifest, _named(part, given, path))


def into_server(settings: Settings, order: Order, place: Path) -> Restored:
    """Into the store of the settings, which is empty; `place` is where it is unpacked. Raises OSError too."""
    with unpacked(settings, order, place) as (part, given):
        return Restored(given.manifest, _poured(settings, part, given))


@contextlib.contextmanager
def unpacked(settings: Settings, order: Order, place: Path) -> Iterator[tuple[Path, Given]]:
    """The backup in clear, once all is looked at that needs nothing changed. Raises OSError too."""
    manifest = copies.read(order.file)
    _refuse_other(settings, order.file, manifest)
    refuse_unknown(manifest.contents.schema or None)
    key = _key(settings.adapter.data, manifest)
    given = Given(order, manifest, key, numbers_file.read(manifest.key, *order.kept, order.file.parent))
    if copies.sha256(order.file, order.goes) != manifest.sha256:
        raise ConfigError(f"{order.file.name} is not as it was made (sha256) — take another backup, or copy it again")
    with _plain(order, manifest, place) as part:
        yield part, given


def _refuse_used(settings: Settings, folder: Path) -> None:
    """A restore is never mixed with what is there: what was acknowledged last may stand in it alone."""
    there = sorted(path.name for path in folder.iterdir() if path.name not in ALLOWED)
    if not settings.on_sqlite():
        _refuse_filled(settings)
        return
    path = sqlite_path(settings.store_url())
    there += [path.name + end for end in SIDES if path.parent != folder and path.with_name(path.name + end).exists()]
    if there:
        more = f" and {len(there) - SHOWN} more" if len(there) > SHOWN else ""
        raise ConfigError(
            f"{folder} is not empty ({', '.join(there[:SHOWN])}{more}) — keep what is there: "
            f"mv {folder} {folder}.before && install -d -m 700 {folder}, put {SECRET} into the new one, then restore"
        )


def _refuse_filled(settings: Settings) -> None:
    database = open_store(settings, read_only=True)
    try:
        with database.read() as conn:
            if not backup.is_empty(conn):
                raise ConfigError(
                    "the database is not empty — createdb another one, name it in [store] url, then restore"
                )
    finally:
        database.close()


def _refuse_other(settings: Settings, file: Path, manifest: Manifest) -> None:
    if manifest.file != file.name:
        raise ConfigError(f"the manifest is of {manifest.file} — give both files the names that they had")
    if file.name.startswith("adapter-") and (".dump" in file.name) == settings.on_sqlite():
        other = "PostgreSQL" if settings.on_sqlite() else "SQLite"
        raise ConfigError(f"{file.name} is of a store on {other} — [store] url names another kind")


def _key(folder: Path, manifest: Manifest) -> Path:
    """Where the site key lies, and that it is the one this store was made with."""
    path = folder / SECRET
    if not path.exists():
        raise ConfigError(
            f"{path} is not there — copy it from where it is kept (mode 400): a backup never holds it, and without it "
            "nobody finds the patient behind a screening number"
        )
    if manifest.key and manifest.key != label_of(SiteSecret.load_or_create(path)):
        raise ConfigError(f"{path} is not the key that this backup was made with — copy the right one here")
    return path


@contextlib.contextmanager
def _plain(order: Order, manifest: Manifest, folder: Path) -> Iterator[Path]:
    """The backup as the store wrote it, where it can be given its name; gone afterwards whatever happens."""
    if shutil.disk_usage(folder).free < manifest.bytes + SPARE:
        raise backup.NoPlaceError(f"{folder} has no room for {manifest.bytes >> 20} MiB — make room there")
    part = folder / PART
    _clear(part)
    try:
        if manifest.encrypted:
            sealing.unseal(order.file, part, order.opened, order.goes)
        else:
            part.touch(OWNER_ONLY, exist_ok=False)
            _copied(order, part)
        flushed.flush_file(part)
        yield part
    finally:
        _clear(part)


def _copied(order: Order, part: Path) -> None:
    if order.going is None:
        shutil.copyfile(order.file, part)
        return
    with order.file.open("rb") as source, part.open("wb") as target:
        while block := source.read(copies.BLOCK):
            target.write(block)
            target.flush()
            os.fsync(target.fileno())  # a mebibyte now and not a gigabyte at once: others may share this disk
            time.sleep(backup.REST)
            if not order.going():
                raise BrokenOffError("broken off")


def _clear(part: Path) -> None:
    for end in SIDES:
        part.with_name(part.name + end).unlink(missing_ok=True)


def _named(part: Path, given: Given, path: Path) -> int | None:
    with backup.looked_into(part, given.order.goes) as conn:
        _refuse_unlike(conn, given)
    with backup.amended(part) as tx:
        numbers = _taken_over(tx, given)
    flushed.flush_file(part)
    os.rename(part, path)  # noqa: PTH104 — as `disk.Guard` spells it
    flushed.flush_folder(path.parent)
    return numbers


def _poured(settings: Settings, part: Path, given: Given) -> int | None:
    """What can be refused was refused: pg_restore commits by itself, and what it brought is held only by what follows."""
    database = open_store(settings)
    try:
        with database.alone():
            dumping.bring_back(settings, part, given.order.goes)
            try:
                with database.write() as tx:
                    _refuse_unlike(tx, given)
                    return _taken_over(tx, given)
            except AdapterError as error:
                raise type(error)(f"{error}; {NOT_HELD}") from error
    finally:
        database.close()


def _refuse_unlike(conn: Snapshot, given: Given) -> None:
    """Whole, not newer than we are, and what its manifest says."""
    manifest, wrong = given.manifest, backup.problems(conn, given.order.going)
    if wrong:
        raise ConfigError(f"{manifest.file} is not whole: {wrong[0]} — take another backup")
    refuse_newer(conn)
    if backup.contents(conn) != manifest.contents:
        raise ConfigError(f"{manifest.file} holds something else than its manifest says — take another backup")


def _taken_over(tx: Transaction, given: Given) -> int | None:
    """Held before it has its name, so that no daemon ever finds it without."""
    order, manifest = given.order, given.manifest
    migrate(tx)
    refuse_other_key(tx, given.key)
    numbers = None if given.kept is None else screening_ids.take_over(tx, given.kept)
    since = {name: one.received for name, one in manifest.contents.feeds.items()}
    hold.begin(tx, hold.Hold(order.now, since, manifest.contents.last_message))
    detail = {
        "made": manifest.made.isoformat(),
        "sha256": manifest.sha256,
        "software": __version__,
        "numbers": numbers or 0,
    }
    audit.append(tx, audit.Act(order.by, "operator", "restore", "store", manifest.file, detail), order.now)
    return numbers
