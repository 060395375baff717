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
from adapter.sources.greeting import NOT_PINNED, Reception, Tls
from adapter.sources.senders import Senders
from adapter.sources.tally import Tally
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
    _close: Callable[[], None] | None = None
    _connections: set[Connection] = field(default_factory=set)
    _peers: Counter[str] = field(default_factory=Counter)
    _narrowed: dict[Senders, Door] = field(default_factory=dict)
    _tallies: dict[Door, Tally] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.metrics.connections.labels(self.door.name).set(0)

    async def run(self, inbox: Inbox) -> None:
        """Until cancelled; then frames in hand are finished within ten seconds."""
        await self.start(inbox)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await self.stop()

    async def start(self, inbox: Inbox) -> None:
        """Bound and listening when it returns; again after a `stop` too. Raises OSError when the address is taken."""
        if self._close is not None:
            return
        self.address = ("", 0)
        if self.tls is None:
            await self._listen_plain(lambda: _Guarded(self, inbox))
        else:
            await self._listen_tls(self.tls, lambda: _Guarded(self, inbox))
        log("listening", feed=self.door.name, address=f"{self.address[0]}:{self.address[1]}")

    async def _listen_plain(self, connection: Callable[[], Connection]) -> None:
        server = await asyncio.get_running_loop().create_server(
            connection, self.host, self.port, backlog=BACKLOG, reuse_address=True
        )
        self._take_address(server.sockets[0].getsockname())
        self._close = server.close

    async def _listen_tls(self, tls: Tls, connection: Callable[[], Connection]) -> None:
        """The sockets are accepted here, so that a failed handshake has a reason and a peer, and an address is judged first."""
        found = await asyncio.get_running_loop().getaddrinfo(
            self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with contextlib.ExitStack() as stack:
            for family, _, _, _, address in dict.fromkeys(found):
                listener = stack.enter_context(socket.create_server(address[:2], family=family, backlog=BACKLOG))
                listener.setblocking(False)  # noqa: FBT003 — the library's signature
                if not self.address[1]:
                    self._take_address(listener.getsockname())
                stack.callback(Reception(listener, tls.context, self, connection).close)
            self._close = stack.pop_all().close

    def _take_address(self, name: tuple[str, int]) -> None:
        self.address = (str(name[0]), int(name[1]))

    async def stop(self) -> None:
        """The listener closes first, so that senders queue on their side."""
        if self._close is None:
            return
        self._close()
        open_ones = list(self._connections)
        for connection in open_ones:
            connection.finish()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await asyncio.gather(*(connection.closed for connection in open_ones))
        for connection in list(self._connections):
            connection.abort()
        self._close = None
        log("stopped listening", feed=self.door.name)

    # --- who is let in -----------------------------------------------------------------------------------------

    def enter(self, peer: str) -> bool:
        """Counted in, or refused."""
        reason = self._refusal(peer)
        if reason is None:
            self._peers[peer] += 1
            return True
        self.metrics.refused.labels(self.door.name, reason).inc()
        warn("connection refused", feed=self.door.name, peer=peer, kind=reason)
        self.refused(self.door.name, peer, reason)
        return False

    def _refusal(self, peer: str) -> str | None:
        listed = self.neighbours.knows(peer)
        if self.neighbours.only_listed and not listed:
            return "peer-not-allowed"
        if self._peers.total() >= PER_SOURCE:
            return "too-many-connections"
        return "too-many-of-this-peer" if not listed and self._peers[peer] >= PER_PEER else None

    def leave(self, peer: str) -> None:
        self._peers[peer] -= 1
        if not self._peers[peer]:
            del self._peers[peer]

    def tls_failed(self, peer: str, reason: str) -> None:
        self.metrics.tls_failures.labels(self.door.name, reason).inc()
        warn("tls refused", feed=self.door.name, peer=peer, kind=reason)
        self.refused(self.door.name, peer, f"tls-{reason}")

    def welcome(self, connection: Connection, transport: asyncio.BaseTransport) -> Door | None:
        """The door it stands at, or None: not let in."""
        peer = connection.peer
        if self.tls is None:
            door = self.door if self.enter(peer) else None
        else:
            senders = self.tls.senders_of(transport)
            door = None if senders is None else self._door_for(senders)
            if door is None:
                self.tls_failed(peer, NOT_PINNED)
                self.leave(peer)
        if door is not None:
            self._connections.add(connection)
            self._count()
        return door

    def _door_for(self, senders: Senders) -> Door:
        """As a pinned certificate finds it; one for each pin, so that answers are prepared once."""
        if not senders:
            return self.door
        if senders not in self._narrowed:
            self._narrowed[senders] = self.door.only(senders)
        return self._narrowed[senders]

    def tally_of(self, door: Door) -> Tally:
        """One for all who stand at the same door."""
        if door not in self._tallies:
            self._tallies[door] = Tally(self.metrics, door)
        return self._tallies[door]

    def forget(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.discard(connection)
            self.leave(connection.peer)
            self._count()

    def _count(self) -> None:
        self.metrics.connections.labels(self.door.name).set(len(self._connections))


class _Guarded(Connection):
    """A connection that is let in, or closed before a byte is read."""

    def __init__(self, server: MllpServer, inbox: Inbox) -> None:
        super().__init__(inbox, server.door, server.limits, metrics=server.metrics, gone=server.forget)
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        door = self._server.welcome(self, transport)
        if door is None:
            self.abort()
            return
        self.stand_at(door, self._server.tally_of(door))
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
