"""The worklist in brief, kept in memory until people are told or do something: every page is cut from it."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapter.store import board, teamwork
from adapter.store.board import Entry
from adapter.store.database import Database
from adapter.web.parted import Choice, Cut

KEEPS = timedelta(seconds=5)
"""A deadline passes and a patient is moved to another ward without anybody being told."""
QUICK, REST, LONGEST = 0.02, 10, 1.0
"""Seconds of a processor. What took longer to read serves for ten times as long, a second at most, though people were told something since:
where news never ends, not every page reads ten thousand lines.
"""
MOST_CUTS = 64
"""Choices that are kept of one reading: people of a few wards and trials make some ten; an address can name any."""


@dataclass(frozen=True, slots=True)
class Kept:
    stamp: tuple[int, int]
    closing: Mapping[str, frozenset[str]]
    at: datetime
    entries: tuple[Entry, ...]
    newest: str
    until: float
    """Till then it serves whatever people are told; what somebody does here ends it at once."""
    cuts: dict[Choice, Cut]

    def cut(self, choice: Choice) -> Cut:
        """Made once, for all who make the same choice."""
        found = self.cuts.get(choice)
        if found is None:
            found = Cut.of(choice.among(self.entries))
            if len(self.cuts) < MOST_CUTS:
                self.cuts[choice] = found
        return found


@dataclass(slots=True)
class Roll:
    """One for all readers; what each of them may see is cut out afterwards. While somebody reads it anew, the others are
    served from the last one; but never one from before somebody's own act.
    """

    _kept: Kept | None = None
    _acts: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def forget(self) -> None:
        """Somebody did something here: they must see it on their next page."""
        with self._lock:
            self._kept = None
            self._acts += 1

    def read(self, database: Database, now: datetime, closing: Mapping[str, frozenset[str]]) -> Kept:
        with database.read() as conn:
            stamp = teamwork.stamp(conn)
        kept = self._kept
        if kept is not None and self._holds(kept, stamp, now, closing):
            return kept
        spare = kept if kept is not None and _serves(kept, now, closing) else None
        if not self._reading.acquire(blocking=spare is None) and spare is not None:
            return spare
        try:
            return self._renewed(database, stamp, now, closing)
        finally:
            self._reading.release()

    def _renewed(
        self, database: Database, stamp: tuple[int, int], now: datetime, closing: Mapping[str, frozenset[str]]
    ) -> Kept:
        """Many may ask at once, one reads; what was read while somebody did something is not kept."""
        kept = self._kept
        if kept is not None and self._holds(kept, stamp, now, closing):
            return kept
        acts = self._acts
        read = _read(database, now, closing)
        with self._lock:
            if acts == self._acts:
                self._kept = read
        return read

    def _holds(self, kept: Kept, stamp: tuple[int, int], now: datetime, closing: Mapping[str, frozenset[str]]) -> bool:
        fresh = abs(now - kept.at) < KEEPS and kept.closing == closing
        newest = all(have >= asked for have, asked in zip(kept.stamp, stamp, strict=True))
        return fresh and (newest or time.monotonic() < kept.until)


def _serves(kept: Kept, now: datetime, closing: Mapping[str, frozenset[str]]) -> bool:
    """For the moment that it takes to read it anew."""
    return abs(now - kept.at) < 2 * KEEPS and kept.closing == closing


def _read(database: Database, now: datetime, closing: Mapping[str, frozenset[str]]) -> Kept:
    began = time.thread_time()
    with database.read() as conn:
        stamp, entries = teamwork.stamp(conn), tuple(board.entries(conn, now, closing))
    newest, cuts = max((one.news for one in entries), default=""), {Choice(): Cut.of(entries)}
    took = time.thread_time() - began
    rest = 0.0 if took < QUICK else min(LONGEST, REST * took)
    return Kept(stamp, closing, now, entries, newest, time.monotonic() + rest, cuts)
