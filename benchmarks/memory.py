"""Resident memory of `adapter run`, by the kernel: idle, with 2,000 patients, over many messages, under the worst of input.

    python -m benchmarks memory

The real daemon, fed over MLLP. Decisions F9: idle at most 150 MB, with 2,000 patients 300 MB, under any input 512 MB.
"""

import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapter.pipeline.remembered import A_PATIENT, A_RESULT, MOST
from benchmarks import hostile, pipeline
from benchmarks.daemon import Daemon, idle_connections, running, send
from benchmarks.report import table

PATIENTS, MESSAGES, STORED = 2_000, 200_000, 1_000_000
QUICK = 100
"""How many times fewer in a quick run."""
LINES = (*pipeline.CHART, *pipeline.LABORATORY[:8])
SAMPLES = 20
LOOKS, WAITING = 500, 2_000
"""Messages: so often it is looked how many wait, and so many may."""


def messages(patients: int, number: int) -> Iterator[bytes]:
    """Three results each, every patient in turn, spread over the last day."""
    start = datetime.now(UTC) - timedelta(hours=24)  # noqa: TID251 — a benchmark's own clock
    turns = max(1, number // patients)
    for n in range(number):
        patient, turn = n % patients, n // patients
        told = [LINES[(3 * turn + k) % len(LINES)] for k in range(3)]
        yield pipeline.message(patient, turn, start + timedelta(hours=23) * turn / turns, tuple(told)).body


def first(patients: int) -> Iterator[bytes]:
    """An admission and ten results of each."""
    at = datetime.now(UTC) - timedelta(hours=24)  # noqa: TID251 — a benchmark's own clock
    for patient in range(patients):
        yield pipeline.admission(patient).body
        yield pipeline.message(patient, -1, at, LINES[:10]).body


def held_back(daemon: Daemon, bodies: Iterator[bytes]) -> Iterator[bytes]:
    """As fast as they are screened: a long backlog would be told without judging, and take less."""
    for n, body in enumerate(bodies):
        while n % LOOKS == 0 and daemon.waiting() > WAITING:
            time.sleep(0.2)
        yield body


def flat(daemon: Daemon, patients: int, number: int) -> list[tuple[int, float]]:
    """(messages applied, MiB) while so many are sent and screened."""
    before, seen = daemon.applied(), [(0, daemon.memory())]
    bodies = held_back(daemon, messages(patients, number))
    sending = threading.Thread(target=send, args=(daemon.mllp, bodies), daemon=True)
    sending.start()
    while seen[-1][0] < number:
        time.sleep(0.5)
        applied = daemon.applied() - before
        if applied >= seen[-1][0] + number / SAMPLES or applied >= number:
            seen.append((applied, daemon.memory()))
            print(f"  {applied:>9,} messages  {seen[-1][1]:6.0f} MiB", flush=True)
        if not sending.is_alive() and not daemon.waiting() and daemon.applied() - before < number:
            raise SystemExit(f"only {daemon.applied() - before} of {number} messages were applied: no figure")
    return seen


def slope(seen: list[tuple[int, float]]) -> float:
    """MiB for 100,000 messages over the last half, by least squares."""
    last = seen[len(seen) // 2 :]
    return 100_000 * statistics.linear_regression(*zip(*last, strict=True)).slope


def store_many(path: Path, number: int) -> None:
    """Ended messages, straight into the inbox of a daemon that is stopped."""
    told = pipeline.message(1, 1, pipeline.START, LINES[:3]).body
    columns = "id, source, site, kind, sender, control_id, type, peer, received, sha256, acknowledgment, body"
    rows = (
        (
            n,
            "old",
            "generic",
            "hl7v2",
            "LAB|H",
            str(n),
            "ORU^R01",
            "",
            "2026-01-02T08:00:00.000000+00:00",
            n.to_bytes(32),
            b"",
            told,
        )
        for n in range(10_000_000, 10_000_000 + number)
    )
    with sqlite3.connect(path) as store:
        store.executemany(f"INSERT INTO inbox ({columns}) VALUES ({', '.join('?' * 12)})", rows)
        store.execute(
            "INSERT INTO inbox_outcomes (id, state, issues, finished) SELECT id, 'applied', '[]', received FROM inbox WHERE source = 'old'"
        )
    store.close()


def with_patients(folder: Path, patients: int, number: int) -> Iterator[list[str]]:
    with running(folder) as daemon:
        yield row("idle", daemon, 150)
        send(daemon.mllp, first(patients))
        daemon.settle()
        yield row(f"{patients:,} patients with 10 results each", daemon, 300)
        seen = flat(daemon, patients, number)
        told = f"after {number:,} messages more of them"
        if number * 3 * A_RESULT > 4 * (MOST - patients * A_PATIENT):  # before that, what is remembered still fills
            told += f": {slope(seen):+.1f} MiB for 100,000 messages in the last half"
        yield row(told, daemon, 300)
        with idle_connections(daemon.mllp, 90):
            yield row("with 90 idle connections", daemon, 512)
            for name, shape in hostile.SHAPES.items():
                send(daemon.mllp, [shape(f"H{len(name)}")])
                daemon.settle()
                yield row(f"and {name}", daemon, 512)
        send(daemon.mllp, (hostile.document(f"D{n}") for n in range(20)), connections=20)
        daemon.settle()
        yield row("and twenty such documents at once on twenty connections", daemon, 512)


def with_stored(folder: Path, number: int) -> Iterator[list[str]]:
    with running(folder):
        pass
    store_many(folder / "data" / "adapter.db", number)
    with running(folder) as daemon:
        yield row(f"idle, with {number:,} stored messages", daemon, 150)
        send(daemon.mllp, [body for body, _ in zip(messages(10, 100), range(100), strict=True)])
        daemon.settle()
        yield row("and after 100 new ones", daemon, 150)


def row(what: str, daemon: Daemon, most: int) -> list[str]:
    """`most` is in MB of 1,000,000 bytes, as decisions F9 counts."""
    now, peak = (daemon.memory(field) * 1.048576 for field in ("VmRSS", "VmHWM"))
    print(f"  {what}: {now:.0f} MB, peak {peak:.0f} MB", flush=True)
    return [what, f"{now:.0f} MB", f"{peak:.0f} MB", f"{most} MB"]


def main(*, quick: bool = False) -> str:
    if not sys.platform.startswith("linux"):
        return "No figure: resident memory is read from /proc."
    less = QUICK if quick else 1
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        rows = [
            *with_patients(Path(one), max(PATIENTS // less, 20), MESSAGES // less),
            *with_stored(Path(other), STORED // less),
        ]
    return table(["`adapter run`, one line after the other", "resident", "peak so far", "cap"], rows)


if __name__ == "__main__":
    print(main())
