"""Once a day an EDC is asked whether it still holds what it was sent; what it lost, to an old backup, is owed again."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from adapter import telemetry
from adapter.domain.message import Delivery
from adapter.errors import AdapterError, StorageFailedError
from adapter.ports import Clock
from adapter.store import marks, outbox
from adapter.store.codec import instant
from adapter.store.database import Database

AT_ONCE = 50
"""Subjects in one question."""
AGAIN = timedelta(hours=1)
"""After which an EDC that could not be asked is asked again."""


@runtime_checkable
class Remembers(Protocol):
    """A sink that can be asked what it holds."""

    @property
    def reconcile(self) -> timedelta: ...

    async def lost(self, sent: Sequence[Delivery]) -> Sequence[int]:
        """The ids of those it holds no more, or holds otherwise. Raises UnavailableError or RejectedError."""


async def recall(database: Database, name: str, outlet: object, clock: Clock) -> int:
    """When its time has come; how many deliveries are owed again. On the first day nothing is asked."""
    if not isinstance(outlet, Remembers):
        return 0
    now = clock()
    due = await asyncio.to_thread(_due, database, name)
    if not due or due > instant(now):
        if not due:
            await asyncio.to_thread(_next, database, name, now + outlet.reconcile)
        return 0
    try:
        lost = await _asked(database, name, outlet)
    except StorageFailedError:
        raise
    except Exception as error:  # noqa: BLE001 — an answer that nobody foresaw must not end the deliveries
        text = str(error) if isinstance(error, AdapterError) else type(error).__name__
        telemetry.warn("the EDC cannot be asked what it holds", outlet=name, text=text)
        await asyncio.to_thread(_next, database, name, now + AGAIN)
        return 0
    await asyncio.to_thread(_owe_again, database, name, lost, now + outlet.reconcile, now)
    return len(lost)


async def _asked(database: Database, name: str, outlet: Remembers) -> list[int]:
    lost: list[int] = []
    last = 0
    while sent := await asyncio.to_thread(_sent, database, name, last):
        lost += await outlet.lost(sent)
        last = sent[-1].id
    return lost


def _mark(name: str) -> str:
    return f"edc-recall:{name}"


def _due(database: Database, name: str) -> str:
    with database.read() as conn:
        return marks.said(conn, _mark(name))


def _next(database: Database, name: str, at: datetime) -> None:
    with database.write() as tx:
        marks.put(tx, _mark(name), instant(at))


def _sent(database: Database, name: str, last: int) -> list[Delivery]:
    with database.read() as conn:
        return outbox.held_by(conn, name, last, AT_ONCE)


def _owe_again(database: Database, name: str, lost: Sequence[int], following: datetime, now: datetime) -> None:
    with database.write() as tx:
        outbox.again(tx, lost, now)
        marks.put(tx, _mark(name), instant(following))
    if lost:
        telemetry.warn("the EDC lost what it was sent; sent again", outlet=name, count=len(lost))
