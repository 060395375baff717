"""A real daemon under a paced feed while it makes its own backup: how long until the answer, with it and without.

    python -m benchmarks backup

A store of 200 MB with 50,000 entries of the audit trail; 100 messages/s on 10 connections (`latency`). The first backup is
due ten seconds after the start. What it took and when is told by the daemon's log.
"""

import asyncio
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from adapter.domain.message import MessageKind, RawMessage
from adapter.store import audit
from adapter.store.database import Database
from benchmarks.latency import CONNECTIONS, RATE, paced, results, told
from tests.installation import Installation, lines

SIZE, BODY, ENTRIES, SECONDS = 200 << 20, 20_000, 50_000, 40


def fill(folder: Path, size: int) -> None:
    """Messages that lie in quarantine, as they came, and a long trail."""
    folder.mkdir(mode=0o700)
    database, now = Database.open(f"sqlite:///{folder}/adapter.db"), datetime(2026, 1, 1, tzinfo=UTC)
    database.migrate()
    for first in range(0, size // BODY, 500):
        run = [
            RawMessage("lab", "generic", MessageKind.HL7V2, b"x" * BODY, now, control_id=str(n), quarantine="NO_MSH")
            for n in range(first, first + 500)
        ]
        database.store(run, wait=True)
    with database.write() as tx:
        for n in range(ENTRIES):
            audit.append(tx, audit.Act("anna", "coordinator", "view", "candidate", str(n)), now)
    database.close()


def main(*, quick: bool = False) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "house"
        folder.mkdir()
        fill(folder / "data", SIZE // 10 if quick else SIZE)
        place = Installation(folder, f'\n[backup]\nto = "{folder}/out"\n')
        try:
            place.start()
            began = datetime.now(UTC), time.perf_counter()  # noqa: TID251 — a benchmark's own clock
            messages = [*results(began[0]), *(later(result) for result in results(began[0]))][: RATE * SECONDS]
            sent, answered = asyncio.run(paced(place.mllp, messages, RATE))
            place.stop()
        finally:
            place.end()
        [made] = [line for line in lines(place.log.read_bytes()) if line["event"] == "backup made"]
    ended = (datetime.fromisoformat(made["timestamp"]) - began[0]).total_seconds() + began[1]
    waited = {name: (at, answered[name] - at) for name, at in sent.items()}
    during = [took for at, took in waited.values() if ended - made["seconds"] <= at <= ended]
    other = [took for at, took in waited.values() if not ended - made["seconds"] <= at <= ended]
    print(
        f"{made['bytes'] >> 20} MiB and {ENTRIES:,} entries: {made['seconds']} s; {RATE} messages/s on {CONNECTIONS} connections"
    )
    told("answered without it", other)
    told("answered beside it", during)


def later(result: tuple[str, bytes]) -> tuple[str, bytes]:
    """The same message of another day, which no duplicate answers."""
    name, body = result
    return f"{name}-b", body.replace(f"|{name}|".encode(), f"|{name}-b|".encode())


if __name__ == "__main__":
    main()
