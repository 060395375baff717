"""One message of 1,000 to 20,000 OBX, end to end: stored, read, mapped, screened, committed. Linear, or not."""

import tempfile
import time
from datetime import timedelta
from pathlib import Path

from adapter.assets import load_rulebook
from adapter.domain.message import RawMessage
from adapter.hl7.compose import segment
from adapter.pipeline.keep import Keeper
from adapter.pipeline.process import Processor
from adapter.store import inbox
from adapter.store.database import Database
from adapter.store.secret import SiteSecret
from benchmarks.pipeline import LABORATORY, START, admission, message, raw, stamp
from benchmarks.report import table


def panels(lines: int) -> RawMessage:
    """A panel of twenty every minute, each value another: nothing in it tells the same twice."""
    found = message(1, 1, START, LABORATORY).body.split(b"\r")[:4]
    for n in range(lines):
        turn, (code, value, unit) = n // len(LABORATORY), LABORATORY[n % len(LABORATORY)]
        at = START - timedelta(minutes=turn)
        obx = ("OBX", str(n + 1), "NM", (code, "", "LN"), str(turn), f"{value}{n % 7}" if "." in value else value, unit)
        found.append(segment(*obx, "", "", "", "", "F", "", "", stamp(at)).encode())
    return raw(b"\r".join([*found, b""]), START)


def seconds(lines: int) -> tuple[float, float]:
    """(wall, processor) of one message."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(f"sqlite:///{folder}/bench.db")
        database.migrate()
        rules = load_rulebook(None, trials=["immunosep-demo"])
        keeper = Keeper(
            database, rules, SiteSecret.load_or_create(Path(folder) / "secret.key"), (), "http://localhost/c/"
        )
        processor = Processor(database, rules, keeper, lambda: START, lambda: None)
        long = panels(lines)
        with database.write() as tx:
            inbox.put_many(tx, [admission(1)])
        processor.step()
        wall, cpu = time.perf_counter(), time.process_time()
        with database.write() as tx:
            inbox.put_many(tx, [long])
        processor.step()
        spent = time.perf_counter() - wall, time.process_time() - cpu
        with database.read() as conn:
            counts = inbox.counts(conn)
        if counts.applied != counts.received:
            raise SystemExit(f"{lines} OBX were not applied: no figure")
        database.close()
        return spent


def main(*, quick: bool = False) -> str:
    seconds(1_000)  # warm
    rows = []
    for lines in (1_000, 5_000) if quick else (1_000, 5_000, 10_000, 20_000):
        wall, cpu = seconds(lines)
        rows.append([f"{lines:,}", f"{wall:.2f} s", f"{cpu:.2f} s", f"{1e6 * cpu / lines:.0f} µs"])
    note = (
        "Panels of twenty, one a minute, on one patient; of ten of the twenty codes some score or criterion makes use."
    )
    return f"{table(['OBX in one message', 'wall', 'processor', 'an OBX'], rows)}\n\n{note}"


if __name__ == "__main__":
    print(main())
