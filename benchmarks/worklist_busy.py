"""The pages of ten thousand candidates while messages come: twenty requests a second beside a hundred messages a second.

    python -m benchmarks worklist_busy

The true daemon as a process of its own: receiving, screening, serving; then as two on one PostgreSQL, one of which serves
the pages. Forty coordinators are signed in and ask in turns, each view written to the audit log; messages of 20 OBX come on
ten connections for a thousand patients, some of whom come onto the list or change there meanwhile. Both are open loops: what
is late is not waited for, and a page counts from the moment it was due to its last byte.
"""

import asyncio
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapter.daemon.rules import SECRET
from adapter.daemon.site_key import site_key
from adapter.store import accounts
from adapter.store.candidate_rows import history_row
from adapter.store.codec import instant
from adapter.store.database import Database
from adapter.store.locks import advance
from adapter.store.schema import candidate_history, candidates, patients
from benchmarks import latency, pipeline
from benchmarks.daemon import Daemon, running
from benchmarks.report import number, table
from benchmarks.worklist import PATHS, RATE, ROWS, Reader, asked, copy, round_of, signed_in
from tests import stores
from tests.postgres import cluster
from tests.web_house import hashed, house, mals

MESSAGES_A_SECOND, SECONDS, QUICK_SECONDS = latency.RATE, 15, 6
BEDS = 1000
"""Patients who get results."""
PEOPLE = 40
SIGN_IN = 'second_step = "offered"\n'
BEFORE = 10_000
"""Keys of patients that messages make come after those that are put in."""


def main(*, quick: bool = False) -> str:
    seconds = QUICK_SECONDS if quick else SECONDS
    rows = []
    for place, filled in PLACES.items():
        with tempfile.TemporaryDirectory(prefix="busy-") as name, filled(Path(name)) as (daemon, one):
            now = datetime.now(UTC)  # noqa: TID251 — a benchmark's own clock
            asyncio.run(charted(daemon, now))
            cookies = [signed_in(daemon.web, person(n)) for n in range(PEOPLE)]
            kinds = {"the list": ("/",), "the list, filtered and in pages": PATHS, "a candidate": (f"/c/{one}",)}
            kinds["the log and the figures"] = ("/log", "/figures")
            rows += [
                [place, *measured(daemon, cookies, kind, (seconds, turn))] for turn, kind in enumerate(kinds.items())
            ]
    heads = ["daemon", "page", "p50 ms", "p95 ms", "p99 ms", "max ms", "messages", "answered p99 ms", "screened"]
    note = (
        f"{ROWS:,} candidates, {RATE} requests a second of {PEOPLE} people beside {MESSAGES_A_SECOND} messages a second of {BEDS:,} patients "
        f"for {seconds} s each; the senders and readers are another process on the same cores, and so is PostgreSQL."
    )
    return f"{table(heads, rows)}\n\n{note}"


def person(n: int) -> str:
    return f"coordinator-{n}"


@contextmanager
def together(folder: Path) -> Iterator[tuple[Daemon, str]]:
    """One daemon over a store of so many; and the id of one of them, whom the store knows whole."""
    one = crowd(made(folder), folder)
    with running(folder, SIGN_IN) as daemon:
        yield daemon, one


@contextmanager
def apart(folder: Path) -> Iterator[tuple[Daemon, str]]:
    """The pages in a process of their own, beside one that receives and screens, on one PostgreSQL."""
    with cluster() as server, stores.using(server):
        one = crowd(made(folder), folder)
        more = f"{SIGN_IN}{stores.settings(folder / 'data')}"
        with running(folder, more, "web") as front:
            back = folder / "back"
            (back / "data").mkdir(mode=0o700, parents=True)
            shutil.copy(folder / "data" / SECRET, back / "data" / SECRET)
            with running(back, more, "receive,process,deliver") as behind:
                front.mllp = behind.mllp
                yield front, one


PLACES = {"one, SQLite": together, "pages apart, PostgreSQL": apart}


def made(folder: Path) -> Database:
    """With a key of its own: a daemon serves no store that was made with another, or with none."""
    (folder / "data").mkdir(mode=0o700)
    database = stores.opened(folder / "data")
    site_key(database, folder / "data" / SECRET)
    return database


def crowd(database: Database, folder: Path) -> str:
    """Copies of one true candidate under other numbers, as if flagged in the last hours; and people who look at them."""
    (folder / "house").mkdir()
    with house(folder / "house") as home:
        home.tell(*mals())
        with home.database.read() as conn:
            row = dict(conn.execute(candidates.select()).mappings().one())
            whose = dict(conn.execute(patients.select()).mappings().one())
            told = [dict(line) for line in conn.execute(candidate_history.select()).mappings()]
    assert any(history_row(line).kind == "raised" for line in told)
    now = datetime.now(UTC)  # noqa: TID251 — a benchmark's own clock
    keys = range(1, ROWS + 1)
    many = [row | copy(n, n, now) | alive(n, now) for n in keys]
    with database.write() as tx:
        tx.execute(patients.insert(), [whose | {"key": n, "value": str(BEFORE * 100 + n)} for n in keys])
        tx.execute(candidates.insert(), many)
        lines = [line | {"id": len(told) * n + k, "candidate": many[n - 1]["id"], "at": many[n - 1]["raised"]}
                 for n in keys for k, line in enumerate(told)]  # fmt: skip
        tx.execute(candidate_history.insert(), lines)
        for n in range(PEOPLE):
            accounts.add_user(tx, accounts.User(person(n), "coordinator", hashed(), now))
        advance(tx, patients.c.key, candidate_history.c.id)
    database.close()
    return str(many[0]["id"])


def alive(n: int, now: datetime) -> dict[str, object]:
    """Time enough left; nobody looks at them again meanwhile."""
    return {"deadline": instant(now + timedelta(hours=24, seconds=n * 11)), "review_at": None}


async def charted(daemon: Daemon, now: datetime) -> None:
    """Everybody who gets results: admitted, with a round of the nurse and a panel of the laboratory."""
    before = [(f"A{n}", pipeline.admission(n, now - timedelta(hours=24)).body) for n in range(BEDS)]
    for hours, lines in ((5, pipeline.CHART), (4, pipeline.LABORATORY)):
        at = now - timedelta(hours=hours)
        before += [(f"{n}-{hours}", pipeline.message(n, hours, at, lines).body) for n in range(BEDS)]
    await latency.paced(daemon.mllp, before, rate=200)
    await asyncio.to_thread(daemon.settle)


def fed(now: datetime, turn: int, seconds: int) -> list[tuple[str, bytes]]:
    """Results for every patient in turn."""
    found = []
    for n in range(MESSAGES_A_SECOND * seconds):
        of, mark, at = n % BEDS, (turn + 1) * 100_000 + n, now + timedelta(seconds=n / MESSAGES_A_SECOND)
        found.append((f"{of}-{mark}", pipeline.message(of, mark, at, pipeline.LABORATORY).body))
    return found


def measured(daemon: Daemon, cookies: list[str], kind: tuple[str, tuple[str, ...]], how: tuple[int, int]) -> list[str]:
    (name, paths), (seconds, turn) = kind, how
    messages, before = fed(datetime.now(UTC), turn, seconds + 1), daemon.applied()  # noqa: TID251
    feed: dict[str, dict[str, float]] = {}

    def sending() -> None:
        feed["sent"], feed["answered"] = asyncio.run(latency.paced(daemon.mllp, messages, MESSAGES_A_SECOND))

    for path in paths:
        asked(Reader(), daemon.web, cookies[0], path, time.perf_counter())
    sender = threading.Thread(target=sending, daemon=True)
    sender.start()
    time.sleep(1)
    taken, _ = round_of(daemon.web, cookies, paths, seconds)
    screened = daemon.applied() - before
    sender.join()
    daemon.settle()
    if daemon.applied() - before != len(messages):
        raise SystemExit(f"{daemon.applied() - before} of {len(messages)} messages were applied: no figure")
    cut = statistics.quantiles(taken, n=100)
    answers = sorted(feed["answered"][control] - at for control, at in feed["sent"].items())
    shown = [number(1000 * cut[at]) for at in (49, 94, 98)]
    late = number(1000 * answers[int(len(answers) * 0.99)])
    return [name, *shown, number(1000 * max(taken)), f"{len(messages):,}", late, f"{screened:,} by then"]


if __name__ == "__main__":
    print(main())
