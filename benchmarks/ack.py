"""Durable acknowledgments a second on 1, 10 and 100 connections, beside a bare asyncio loop with the same commit discipline.

    python -m benchmarks ack

The bare loops do what cannot be left out: find the frame's end, insert into SQLite (WAL, synchronous=FULL, group commit in one
thread), answer with a ready-made ACK. No header read, no answer composed, no limits, no counters, no look at the files. One
makes the same commits as we do: the same rows, the key by which a message sent again is found, the mark that it waits. The
other keeps the bytes in one table without a key, so that it could not tell a message sent again. `adapter` is our receiving
side alone; `adapter, whole daemon` is `adapter run`, which screens what it has stored at the same time. Other
people's servers acknowledge and keep nothing. Server and sender are processes of their own, the servers run in turns, and the
first three seconds of each are nobody's.
"""

import asyncio
import contextlib
import functools
import hashlib
import logging
import multiprocessing
import queue
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import UTC, datetime
from ipaddress import ip_network
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.daemon import running
from benchmarks.peers.worker import servers, serving
from benchmarks.report import number, spread, table
from tests.ports import free_port

CONNECTIONS = (1, 10, 100)
SECONDS, WARM = 2.0, 3.0
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
            control_id = frame[len(HEAD) - 1 :].split(b"|", 1)[0]
            self.store.put(Taken(frame, control_id, ANSWER % (control_id, control_id), self.transport))


class Taken(NamedTuple):
    frame: bytes
    control_id: bytes
    answer: bytes
    transport: asyncio.BaseTransport


class BareStore:
    """The bytes, in one table."""

    tables = ("CREATE TABLE inbox (id INTEGER PRIMARY KEY, body BLOB)",)

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.waiting: queue.SimpleQueue[Taken] = queue.SimpleQueue()
        self.loop, self.path = loop, path
        threading.Thread(target=self.run, daemon=True).start()

    def put(self, taken: Taken) -> None:
        self.waiting.put(taken)

    def run(self) -> None:
        database = sqlite3.connect(self.path, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        for statement in self.tables:
            database.execute(statement)
        while True:
            batch = [self.waiting.get()]
            while len(batch) < 500:
                try:
                    batch.append(self.waiting.get_nowait())
                except queue.Empty:
                    break
            database.execute("BEGIN IMMEDIATE")
            self.insert(database, batch)
            database.execute("COMMIT")
            self.loop.call_soon_threadsafe(answer, batch)

    def insert(self, database: sqlite3.Connection, batch: list[Taken]) -> None:
        database.executemany("INSERT INTO inbox (body) VALUES (?)", [(one.frame,) for one in batch])


class SameRows(BareStore):
    """Our rows: the answer and the key stand beside the bytes, and another row says that the message waits."""

    inbox = (
        "CREATE TABLE inbox (id INTEGER PRIMARY KEY, source TEXT NOT NULL, site TEXT NOT NULL, kind TEXT NOT NULL, "
        "sender TEXT NOT NULL, control_id TEXT NOT NULL, type TEXT NOT NULL, peer TEXT NOT NULL, received TEXT NOT NULL, "
        "quarantine TEXT, sha256 BLOB NOT NULL, duplicates INTEGER NOT NULL DEFAULT 0, acknowledgment BLOB NOT NULL, "
        "body BLOB NOT NULL, UNIQUE (source, sender, control_id, sha256))"
    )
    tables = (inbox, "CREATE TABLE pending (id INTEGER PRIMARY KEY, source TEXT NOT NULL)")
    count = 0

    def insert(self, database: sqlite3.Connection, batch: list[Taken]) -> None:
        ids = range(self.count + 1, self.count + 1 + len(batch))
        self.count += len(batch)
        rows = [
            (inbox_id, one.control_id.decode(), hashlib.sha256(one.frame).digest(), one.answer, one.frame)
            for inbox_id, one in zip(ids, batch, strict=True)
        ]
        database.executemany(
            "INSERT INTO inbox (id, source, site, kind, sender, control_id, type, peer, received, sha256, acknowledgment, body) "
            "VALUES (?, 'lab', 'generic', 'hl7v2', 'LAB|HOSP', ?, 'ORU^R01', '127.0.0.1', '2026-01-02T03:04:05.000000+00:00', ?, ?, ?)",
            rows,
        )
        database.executemany("INSERT INTO pending VALUES (?, 'lab')", [(inbox_id,) for inbox_id in ids])


def answer(batch: list[Taken]) -> None:
    for one in batch:
        one.transport.write(one.answer)  # type: ignore[attr-defined]


async def bare(folder: Path, told: Callable[[int], None], store: type[BareStore]) -> None:
    loop = asyncio.get_running_loop()
    kept = store(folder / "bare.db", loop)
    server = await loop.create_server(lambda: Bare(kept), "127.0.0.1", 0, backlog=512)
    told(server.sockets[0].getsockname()[1])
    await asyncio.sleep(3600)


def as_the_daemon(main: Coroutine[Any, Any, None]) -> None:
    from adapter.daemon.loop import run

    run(main)


OURS, BARE, BODIES, WHOLE = (
    "adapter",
    "bare asyncio, same commits",
    "bare asyncio, bytes alone",
    "adapter, whole daemon",
)
SERVERS = {
    OURS: ours,
    BARE: functools.partial(bare, store=SameRows),
    BODIES: functools.partial(bare, store=BareStore),
}
RUNNERS = {OURS: as_the_daemon, BARE: asyncio.run, BODIES: asyncio.run}


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


async def load(port: int, connections: int, seconds: float, warm: float = 0.5) -> tuple[float, float]:
    """Messages a second, and the 99th percentile of the latency in milliseconds."""
    latencies: list[float] = []
    loop = asyncio.get_running_loop()
    start = int(time.time() * 1000) % 10**9  # noqa: TID251 — control ids unlike the last round's
    senders = [
        await loop.create_connection(lambda n=n: Sender(start * 1000 + n, latencies), "127.0.0.1", port)
        for n in range(connections)
    ]
    async with asyncio.timeout(60):
        while len(latencies) < 2 * connections:  # noqa: ASYNC110 — the senders are plain callbacks
            await asyncio.sleep(0.05)
    await asyncio.sleep(warm)
    latencies.clear()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    spent, found = time.perf_counter() - began, sorted(latencies)
    for transport, _ in senders:
        transport.abort()
    return len(found) / spent, found[int(len(found) * 0.99)] * 1000


@contextlib.contextmanager
def spawned(name: str) -> Iterator[int]:
    """One of `SERVERS`, fresh, in a process of its own; its port."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="ack-") as folder:
        process = context.Process(target=serve, args=(name, folder, there), daemon=True)
        process.start()
        there.close()  # so that a server that dies at its start ends the wait for its port
        try:
            yield here.recv()
        finally:
            process.kill()
            process.join()


@contextlib.contextmanager
def whole() -> Iterator[int]:
    with tempfile.TemporaryDirectory(prefix="ack-") as folder, running(Path(folder)) as daemon:
        yield daemon.mllp


@contextlib.contextmanager
def peer(command: Sequence[str]) -> Iterator[int]:
    port = free_port()
    with serving(command, port):
        yield port


def contenders() -> dict[str, Callable[[], contextlib.AbstractContextManager[int]]]:
    own = {name: functools.partial(spawned, name) for name in SERVERS}
    return {OURS: own.pop(OURS), WHOLE: whole, **own, **{n: functools.partial(peer, c) for n, c in servers().items()}}


def measured(
    start: Callable[[], contextlib.AbstractContextManager[int]], connections: int, seconds: float
) -> tuple[float, float]:
    with start() as port:
        return asyncio.run(load(port, connections, seconds, WARM if seconds == SECONDS else 0.2))


def main(*, quick: bool = False) -> str:
    seconds, rounds, found = 0.5 if quick else SECONDS, 1 if quick else ROUNDS, contenders()
    cells: dict[str, list[str]] = {name: [] for name in found}
    for connections in CONNECTIONS:
        turns = [{name: measured(start, connections, seconds) for name, start in found.items()} for _ in range(rounds)]
        for name, row in cells.items():
            rates, slowest = [one[name][0] for one in turns], statistics.median(one[name][1] for one in turns)
            ratio = statistics.median(one[OURS][0] / one[name][0] for one in turns)
            versus = "" if name == OURS else f" ({number(ratio)} ×)"
            row.append(f"{number(statistics.median(rates))} ±{spread(rates)}, p99 {number(slowest)} ms{versus}")
    durable = {name: "yes" if name in SERVERS or name == WHOLE else "no" for name in found}
    rows = [[name, durable[name], *row] for name, row in cells.items()]
    heads = ["server", "on the disk before its ACK", *(f"{n} connection{'s' * (n > 1)}" for n in CONNECTIONS)]
    note = f"Lock-step senders, messages of {len(HEAD + REST)} bytes; messages a second, spread of {rounds} rounds, p99 of the answer, and how many times as many we (the first row) take."
    return f"{table(heads, rows)}\n\n{note}"


if __name__ == "__main__":
    print(main())
