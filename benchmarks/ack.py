"""Durable acknowledgments a second on 1, 10 and 100 connections, beside a bare asyncio loop with the same commit discipline.

    python -m benchmarks ack

The peer does what cannot be left out: find the frame's end, insert the bytes into SQLite (WAL, synchronous=FULL, group
commit in one thread), answer with a ready-made ACK. No header read, no duplicate check, no limits, no counters. Server
and sender are processes of their own; both servers run in turns, so that the ratio is of one machine in one mood.
"""

import asyncio
import logging
import multiprocessing
import queue
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from ipaddress import ip_network
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

CONNECTIONS = (1, 10, 100)
SECONDS = 2.0
ROUNDS = 3
OBX = "OBX|{n}|NM|777-3^Platelets^LN||98|10*3/uL|||||F|||20260102030000+0000\r"
HEAD = b"\x0bMSH|^~\\&|LAB|HOSP|A|T|20260102030405+0000||ORU^R01|"
REST = (
    "|P|2.5.1\rPID|1||77^^^HOSP^MR||Doe^Jane||19500101|F\rPV1|1|E|ED^^4||||||||||||||||V1\r"
    "OBR|1||F1|P|||20260102030000+0000\r" + "".join(OBX.format(n=n) for n in range(1, 6))
).encode() + b"\x1c\r"
ANSWER = b"\x0bMSH|^~\\&|A|T|LAB|HOSP|20260102030405+0000||ACK^R01^ACK|%b|P|2.5.1\rMSA|AA|%b\r\x1c\r"


# --- the two servers -------------------------------------------------------------------------------------------------


async def ours(folder: Path, told: Callable[[int], None]) -> None:
    from adapter.pipeline.receive import StoreInbox
    from adapter.sources.envelope import Door, control_ids
    from adapter.sources.mllp_server import MllpServer, Neighbours
    from adapter.store.database import Database
    from adapter.telemetry import Metrics, configure_log

    configure_log(level=logging.WARNING)
    database = Database.open(f"sqlite:///{folder}/adapter.db")
    database.migrate()
    clock = lambda: datetime.now(UTC)  # noqa: E731, TID251 — a benchmark's own clock
    door = Door("lab", "generic", clock, control_ids(clock))
    known = Neighbours((ip_network("127.0.0.0/8"),))
    server = MllpServer(door, "127.0.0.1", 0, Metrics(), neighbours=known)
    await server.start(StoreInbox(database))
    told(server.address[1])
    await asyncio.sleep(3600)


class Bare(asyncio.Protocol):
    def __init__(self, store: "BareStore") -> None:
        self.store = store
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\x1c\r")) >= 0:
            frame, self.buffer = self.buffer[1:end], self.buffer[end + 2 :]
            self.store.put(frame, self.transport)


class BareStore:
    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.waiting: queue.SimpleQueue[tuple[bytes, asyncio.BaseTransport]] = queue.SimpleQueue()
        self.loop, self.path = loop, path
        threading.Thread(target=self.run, daemon=True).start()

    def put(self, frame: bytes, transport: asyncio.BaseTransport) -> None:
        self.waiting.put((frame, transport))

    def run(self) -> None:
        database = sqlite3.connect(self.path, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE inbox (id INTEGER PRIMARY KEY, body BLOB)")
        while True:
            batch = [self.waiting.get()]
            while len(batch) < 500:
                try:
                    batch.append(self.waiting.get_nowait())
                except queue.Empty:
                    break
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO inbox (body) VALUES (?)", [(frame,) for frame, _ in batch])
            database.execute("COMMIT")
            self.loop.call_soon_threadsafe(answer, batch)


def answer(batch: list[tuple[bytes, asyncio.BaseTransport]]) -> None:
    for frame, transport in batch:
        control_id = frame[len(HEAD) - 1 :].split(b"|", 1)[0]
        transport.write(ANSWER % (control_id, control_id))  # type: ignore[attr-defined]


async def bare(folder: Path, told: Callable[[int], None]) -> None:
    loop = asyncio.get_running_loop()
    store = BareStore(folder / "bare.db", loop)
    server = await loop.create_server(lambda: Bare(store), "127.0.0.1", 0, backlog=512)
    told(server.sockets[0].getsockname()[1])
    await asyncio.sleep(3600)


def as_the_daemon(main: Coroutine[Any, Any, None]) -> None:
    from adapter.daemon.loop import run

    run(main)


SERVERS = {"adapter": ours, "bare asyncio, same commits": bare}
RUNNERS = {"adapter": as_the_daemon, "bare asyncio, same commits": asyncio.run}


def serve(name: str, folder: str, pipe: Connection) -> None:
    RUNNERS[name](SERVERS[name](Path(folder), pipe.send))


# --- the sender ------------------------------------------------------------------------------------------------------


class Sender(asyncio.Protocol):
    """Lock-step: the next message when the answer to the last is there."""

    def __init__(self, number: int, latencies: list[float]) -> None:
        self.number, self.count, self.latencies = number, 0, latencies
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.count += 1
        self.sent = time.perf_counter()
        self.transport.write(HEAD + b"%d-%d" % (self.number, self.count) + REST)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.buffer.endswith(b"\x1c\r"):
            assert b"MSA|AA" in self.buffer
            self.buffer = b""
            self.latencies.append(time.perf_counter() - self.sent)
            self.send()


async def load(port: int, connections: int) -> tuple[float, float]:
    """Messages a second, and the 99th percentile of the latency in milliseconds."""
    latencies: list[float] = []
    loop = asyncio.get_running_loop()
    start = int(time.time() * 1000) % 10**9  # noqa: TID251 — control ids unlike the last round's
    senders = [
        await loop.create_connection(lambda n=n: Sender(start * 1000 + n, latencies), "127.0.0.1", port)
        for n in range(connections)
    ]
    latencies.clear()
    began = time.perf_counter()
    await asyncio.sleep(SECONDS)
    seconds, found = time.perf_counter() - began, sorted(latencies)
    for transport, _ in senders:
        transport.abort()
    return len(found) / seconds, found[int(len(found) * 0.99)] * 1000


def measured(name: str, connections: int) -> tuple[float, float]:
    """One server, fresh, for one round."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="ack-") as folder:
        process = context.Process(target=serve, args=(name, folder, there), daemon=True)
        process.start()
        try:
            return asyncio.run(load(here.recv(), connections))
        finally:
            process.kill()
            process.join()


def main() -> None:
    print(f"{'connections':>12}{'':>4}{'server':<30}{'acks/s':>10}{'p99 ms':>10}")
    for connections in CONNECTIONS:
        rounds = [{name: measured(name, connections) for name in SERVERS} for _ in range(ROUNDS)]
        for name in SERVERS:
            rate = statistics.median(one[name][0] for one in rounds)
            slowest = statistics.median(one[name][1] for one in rounds)
            print(f"{connections:>12}{'':>4}{name:<30}{rate:>10,.0f}{slowest:>10.2f}")
        ratio = statistics.median(one["adapter"][0] / one["bare asyncio, same commits"][0] for one in rounds)
        print(f"{connections:>12}{'':>4}ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
