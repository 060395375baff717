"""The sockets in the wall: where sources, sinks and notifiers plug in."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from adapter.domain.message import Delivery, RawMessage, Receipt, RemoteResource

Clock = Callable[[], datetime]
"""Aware UTC now. The only clock there is; `time.monotonic` measures durations in the shell."""


class Inbox(Protocol):
    def put(self, message: RawMessage) -> Awaitable[Receipt]:
        """Durable when awaited. Raises UnavailableError when it could not be stored: then no ACK is owed."""


class Source(Protocol):
    """Entry-point group `adapter.sources`."""

    async def run(self, inbox: Inbox) -> None:
        """Until cancelled; a return or an exception stops the daemon."""


class Sink(Protocol):
    """Entry-point group `adapter.sinks`."""

    async def deliver(self, delivery: Delivery) -> RemoteResource | None:
        """Raises UnavailableError (retry) or RejectedError (dead letter); returns what the peer now holds, if it said."""


class Notifier(Protocol):
    """Entry-point group `adapter.notifiers`; bodies hold a link only."""

    async def deliver(self, delivery: Delivery) -> RemoteResource | None: ...
