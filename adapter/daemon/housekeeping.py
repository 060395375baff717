"""What is done now and then, whether or not messages come."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from typing import Any

from adapter.daemon import collector
from adapter.daemon.backup_round import Rounds
from adapter.daemon.parts import Parts
from adapter.daemon.rehearsal_round import Rehearsals
from adapter.store import accounts, emptied, marks
from adapter.store.database import Database
from adapter.store.scrubbing import settle
from adapter.web import sessions

SECONDS = 600
SCRUBBED = "emptied-and-scrubbed"
BACKUP_SECONDS = 10
"""Between two looks whether a backup is due."""

Work = Callable[[], Coroutine[Any, Any, None]]


def jobs(parts: Parts) -> Iterator[tuple[Work, float]]:
    """Each with the seconds between two of its turns; all in threads of their own."""
    yield (lambda: asyncio.to_thread(keep_house, parts)), SECONDS
    rehearsals = Rehearsals(parts.settings, parts.database, parts.clock, parts.pulse.stops)
    if parts.settings.backup is None:
        yield (lambda: asyncio.to_thread(rehearsals.round)), BACKUP_SECONDS
    else:
        rounds = Rounds(parts.settings, parts.settings.backup, parts.database, parts.clock, parts.pulse.stops)
        yield (lambda: asyncio.to_thread(in_turn, rounds.round, rehearsals.round)), BACKUP_SECONDS
        yield (lambda: asyncio.to_thread(rounds.keep_numbers)), BACKUP_SECONDS


def in_turn(*works: Callable[[], None]) -> None:
    for work in works:
        work()


def keep_house(parts: Parts) -> None:
    """Sessions and links that have expired go; so do the cycles of pages that were set aside, and what emptied messages left."""
    now, idle = parts.clock(), timedelta(minutes=parts.settings.web.idle_minutes)
    with parts.database.write() as tx:
        sessions.expire(tx, now, idle)
        accounts.forget_tokens(tx, now)
    collector.everything()
    forget_emptied(parts.database)


def forget_emptied(database: Database) -> None:
    """Messages were emptied since the last time, or an erasure could not do it: the store's files and log forget what they said."""
    with database.read() as conn:
        number, before = str(emptied.number(conn)), marks.said(conn, SCRUBBED) or "0"
    done = settle(database, ["inbox", "inbox_outcomes"] if number != before else ())
    if done and number != before:
        with database.write() as tx:
            marks.put(tx, SCRUBBED, number)
