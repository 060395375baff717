"""A real daemon under a paced feed: how long until the answer, and until the worklist knows.

    python -m benchmarks latency

100 messages/s on 10 connections (open loop: the next one leaves at its moment, answered or not), each a 20-OBX ORU of a
charted patient, while the daemon screens them, pushes nothing and serves its page. The worklist knows a message once its
ending is committed, which is one transaction with the worklist's rows; a reader of the store looks every 5 ms.
"""

import asyncio
import sqlite3
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapter.hl7.mllp import FrameDecoder, encode
from benchmarks import pipeline
from tests.installation import ADAPTER, Installation

RATE, SECONDS, CONNECTIONS = 100, 20, 10
PATIENTS, HOURS = 50, 24
LOOK_SECONDS = 0.005
SETTLE_SECONDS = 600


class Feed(asyncio.Protocol):
    """One connection: answers come in the order of the messages."""

    def __init__(self, answered: dict[str, float]) -> None:
        self.waiting: list[str] = []
        self.answered = answered
        self.decoder = FrameDecoder()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def send(self, control_id: str, body: bytes) -> None:
        self.waiting.append(control_id)
        self.transport.write(encode(body))  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        for _ in self.decoder.feed(data):
            self.answered[self.waiting.pop(0)] = time.perf_counter()


def history(now: datetime) -> Iterator[tuple[str, bytes]]:
    """Every patient admitted, and charted by the hour for the last day."""
    for patient in range(PATIENTS):
        yield f"A{patient}", pipeline.admission(patient).body
    for hour in range(HOURS):
        at = now - timedelta(hours=HOURS - hour)
        for patient in range(PATIENTS):
            yield f"{patient}-{hour}", pipeline.message(patient, hour, at, pipeline.CHART).body


def results(now: datetime) -> Iterator[tuple[str, bytes]]:
    for n in range(RATE * SECONDS):
        at = now + timedelta(seconds=n / RATE - 60)
        patient = n % PATIENTS
        yield f"{patient}-{1000 + n}", pipeline.message(patient, 1000 + n, at, pipeline.LABORATORY).body


async def watch(database: Path, ended: dict[int, float]) -> None:
    """When each ending was first seen; messages end in the order of their ids."""
    reader = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    while True:
        (last,) = reader.execute("SELECT coalesce(max(id), 0) FROM inbox_outcomes").fetchone()
        ended[last] = ended.get(last) or time.perf_counter()
        await asyncio.sleep(LOOK_SECONDS)


async def paced(port: int, messages: list[tuple[str, bytes]], rate: float) -> tuple[dict[str, float], dict[str, float]]:
    """When each was sent, and when it was answered."""
    loop, sent, answered = asyncio.get_running_loop(), dict[str, float](), dict[str, float]()
    feeds = [(await loop.create_connection(lambda: Feed(answered), "127.0.0.1", port))[1] for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for n, (control_id, body) in enumerate(messages):
        await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
        sent[control_id] = time.perf_counter()
        feeds[n % CONNECTIONS].send(control_id, body)
    async with asyncio.timeout(SETTLE_SECONDS):
        while len(answered) < len(messages):  # noqa: ASYNC110 — the feeds tell nobody
            await asyncio.sleep(0.01)
    for feed in feeds:
        feed.transport.close()
    return sent, answered


async def measured(daemon: Installation) -> tuple[list[float], list[float]]:
    """Seconds to the answer, and to the worklist."""
    now, ended = datetime.now(UTC), dict[int, float]()  # noqa: TID251 — a benchmark's own clock
    before = list(history(now))
    await paced(daemon.mllp, before, rate=1000)
    await asyncio.to_thread(daemon.settled, len(before), SETTLE_SECONDS)
    watching = asyncio.create_task(watch(daemon.database, ended))
    messages = list(results(now))
    sent, answered = await paced(daemon.mllp, messages, RATE)
    counts = await asyncio.to_thread(daemon.settled, len(before) + len(messages), SETTLE_SECONDS)
    await asyncio.sleep(10 * LOOK_SECONDS)
    watching.cancel()
    if counts["applied"] != counts["received"]:
        raise SystemExit(f"only {counts['applied']} of {counts['received']} messages were applied: no figure")
    ids = (
        sqlite3.connect(f"file:{daemon.database}?mode=ro", uri=True)
        .execute("SELECT control_id, id FROM inbox")
        .fetchall()
    )
    marks = sorted(ended)
    known = {name: ended[marks[bisect_left(marks, number)]] for name, number in ids if name in sent}
    return [answered[name] - at for name, at in sent.items()], [known[name] - at for name, at in sent.items()]


def told(name: str, seconds: list[float]) -> None:
    found = sorted(seconds)
    middle, late = (found[int(len(found) * part)] * 1000 for part in (0.5, 0.99))
    print(f"{name:<24} median {middle:8.1f} ms   p99 {late:8.1f} ms   slowest {found[-1] * 1000:8.1f} ms")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="latency-") as folder:
        daemon = Installation(Path(folder), "", program=ADAPTER)
        try:
            daemon.start()
            answers, worklist = asyncio.run(measured(daemon))
        finally:
            daemon.end()
    print(f"{RATE} messages/s of 20 OBX for {SECONDS} s, {PATIENTS} patients charted for {HOURS} h")
    told("receipt to answer", answers)
    told("receipt to worklist", worklist)


if __name__ == "__main__":
    main()
