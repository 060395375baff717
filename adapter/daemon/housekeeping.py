"""What is done now and then, whether or not messages come."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from adapter.daemon import collector
from adapter.daemon.backup_round import Rounds
from adapter.daemon.parts import Parts
from adapter.store import accounts

SECONDS = 600
BACKUP_SECONDS = 10
"""Between two looks whether a backup is due."""

Work = Callable[[], Coroutine[Any, Any, None]]


def jobs(parts: Parts) -> Iterator[tuple[Work, float]]:
    """Each with the seconds between two of its turns; all in threads of their own."""
    yield (lambda: asyncio.to_thread(keep_house, parts)), SECONDS
    if parts.settings.backup is not None:
        rounds = Rounds(parts.settings, parts.settings.backup, parts.database, parts.clock, parts.pulse.stopping)
        yield (lambda: asyncio.to_thread(rounds.round)), BACKUP_SECONDS


def keep_house(parts: Parts) -> None:
    """Sessions and links that have expired go; so do the cycles of pages that were set aside."""
    with parts.database.write() as tx:
        accounts.forget_expired(tx, parts.clock())
    collector.everything()
