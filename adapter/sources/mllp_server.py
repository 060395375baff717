"""The MLLP listener of one source: many connections, limits per peer, a graceful end."""

import asyncio
import contextlib
import ipaddress
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from adapter.ports import Inbox
from adapter.sources.connection import Connection, Limits
from adapter.sources.envelope import Door
from adapter.sources.greeting import Greeting, Tls
from adapter.sources.senders import Senders
from adapter.telemetry import Metrics, log, warn

PER_SOURCE = 100
PER_PEER = 20
GRACE_SECONDS = 10.0
"""How long frames in hand may take when we stop (reliability M30)."""
BACKLOG = 512
KEEPALIVE = ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))
"""A half-open peer is found within a minute, and no VPN forgets the flow (mllp-receiver 4.1, 10)."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Who may connect, and how often: a listed peer is held to the source's limit only."""

    listed: tuple[Network, ...] = ()
    only_listed: bool = False

    def knows(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        return any(address in network for network in self.listed)


@dataclass(slots=True)
class MllpServer:
    """A `Source`. `port` 0 takes a free one; `address` says which, once `start` has returned."""

    door: Door
    host: str
    port: int
    metrics: Metrics
    limits: Limits = field(default_factory=Limits)
    neighbours: Neighbours = field(default_factory=Neighbours)
    tls: Tls | None = None
    refused: Callable[[str, str, str], None] = lambda _feed, _peer, _reason: None
    """Told of the feed, the peer and the reason, for the record."""
    address: tuple[str, int] = ("", 0)
    _server: asyncio.Server | None = None
    _connections: set[Connection] = field(default_factory=set)
    _peers: Counter[str] = field(default_factory=Counter)
    _narrowed: dict[Senders, Door] = field(default_factory=dict)

    async def run(self, inbox: Inbox) -> None:
        """Until cancelled; then frames in hand are finished within ten seconds."""
        if self._server is None:
            await self.start(inbox)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await self.stop()

    async def start(self, inbox: Inbox) -> None:
        """Bound and listening when it returns. Raises OSError when the address is taken."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: self._received(inbox), self.host, self.port, backlog=BACKLOG, reuse_address=True
        )
        name = self._server.sockets[0].getsockname()
        self.address = (str(name[0]), int(name[1]))
        log("listening", feed=self.door.name, address=f"{self.address[0]}:{self.address[1]}")

    def _received(self, inbox: Inbox) -> asyncio.BaseProtocol:
        connection = _Guarded(self, inbox)
        return connection if self.tls is None else Greeting(connection, self.tls, self)

    def tls_failed(self, connection: Connection, reason: str) -> None:
        self.metrics.tls_failures.labels(self.door.name, reason).inc()
        warn("tls refused", feed=self.door.name, peer=connection.peer, kind=reason)
        self.refused(self.door.name, connection.peer, f"tls-{reason}")

    def door_for(self, senders: Senders) -> Door:
        """The door as a pinned certificate finds it; one for each pin, so that answers are prepared once."""
        if not senders:
            return self.door
        if senders not in self._narrowed:
            self._narrowed[senders] = self.door.only(senders)
        return self._narrowed[senders]

    async def stop(self) -> None:
        """The listener closes first, so that senders queue on their side."""
        if self._server is None:
            return
        self._server.close()
        open_ones = list(self._connections)
        for connection in open_ones:
            connection.finish()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await asyncio.gather(*(connection.closed for connection in open_ones))
        for connection in list(self._connections):
            connection.abort()
        self._server = None
        log("stopped listening", feed=self.door.name)

    def admit(self, connection: Connection) -> str | None:
        """Why this connection is refused, or None: it is counted in."""
        refusal = self._refusal(connection.peer)
        if refusal is None:
            self._connections.add(connection)
            self._peers[connection.peer] += 1
            self.metrics.connections.labels(self.door.name).set(len(self._connections))
        return refusal

    def _refusal(self, peer: str) -> str | None:
        listed = self.neighbours.knows(peer)
        if self.neighbours.only_listed and not listed:
            return "peer-not-allowed"
        if len(self._connections) >= PER_SOURCE:
            return "too-many-connections"
        return "too-many-of-this-peer" if not listed and self._peers[peer] >= PER_PEER else None

    def forget(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.discard(connection)
            self._peers[connection.peer] -= 1
            if not self._peers[connection.peer]:
                del self._peers[connection.peer]
            self.metrics.connections.labels(self.door.name).set(len(self._connections))


class _Guarded(Connection):
    """A connection that is let in, or closed before a byte is read."""

    def __init__(self, server: MllpServer, inbox: Inbox) -> None:
        super().__init__(inbox, server.door, server.limits, metrics=server.metrics, gone=server.forget)
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        refusal = self._server.admit(self)
        if refusal is not None:
            self._server.metrics.refused.labels(self._door.name, refusal).inc()
            warn("connection refused", feed=self._door.name, peer=self.peer, kind=refusal)
            self._server.refused(self._door.name, self.peer, refusal)
            self.abort()
            return
        self.begin()
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
