"""The cost of growth: what a message costs with more patients, and with more observations of each.

    python -m benchmarks growth

The whole pipeline in one process. A hospital is filled through the pipeline itself; then 20-OBX ORUs of patients drawn by lot are
stored and processed one at a time, each timed from its storing to its commit, and as many again in one go. The beds of an
intensive care unit are charted in turn instead: nobody is spoken of again before everybody else was. Draws
docs/pictures/growth.svg.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from adapter.assets import load_rulebook
from adapter.daemon.collector import spare_what_is_known
from adapter.domain.message import RawMessage
from adapter.pipeline.keep import Keeper
from adapter.pipeline.process import Processor
from adapter.store import inbox
from adapter.store.database import Database
from adapter.store.secret import SiteSecret
from benchmarks import pipeline
from benchmarks.plot import Panel, picture
from benchmarks.report import PAGE, number, table

PICTURE = PAGE.parent / "pictures" / "growth.svg"
LINES = (*pipeline.CHART, *pipeline.LABORATORY[:13])
"""Twenty observations of a message, ten of which some score or criterion asks for."""
PATIENTS, EACH = (100, 1_000, 10_000), 40
OBSERVATIONS, OF = (20, 100, 500, 1_000, 2_000), 20
"""Up to 10,000 patients of 40 observations; up to 2,000 observations of 20 patients each, a message an hour."""
BEDS, CHARTED = 50, (2_400, 4_800)
"""An intensive care unit after five days and after ten, by the hour: of 20 observations 17 are results."""


@dataclass(frozen=True)
class Cost:
    """Milliseconds of a message alone, messages a second in one go, and milliseconds of the processor for each of these."""

    median: float
    p99: float
    rate: float
    processor: float


@dataclass(frozen=True)
class House:
    database: Database
    processor: Processor

    def take(self, messages: list[RawMessage]) -> float:
        """Seconds until all are committed."""
        return len(messages) / pipeline.drain(self.database, self.processor, messages)


@contextmanager
def house() -> Iterator[House]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database.open(f"sqlite:///{folder}/bench.db")
        database.migrate()
        rules = load_rulebook(None, trials=["immunosep-demo"])
        secret = SiteSecret.load_or_create(Path(folder) / "secret.key")
        keeper = Keeper(database, rules, secret, (), "http://localhost/c/")
        yield House(
            database, Processor(database, rules, keeper, lambda: pipeline.START + timedelta(hours=1), lambda: None)
        )
        database.close()


def at(hour: int) -> datetime:
    return pipeline.START - timedelta(hours=hour)


def cost(patients: int, each: int, messages: int, *, in_turn: bool = False) -> Cost:
    """Of a hospital of so many patients with so many observations each."""
    hours = each // len(LINES)
    lot = random.Random(1)
    whom = [n % patients if in_turn else lot.randrange(patients) for n in range(2 * messages)]
    with house() as home:
        for first in range(0, patients, 500):
            some = range(first, min(first + 500, patients))
            home.take([pipeline.admission(patient) for patient in some])
            home.take([pipeline.message(p, hour, at(hour), LINES) for hour in range(hours, 0, -1) for p in some])
        fresh = [
            pipeline.message(patient, 10_000 + n, pipeline.START + timedelta(seconds=n), LINES)
            for n, patient in enumerate(whom)
        ]
        alone = sorted(home.take([one]) * 1000 for one in fresh[:messages])
        before = time.process_time()
        spent = home.take(fresh[messages:])
        processor = time.process_time() - before
        with home.database.read() as conn:
            counts = inbox.counts(conn)
        if counts.applied != counts.received:
            raise SystemExit(f"only {counts.applied} of {counts.received} messages were applied: no figure")
    return Cost(statistics.median(alone), alone[int(len(alone) * 0.99)], messages / spent, 1000 * processor / messages)


def main(*, quick: bool = False) -> str:
    spare_what_is_known()
    messages = 100 if quick else 400
    cost(10, 20, 50)  # warm
    wide = {n: cost(n, EACH, messages) for n in (PATIENTS[:2] if quick else PATIENTS)}
    deep = {n: cost(OF, n, messages) for n in (OBSERVATIONS[:3] if quick else OBSERVATIONS)}
    unit = {n: cost(BEDS, n, messages, in_turn=True) for n in (() if quick else CHARTED)}
    PICTURE.write_text(picture([panel("active patients", wide), panel("observations of each patient", deep)]))
    heads = ["active patients", "observations of each", "median", "p99", "messages a second", "processor"]
    rows = [[f"{n:,}", f"{EACH:,}", *cells(one)] for n, one in wide.items()]
    rows += [[f"{OF:,}", f"{n:,}", *cells(one)] for n, one in deep.items()]
    rows += [[f"{BEDS} beds in turn", f"{n:,}", *cells(one)] for n, one in unit.items()]
    note = f"One 20-OBX ORU of a patient drawn by lot, or of the next bed, from its storing to its commit; {messages} of them."
    return f"{table(heads, rows)}\n\n{note}"


def cells(found: Cost) -> list[str]:
    return [
        f"{number(found.median)} ms",
        f"{number(found.p99)} ms",
        number(found.rate),
        f"{number(found.processor)} ms",
    ]


def panel(what: str, found: dict[int, Cost]) -> Panel:
    series = {
        "p99": [(float(n), one.p99) for n, one in found.items()],
        "median": [(float(n), one.median) for n, one in found.items()],
        "in one go": [(float(n), 1000 / one.rate) for n, one in found.items()],
    }
    return Panel(f"a message, by {what}", what, "ms", series)


if __name__ == "__main__":
    print(main())
