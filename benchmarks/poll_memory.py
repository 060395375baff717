"""Resident memory of `adapter run`, by the kernel, while it polls 1,500 patients' Observations from a FHIR server and screens them.

    python -m benchmarks poll_memory

The server writes each page when it is asked for it: four patients, twenty-five results of each, over a day in all. Flat means: the
first half has taken what it takes, and the second half, of the same patients, takes no more.
"""

import re
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.daemon import Daemon, running
from benchmarks.fhir_pages import OBSERVATIONS, observation, patient
from benchmarks.poll import POLLED, Server, serving
from benchmarks.report import table

PATIENTS, RESULTS = 1500, 25
"""So many of one patient follow each other: what is remembered is full before half of a quick run."""
PAGES, QUICK = 10_000, 1_000
DAY = timedelta(hours=24)
SAMPLES, ROWS = 40, 5
"""Looks at the memory in a run, and which of them are shown: every fifth."""


class Ward(Server):
    """`pages` pages, none of them kept."""

    def __init__(self, pages: int) -> None:
        super().__init__(0)
        self.pages = pages
        self.start = datetime.now(tz=UTC) - DAY  # noqa: TID251 — a benchmark's own clock
        self.bodies["Patient"] = self.page([patient(n) for n in range(PATIENTS)], "")

    def body(self, name: str) -> bytes:
        if name in self.bodies:
            return self.bodies[name]
        number = int(name)
        return self.page(list(self.told(number)), str(number + 1) if number + 1 < self.pages else "")

    def told(self, page: int) -> Iterator[dict[str, Any]]:
        """Each a moment later than the one before, and of a patient what the chart and the laboratory know in turn."""
        for n in range(page * OBSERVATIONS, (page + 1) * OBSERVATIONS):
            at = (self.start + DAY * n / (self.pages * OBSERVATIONS)).isoformat()
            turn, who = n // (RESULTS * PATIENTS), n // RESULTS % PATIENTS
            yield observation(page, turn * RESULTS + n % RESULTS) | {
                "id": f"o{n}",
                "meta": {"versionId": "1", "lastUpdated": at},
                "subject": {"reference": f"Patient/p{who}"},
                "effectiveDateTime": at,
            }


def watched(folder: Path, pages: int) -> list[tuple[int, float]]:
    """(pages applied, MiB) until all are; refuses a run in which something was not stored or not used."""
    with serving(Ward(pages)) as server, running(folder, POLLED.format(base=server.base)) as daemon:
        seen = [(0, daemon.memory())]
        while seen[-1][0] < pages:
            time.sleep(0.1)
            applied = min(pages, max(0, daemon.applied() - 1))  # one is the Patients' own
            if applied >= seen[-1][0] + pages / SAMPLES or applied == pages:
                seen.append((applied, daemon.memory()))
        refuse_less(daemon, pages)
    return seen


def refuse_less(daemon: Daemon, pages: int) -> None:
    """Every one must be stored, and every second at least be a result by which patients are judged."""
    found = re.search(r'adapter_poll_resources_total\{.*search="Observation"\} (\S+)', daemon.get("/metrics"))
    with closing(sqlite3.connect(daemon.folder / "data" / "adapter.db")) as store:
        (results,) = store.execute("SELECT count(*) FROM results").fetchone()
    if found is None or float(found[1]) != pages * OBSERVATIONS or results < pages * OBSERVATIONS / 2:
        raise SystemExit(f"{found and found[1]} Observations stored, {results} of them results: no figure")


def growth(seen: list[tuple[int, float]]) -> float:
    """MiB by which the second half's most lies above what there was at half time."""
    half = seen[-1][0] / 2
    middle = next(memory for pages, memory in seen if pages >= half)
    return max(memory for pages, memory in seen if pages >= half) - middle


def main(*, quick: bool = False) -> str:
    pages = QUICK if quick else PAGES
    with tempfile.TemporaryDirectory() as folder:
        seen = watched(Path(folder), pages)
    shown = [*seen[:-1:ROWS], seen[-1]]
    rows = [[f"{n * OBSERVATIONS:,}", f"{memory:.0f} MiB"] for n, memory in shown]
    note = f"{PATIENTS:,} patients; {growth(seen):+.1f} MiB in the second half."
    return f"{table(['Observations polled, stored and screened', 'resident'], rows)}\n\n{note}"


if __name__ == "__main__":
    print(main(quick=True))
