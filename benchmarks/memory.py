"""Resident memory of the core with its store: idle, and after 2,000 patients with ten results each."""

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from adapter.assets import load_rulebook
from adapter.pipeline.keep import Keeper
from adapter.pipeline.process import Processor
from adapter.store import inbox
from adapter.store.database import Database
from adapter.store.secret import SiteSecret
from benchmarks import pipeline

PATIENTS, RESULTS = 2000, 10
MIB = 1024 * 1024


def resident() -> float:
    """MiB of this process, by Linux; elsewhere there is no figure."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / MIB


def main() -> None:
    if not sys.platform.startswith("linux"):
        print("no figure: resident memory is read from /proc")
        return
    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(f"sqlite:///{folder}/bench.db")
        database.migrate()
        rules = load_rulebook(None, trials=["immunosep-demo"])
        keeper = Keeper(
            database, rules, SiteSecret.load_or_create(Path(folder) / "secret.key"), (), "http://localhost/c/"
        )
        processor = Processor(database, rules, keeper, lambda: pipeline.START + timedelta(minutes=30), lambda: None)
        idle = resident()
        told = (*pipeline.CHART[:6], *pipeline.LABORATORY[: RESULTS - 6])
        messages = [pipeline.admission(patient) for patient in range(PATIENTS)]
        messages += [pipeline.message(patient, 1, pipeline.START, told) for patient in range(PATIENTS)]
        pipeline.drain(database, processor, messages)
        with database.read() as conn:
            counts = inbox.counts(conn)
        if counts.applied != len(messages):
            raise SystemExit(f"only {counts.applied} of {len(messages)} messages were applied: no figure")
        full = resident()
        database.close()
    each = (full - idle) * 1024 / PATIENTS
    print(f"resident, idle: {idle:,.0f} MiB")
    print(f"resident, {PATIENTS:,} patients with {RESULTS} results each: {full:,.0f} MiB ({each:.1f} KiB a patient)")


if __name__ == "__main__":
    main()
