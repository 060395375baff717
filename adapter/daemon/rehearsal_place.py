"""Where a backup is tried: a folder for this alone, gone afterwards, and what a killed one left there."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from adapter.daemon import copies
from adapter.daemon.backing_up import SPARE, private_folder, scratch_folder
from adapter.daemon.rules import SECRET
from adapter.daemon.site_key import label_of
from adapter.errors import ConfigError, UnavailableError
from adapter.settings import Settings
from adapter.store.database import Snapshot
from adapter.store.disk import NETWORK, OTHERS, filesystem, refuse_network_filesystem
from adapter.store.secret import SiteSecret
from adapter.store.space import MIB, STOP_SHARE

FOLDER = ".restore-try-"
"""So the folder begins that it is brought back to; what a killed one left there the daemon takes away, or the next one."""
LETTERS = 16


def left(settings: Settings, conn: Snapshot) -> bool:
    """Whether there is anything of one, at work or killed: a look that costs next to nothing. Raises OSError."""
    if any(folder.exists() for folder in _own(settings)):
        return True
    if settings.on_sqlite():
        return False
    from adapter.store import scratch

    return scratch.left(conn, settings.store_url())


def clear_leftovers(settings: Settings) -> None:
    """What a killed one left behind. Raises OSError, and UnavailableError where one is at work."""
    with scratch_folder(settings):
        _clear(settings)
    if not settings.on_sqlite():
        from adapter.store import scratch

        scratch.clear(settings.store_url(), settings.store_password())


def clear_data_folder(settings: Settings) -> None:
    """Of tries and backups; the folder of backups may be out of reach. Raises OSError, and UnavailableError where one is
    at work.
    """
    with scratch_folder(settings) as scratch:
        copies.clear_parts(scratch)
        _remove(settings.adapter.data / folder_name(settings))


@contextlib.contextmanager
def place(settings: Settings, file: Path) -> Iterator[Path]:
    """A folder for this alone, with room; gone afterwards whatever happens. Raises OSError too."""
    try:
        size = file.stat().st_size
    except FileNotFoundError:
        raise ConfigError(f"{file} is not there — give the file of a backup") from None
    with scratch_folder(settings):
        _clear(settings)
        folder = _where(settings, file) / folder_name(settings)
        refuse_network_filesystem(folder)
        _refuse_tight(settings, folder.parent, size)
        private_folder(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def _where(settings: Settings, file: Path) -> Path:
    """On the disk of the backups, where they lie in clear; else on that of the store, as when it is restored."""
    to = settings.backup.to if settings.backup else None
    if to is None or is_sealed(file) or file.parent.resolve() != to.resolve():
        return settings.adapter.data
    private = os.access(to, os.W_OK | os.X_OK) and not to.stat().st_mode & OTHERS
    return to if private and filesystem(file) not in NETWORK else settings.adapter.data


def _refuse_tight(settings: Settings, folder: Path, size: int) -> None:
    """Beside the store not so much is taken that its ports would close."""
    disk, needed = shutil.disk_usage(folder), size + SPARE
    if folder.stat().st_dev == settings.adapter.data.stat().st_dev:
        needed += min(round(settings.store.stop_free_mib * MIB), disk.total // STOP_SHARE)
    if disk.free < needed:
        raise UnavailableError(f"{folder} has no room to try a backup of {size >> 20} MiB — make room there")


def _clear(settings: Settings) -> None:
    for folder in _own(settings):
        _remove(folder)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def folder_name(settings: Settings) -> str:
    """Of this installation alone: several may keep their backups in one place. Without a key there is none to tell it by."""
    data = settings.adapter.data.resolve()
    try:
        key = label_of(SiteSecret.load_or_create(data / SECRET)) if (data / SECRET).exists() else ""
    except ConfigError:  # told where it is tried
        key = ""
    return f"{FOLDER}{hashlib.sha256(f'{key}:{data}'.encode(errors='surrogateescape')).hexdigest()[:LETTERS]}"


def _own(settings: Settings) -> tuple[Path, ...]:
    name = folder_name(settings)
    return tuple(folder / name for folder in _places(settings))


def _places(settings: Settings) -> tuple[Path, ...]:
    return (settings.adapter.data, *((settings.backup.to,) if settings.backup else ()))


def is_sealed(file: Path) -> bool:
    try:
        return copies.read(file).encrypted
    except ConfigError:  # told where it is tried
        return False
