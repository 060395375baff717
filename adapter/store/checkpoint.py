"""Copying the write-ahead log into the database: by us and not by SQLite, which would hide a disk that failed at it."""

import sqlite3

PAGES = 2000
"""What the log holds at a checkpoint, about: 8 MiB; pages written again and again are copied once."""

MOST_COMMITS = 400
"""Between two checkpoints; fewer, where each writes much. While somebody reads, the log is not begun anew but goes on behind what was
copied already: of a long one a quarter as much is waited for, until it is found unread.
"""
GROWTH = 4 << 20
"""Bytes by which the file may grow between two checkpoints, however few the commits were."""


class Checkpointer:
    """Told of each commit on the one connection that writes (reliability R2).

    SQLite's own checkpoint after a commit swallows the error of a failed flush; this one raises it (R5). The log's length
    is not to be had for nothing, so the number of commits between two checkpoints follows what the last one met.
    """

    def __init__(self) -> None:
        self._every = MOST_COMMITS
        self._commits = 0
        self._size = self._seen = self._frames = 0

    def committed(self, wal_bytes: int) -> None:
        self._commits += 1
        self._seen = wal_bytes

    @property
    def due(self) -> bool:
        return self._commits >= self._every or self._seen > self._size + GROWTH

    def run(self, driver: sqlite3.Connection) -> None:
        """Raises sqlite3.Error: the commits themselves stand, whatever happens here."""
        commits, self._commits, self._size = self._commits, 0, max(self._seen, self._size)
        frames = copy(driver, "PASSIVE")
        new = frames - self._frames if frames >= self._frames else frames
        self._frames = frames
        wanted = PAGES if frames < 2 * PAGES else PAGES // 4
        self._every = min(MOST_COMMITS, max(1, commits * wanted // max(1, new)))


def copy(driver: sqlite3.Connection, mode: str) -> int:
    """Pages that stood in the log. TRUNCATE empties the file too, where no reader holds it."""
    _busy, frames, _copied = driver.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    return int(frames)
