"""Pages of 100 Observations from a FHIR server on this machine: asked for, stored, mapped, scored and judged by the real daemon.

    python -m benchmarks poll

The time runs from the first request for Observations until the last page is applied; the server writes its pages beforehand
and answers from another process. Target: 20 pages a second.
"""

import json
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.daemon import Daemon, running
from benchmarks.fhir_pages import OBSERVATIONS, observation, patient
from benchmarks.report import number, spread, table

PAGES, RUNS, PATIENTS = 200, 3, 10
POLLED = """
[[source]]
kind = "fhir"
name = "ehr"
site = "generic"
base = "{base}"
every = "1 s"
types = ["Patient", "Observation"]
"""


class Server(ThreadingHTTPServer):
    """Tells everything once: patients, then Observations page by page; after that there is nothing new."""

    daemon_threads = True

    def __init__(self, pages: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server_address[1]}/fhir"
        start = datetime.now(tz=UTC) - timedelta(hours=8)  # noqa: TID251 — a benchmark's own clock
        told = [[observation(n, one, start) for one in range(OBSERVATIONS)] for n in range(pages)]
        self.bodies = {"Patient": self.page([patient(n) for n in range(PATIENTS)], "")}
        self.bodies |= {str(n): self.page(found, str(n + 1) if n + 1 < pages else "") for n, found in enumerate(told)}
        self.asked: dict[str, float] = {}

    def page(self, resources: list[dict[str, Any]], following: str) -> bytes:
        entries = [{"resource": one, "search": {"mode": "match"}} for one in resources]
        link = [{"relation": "next", "url": f"{self.base}?page={following}"}] if following else []
        return json.dumps({"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entries}).encode()

    def answer(self, path: str) -> bytes:
        kind, _, following = path.partition("page=")
        name = following or ("Patient" if "/Patient" in kind else "0")
        if not following and name in self.asked:
            return self.page([], "")
        self.asked.setdefault(name, time.perf_counter())
        return self.body(name)

    def body(self, name: str) -> bytes:
        return self.bodies[name]


S = TypeVar("S", bound=Server)


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — the base class's word
        """Silent."""

    def do_GET(self) -> None:
        body = self.server.answer(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(server: S) -> Iterator[S]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def run(folder: Path, pages: int) -> tuple[float, float]:
    """Pages a second: stored, and applied."""
    with serving(Server(pages)) as server, running(folder, POLLED.format(base=server.base)) as daemon:
        while str(pages - 1) not in server.asked:
            time.sleep(0.02)
        while daemon.applied() < pages + 1:
            time.sleep(0.05)
        ended = time.perf_counter()
        refuse_less(daemon, pages)
    began = server.asked["0"]
    return (pages - 1) / (server.asked[str(pages - 1)] - began), pages / (ended - began)


def refuse_less(daemon: Daemon, pages: int) -> None:
    found = re.search(r'adapter_poll_resources_total\{.*search="Observation"\} (\S+)', daemon.get("/metrics"))
    if found is None or float(found[1]) != pages * OBSERVATIONS:
        raise SystemExit("not every Observation was stored: no figure")


def main(*, quick: bool = False) -> str:
    pages, rates = PAGES // (5 if quick else 1), []
    for _ in range(1 if quick else RUNS):
        with tempfile.TemporaryDirectory() as folder:
            rates.append(run(Path(folder), pages))
    what = ("asked for and stored", "stored, mapped, scored and judged: the whole")
    rows = [
        [said, f"{number(statistics.median(found))} ±{spread(list(found))}"]
        for said, found in zip(what, zip(*rates, strict=True), strict=True)
    ]
    note = f"{pages} pages of {OBSERVATIONS} Observations of {PATIENTS} patients; the daemon's own process, 2 cores, median of {len(rates)} runs."
    return f"{table(['', 'pages a second'], rows)}\n\n{note}"


if __name__ == "__main__":
    print(main())
