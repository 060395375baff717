"""The worklist of ten thousand candidates: how long the server takes for a page, asked twenty times a second.

    python -m benchmarks worklist

The true daemon's pages on a socket, signed in, every view written to the audit log as always. The client sends at its own pace
whether or not the last answer came (an open loop), and what is measured is from the moment a request was due to its last byte.
"""

import http.client
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

from adapter.store.codec import instant
from adapter.store.schema import candidates, patients
from benchmarks.report import number, table
from tests.builders import T0
from tests.chromium import listening
from tests.web_house import PASSWORD, House, house, mals

ROWS, RATE, SECONDS, WORKERS = 10_000, 20, 30, 24
QUICK_SECONDS = 5
WARDS = ("ED", "ICU 1", "ICU 2", "Ward 4B", "Ward 5A")
PATHS = ("/", "/?page=3", "/?ward=ICU+1", "/?hand=free", "/?news=1", "/?stratum=mals&ward=ED")


def fill(home: House) -> str:
    """Copies of one true candidate under other numbers; gives the id of one."""
    home.tell(*mals())
    with home.database.read() as conn:
        row = dict(conn.execute(candidates.select()).mappings().one())
        whose = dict(conn.execute(patients.select()).mappings().one())
    people = [whose | {"key": whose["key"] + n, "value": str(1000 + n)} for n in range(1, ROWS)]
    with home.database.write() as tx:
        tx.execute(patients.insert(), people)
        tx.execute(candidates.insert(), [row | copy(n, whose["key"] + n, home.clock.now) for n in range(1, ROWS)])
    return str(row["id"])


def copy(n: int, patient: int, began: datetime) -> dict[str, object]:
    """What differs from one to the next."""
    raised = instant(began - timedelta(minutes=n))
    return {
        "id": f"{n:020x}",
        "patient": patient,
        "ward": WARDS[n % len(WARDS)],
        "bed": str(n),
        "family": f"FAMILY{n}",
        "deadline": instant(T0 + timedelta(hours=24, seconds=n * 11)),
        "certainty": ("certain", "possible")[n % 3 == 0],
        "raised": raised,
        "changed": raised,
    }


def signed_in(port: int, name: str = "anna") -> str:
    conn = http.client.HTTPConnection("127.0.0.1", port)
    form = f"name={name}&password={PASSWORD.replace(' ', '+')}&to=%2F"
    conn.request("POST", "/sign-in", form, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = conn.getresponse()
    cookie = answer.getheader("set-cookie", "").partition(";")[0]
    if answer.status != 303 or not cookie:
        raise SystemExit("nobody could sign in: no figure")
    return cookie


class Reader(threading.local):
    """A connection for each thread, kept open as a browser does."""

    conn: http.client.HTTPConnection | None = None


def asked(reader: Reader, port: int, cookie: str, path: str, due: float) -> tuple[float, int]:
    """Seconds since it was due, and bytes."""
    time.sleep(max(0.0, due - time.perf_counter()))
    reader.conn = reader.conn or http.client.HTTPConnection("127.0.0.1", port)
    reader.conn.request("GET", path, headers={"Cookie": cookie})
    answer = reader.conn.getresponse()
    body = answer.read()
    if answer.status != 200 or b"andidate" not in body:
        raise SystemExit(f"{path}: {answer.status}, no figure")
    return time.perf_counter() - due, len(body)


def round_of(port: int, cookies: Sequence[str], paths: Sequence[str], seconds: int) -> tuple[list[float], list[int]]:
    """The signed-in people ask in turns."""
    reader, start = Reader(), time.perf_counter() + 0.2

    def one(n: int) -> tuple[float, int]:
        return asked(reader, port, cookies[n % len(cookies)], paths[n % len(paths)], start + n / RATE)

    with ThreadPoolExecutor(WORKERS) as pool:
        found = pool.map(one, range(RATE * seconds))
        taken, sizes = zip(*found, strict=True)
    return list(taken), list(sizes)


def first_load(port: int, cookie: str) -> int:
    """Bytes of the page, its style sheet and its script, as they come over the wire."""
    conn = http.client.HTTPConnection("127.0.0.1", port)
    conn.request("GET", "/", headers={"Cookie": cookie})
    page = conn.getresponse().read()
    total = len(page)
    for path in re.findall(rb'(?:src|href)="(/static/[^"]+)"', page):
        conn.request("GET", path.decode(), headers={"Cookie": cookie})
        total += len(conn.getresponse().read())
    return total


def main(*, quick: bool = False) -> str:
    seconds = QUICK_SECONDS if quick else SECONDS
    with tempfile.TemporaryDirectory() as folder, house(Path(folder)) as home:
        one = fill(home)
        with listening(home) as base:
            port = int(base.rpartition(":")[2])
            cookie = signed_in(port)
            kinds = {"the list": ("/",), "the list, filtered and in pages": PATHS, "a candidate": (f"/c/{one}",)}
            rows = []
            for name, paths in kinds.items():
                round_of(port, [cookie], paths, 1)
                began = time.process_time()
                taken, sizes = round_of(port, [cookie], paths, seconds)
                spent = number(1000 * (time.process_time() - began) / len(taken))
                cut = statistics.quantiles(taken, n=100)
                shown = [number(1000 * cut[at]) for at in (49, 94, 98)]
                rows.append([name, *shown, number(1000 * max(taken)), spent, number(max(sizes) / 1000)])
            load = first_load(port, cookie)
    heads = ["page", "p50 ms", "p95 ms", "p99 ms", "max ms", "CPU ms", "kB"]
    note = f"{ROWS:,} candidates on the list, {RATE} requests a second for {seconds} s, client and server in one process on this machine."
    return f"{table(heads, rows)}\n\n{note} First load with style sheet and script: {number(load / 1000)} kB, not compressed."


if __name__ == "__main__":
    print(main())
