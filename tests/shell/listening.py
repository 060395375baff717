"""A listener on a real socket with the real store behind it, and a peer that speaks to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapter.hl7.ack import AckPolicy
from adapter.pipeline.receive import StoreInbox
from adapter.sources.envelope import Door, control_ids
from adapter.sources.mllp_server import MllpServer
from adapter.store import inbox
from adapter.store.database import Database
from adapter.telemetry import Metrics
from tests import stores

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
Walk = Callable[["Peer"], Coroutine[Any, Any, None]]


def oru(control_id: str, extra: bytes = b"", *, msh_more: str = "", kind: str = "ORU^R01") -> bytes:
    header = f"MSH|^~\\&|LAB|HOSP|ADAPTER|TRIAL|20260102030405||{kind}|{control_id}|P|2.5.1{msh_more}\r"
    return header.encode() + b"PID|1||100^^^HOSP^MR\rOBX|1|NM|777-3^^LN||98|10*3/uL|||||F\r" + extra


class Peer:
    """A sender with a server in front of it."""

    def __init__(self, server: MllpServer, database: Database) -> None:
        self.server = server
        self.database = database

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(*self.server.address, limit=2**25)

    async def exchange(self, data: bytes, answers: int, *, then_close: bool = False) -> list[bytes]:
        """Sends, and returns so many answers; `b""` stands for a connection closed without one."""
        reader, writer = await self.connect()
        writer.write(data)
        if then_close:
            writer.write_eof()
        found = [await answer(reader) for _ in range(answers)]
        writer.close()
        return found

    def rows(self) -> list[tuple[str, str | None]]:
        """What is stored: control id and the door's reason for quarantine."""
        with self.database.read() as conn:
            return [(item.message.control_id, item.message.quarantine) for item in inbox.pending(conn, 1000)]

    def bodies(self) -> list[bytes]:
        with self.database.read() as conn:
            return [item.message.body for item in inbox.pending(conn, 1000)]

    async def settled(self, count: int) -> list[tuple[str, str | None]]:
        """What is stored, once it is that much."""
        async with asyncio.timeout(30):
            while len(rows := self.rows()) < count:  # noqa: ASYNC110 — the store tells nobody
                await asyncio.sleep(0.01)
        return rows


async def answer(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(30):
        try:
            frame = await reader.readuntil(b"\x1c\r")
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return b""
    return frame[1:-2]


def codes(answers: list[bytes]) -> list[str]:
    """MSA-1 and MSA-2 of each answer."""
    return [b" ".join(part.split(b"\rMSA|")[1].split(b"\r")[0].split(b"|")[:2]).decode() for part in answers]


@contextlib.asynccontextmanager
async def listening(tmp_path: Path, **options: Any) -> AsyncIterator[Peer]:
    """`door` holds more of a door's settings; the rest are the server's."""
    database = stores.opened(tmp_path)
    store = StoreInbox(database)
    policy, more = options.pop("policy", AckPolicy()), options.pop("door", {})
    door = Door("lab", "generic", lambda: AT, control_ids(lambda: AT), policy=policy, **more)
    server = MllpServer(door, "127.0.0.1", 0, Metrics(), **options)
    await server.start(options.get("inbox", store))
    try:
        yield Peer(server, database)
    finally:
        await server.stop()
        store.close()
        database.close()
