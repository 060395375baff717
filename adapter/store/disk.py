"""What the file system says of the database: is it still the file we opened, and may it be trusted with one."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from adapter import flushed
from adapter.errors import ConfigError, StorageFailedError

NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs"})
"""SQLite's locks and flushes are not to be trusted there (sqlite.org/useovernet.html; reliability P1)."""

VOLATILE = frozenset({"tmpfs", "ramfs"})

File = tuple[int, int, int]


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 — on the path of every acknowledgment
    except FileNotFoundError:
        return None


def _size(seen: os.stat_result | None) -> int:
    return 0 if seen is None else seen.st_size


class Guard:
    """Holds the database, its log and the log's index to what they were at the first commit (reliability 0, point 2)."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._paths = (str(path), f"{path}-shm", f"{path}-wal")
        self._first: list[File] = []

    def look(self) -> int:
        """After a commit: the bytes of the log. Raises StorageFailedError: what was committed may be nowhere.

        By `stat` alone: opening the files ourselves would drop SQLite's locks (POSIX; both traps measured).
        """
        try:
            found = [os.stat(path) for path in self._paths]  # noqa: PTH116 — on the path of every acknowledgment
        except FileNotFoundError:
            raise self._replaced() from None
        except OSError as error:
            raise StorageFailedError(
                f"the database files cannot be looked at ({error.strerror}) — check the disk"
            ) from None
        seen = [(one.st_dev, one.st_ino, one.st_nlink) for one in found]
        self._first = self._first or seen
        if seen != self._first:
            raise self._replaced()
        return found[-1].st_size

    def _replaced(self) -> StorageFailedError:
        return StorageFailedError(
            f"the database files were replaced under the running process ({self._name}) — "
            "stop what touches them (cp, rm, a backup tool); back up as deploy/README.md says"
        )


def sizes(path: Path) -> tuple[int, int]:
    """Bytes of the database and of its log."""
    return _size(_stat(str(path))), _size(_stat(f"{path}-wal"))


def flush_folder(folder: Path) -> None:
    """The names of the files are on the disk too: SQLite tries as much, and ignores its failure. Raises StorageFailedError."""
    try:
        flushed.flush_folder(folder)
    except OSError as error:
        raise StorageFailedError(f"{folder} cannot be flushed ({error.strerror}) — check the disk") from error


def refuse_orphan_log(path: Path) -> None:
    """Raises ConfigError for a log whose database is gone: SQLite would delete it, and with it what was acknowledged."""
    database, log = _stat(str(path)), _stat(f"{path}-wal")
    if log is not None and log.st_size and (database is None or not database.st_size):
        raise ConfigError(
            f"{path.name} is gone and {path.name}-wal is not — put the database back beside it (it was moved or deleted)"
        )


def refuse_stranger(path: Path) -> None:
    """Raises ConfigError for a log that another database left: SQLite would apply it to this one, and ruin it."""
    database, log, known = _stat(str(path)), _stat(f"{path}-wal"), _known(path)
    if database is not None and log is not None and log.st_size and known not in {"", str(database.st_ino)}:
        raise ConfigError(
            f"{path.name} is another file than the one that {path.name}-wal belongs to — delete {path.name}-wal if you "
            f"restored a backup, or {path.name}-id if both files came here together"
        )


def remember(path: Path) -> None:
    """Which file the log belongs to, for `refuse_stranger` at the next start; a full disk leaves it unknown."""
    number = str(path.stat().st_ino)
    if _known(path) == number:
        return
    file = path.with_name(path.name + "-id")
    with contextlib.suppress(OSError):
        file.touch(OWNER_ONLY)
        file.write_text(number, encoding="ascii")


def _known(path: Path) -> str:
    try:
        return path.with_name(path.name + "-id").read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return ""


def create(path: Path) -> None:
    """An empty database that only its owner may touch, whatever the umask; SQLite gives its other files the same rights."""
    with contextlib.suppress(OSError):  # there already; or not to be made, which SQLite will say
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY))


OTHERS, OWNER_ONLY = 0o077, 0o600


def exposed(folder: Path, path: Path) -> Iterator[Path]:
    """The data folder, the database's, and its files, as far as others than their owner may touch them (reliability 2.7)."""
    files = (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm")))
    for one in dict.fromkeys((folder.absolute(), path.parent, *files)):
        seen = _stat(str(one))
        if seen is not None and seen.st_mode & OTHERS:
            yield one


def refuse_exposed(folder: Path, path: Path) -> None:
    """Raises ConfigError, with the command that mends it."""
    for one in exposed(folder, path):
        mode = "700" if one.is_dir() else "600"
        raise ConfigError(f"{one} can be reached by others — chmod {mode} {one}")


def refuse_network_filesystem(path: Path) -> None:
    """Raises ConfigError where the folder lies on a network file system; unknown mounts pass."""
    kind = filesystem(path)
    if kind in NETWORK:
        raise ConfigError(f"{path.parent} is a network file system ({kind}) — keep the database on a local disk")


def filesystem(path: Path) -> str:
    """The type of the file system that the database lies on; empty where the system does not say."""
    mounts = Path("/proc/self/mounts")
    return _filesystem(path.resolve().parent, mounts.read_text(errors="replace")) if mounts.exists() else ""


def _filesystem(folder: Path, mounts: str) -> str:
    """The type of the longest mount point above `folder`."""
    best, found = "", ""
    for line in mounts.splitlines():
        _, point, kind, *_ = [*line.split(), "", "", ""]
        point = point.replace("\\040", " ")
        if folder.is_relative_to(point or "/nowhere") and len(point) >= len(best):
            best, found = point, kind
    return found
