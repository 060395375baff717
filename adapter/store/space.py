"""Room on the data disk: when to warn, when to accept nothing more, and a ballast that keeps room for cleaning up."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from adapter.store.disk import OWNER_ONLY

BALLAST = "ballast"
"""The file's name. A full SQLite store cannot even delete (reliability 0.1): this room is what lets it."""

STOP_SHARE, BALLAST_SHARE = 20, 80
"""At most a twentieth of the disk stops us, at most an eightieth is ballast: 1 GiB and 256 MiB of 20 GiB."""

MIB = 1 << 20


class Room(StrEnum):
    """Alarm codes; empty while there is enough."""

    ENOUGH = ""
    LOW = "disk-low"
    NEARLY_FULL = "disk-nearly-full"


@dataclass(frozen=True, slots=True)
class Marks:
    """Bytes, and a percentage of the disk, whichever is more."""

    warn_percent: float
    warn: int
    stop: int
    ballast: int


@dataclass(frozen=True, slots=True)
class Space:
    folder: Path
    marks: Marks

    def look(self) -> Room:
        """Gives the ballast back when the disk is nearly full, and makes it again once there is room for it and the mark."""
        total, free = self._disk()
        missing = max(0, self._ballast(total) - self._held())
        if free - missing < self._stop(total):
            (self.folder / BALLAST).unlink(missing_ok=True)
            return Room.NEARLY_FULL
        if missing:
            self._make(self._ballast(total))
        return self._judge(total, free - missing)

    def examine(self) -> Room:
        """As `look`, changing nothing."""
        total, free = self._disk()
        return self._judge(total, free - max(0, self._ballast(total) - self._held()))

    def free(self) -> int:
        return self._disk()[1]

    def _judge(self, total: int, spare: int) -> Room:
        if spare < self._stop(total):
            return Room.NEARLY_FULL
        return Room.LOW if spare < max(self.marks.warn, total * self.marks.warn_percent / 100) else Room.ENOUGH

    def _stop(self, total: int) -> int:
        return min(self.marks.stop, total // STOP_SHARE)

    def _ballast(self, total: int) -> int:
        return min(self.marks.ballast, total // BALLAST_SHARE)

    def _disk(self) -> tuple[int, int]:
        found = os.statvfs(self.folder)
        return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize

    def _held(self) -> int:
        try:
            return (self.folder / BALLAST).stat().st_size
        except FileNotFoundError:
            return 0

    def _make(self, size: int) -> None:
        """Really allocated. A file system that cannot is no reason to stand still: there is less to give back."""
        path = self.folder / BALLAST
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY)
            try:
                os.posix_fallocate(file, 0, size)
            finally:
                os.close(file)
        except OSError:
            path.unlink(missing_ok=True)
