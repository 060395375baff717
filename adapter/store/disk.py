"""What the file system says of the database: is it still the file we opened, and may it be trusted with one."""

import os
from dataclasses import dataclass
from pathlib import Path

from adapter.errors import ConfigError

NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs"})
"""SQLite's locks and flushes are not to be trusted there (sqlite.org/useovernet.html; reliability P1)."""

File = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Identity:
    """Device, inode and link count of the database and of its WAL; `None` where there is no such file."""

    database: File | None
    wal: File | None

    @property
    def lost(self) -> bool:
        return self.database is None or self.wal is None


def identity(path: Path) -> Identity:
    """By `stat` alone: opening the files ourselves would drop SQLite's locks (POSIX)."""
    name = str(path)
    return Identity(_file(name), _file(name + "-wal"))


def _file(path: str) -> File | None:
    try:
        seen = os.stat(path)  # noqa: PTH116 — on the path of every acknowledgment
    except FileNotFoundError:
        return None
    return (seen.st_dev, seen.st_ino, seen.st_nlink)


def refuse_network_filesystem(path: Path) -> None:
    """Raises ConfigError where the folder lies on a network file system; unknown mounts pass."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return
    kind = _filesystem(path.resolve().parent, mounts.read_text(errors="replace"))
    if kind in NETWORK:
        raise ConfigError(f"{path.parent} is a network file system ({kind}) — keep the database on a local disk")


def _filesystem(folder: Path, mounts: str) -> str:
    """The type of the longest mount point above `folder`."""
    best, found = "", ""
    for line in mounts.splitlines():
        _, point, kind, *_ = [*line.split(), "", "", ""]
        point = point.replace("\\040", " ")
        if folder.is_relative_to(point or "/nowhere") and len(point) >= len(best):
            best, found = point, kind
    return found
