"""Bundles a second to an EDC that does nothing: from the outbox over HTTP, its answer read, and settled in the store.

    python -m benchmarks push

The EDC is another process that answers each transaction at once. Target: 50 bundles a second.
"""

import asyncio
import io
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from adapter.fhir.bundle import bundle_text, candidate_bundle
from adapter.pipeline.deliver import deliver_next
from adapter.pipeline.outgoing import Owed
from adapter.sinks.edc_fhir import Edc, EdcFhir
from adapter.store import outbox
from adapter.store.database import Database
from adapter.telemetry import configure_log
from benchmarks.report import number, spread, table
from tests.assessments import CONTEXT, assessment

BUNDLES, RUNS = 500, 3
NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Nothing(BaseHTTPRequestHandler):
    """Says that everything was made."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — the base class's word
        """Silent."""

    def do_GET(self) -> None:
        self.answer({"resourceType": "CapabilityStatement"})

    def do_POST(self) -> None:
        entries = self.rfile.read(int(self.headers["Content-Length"])).count(b'"fullUrl"')
        made = {"status": "201 Created", "location": "ResearchSubject/1/_history/1", "etag": 'W/"1"'}
        self.answer({"resourceType": "Bundle", "type": "transaction-response", "entry": [{"response": made}] * entries})

    def answer(self, said: dict[str, Any]) -> None:
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(told: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Nothing)
    told.send(server.server_address[1])
    server.serve_forever()


@contextmanager
def serving() -> Iterator[str]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()


def run(folder: Path, bundles: int) -> tuple[float, int]:
    """Bundles a second, and bytes of one."""
    database = Database.open(f"sqlite:///{folder}/bench.db")
    database.migrate()
    payload = ""
    with database.write() as tx:
        for one in range(bundles):
            payload = bundle_text(candidate_bundle(assessment(), screening_id=f"S{one}", context=CONTEXT))
            outbox.add(tx, Owed("edc", f"S{one}", "bundle", payload, str(one)), NOW)
    with serving() as base:
        edc = {"edc": EdcFhir(Edc(base), lambda: NOW)}
        began = time.perf_counter()
        while asyncio.run(deliver_next(database, edc, lambda: NOW)):
            pass
        seconds = time.perf_counter() - began
    with database.read() as conn:
        if outbox.counts(conn)["edc"].delivered != bundles:
            raise SystemExit("not every bundle was delivered: no figure")
    database.close()
    return bundles / seconds, len(payload)


def main(*, quick: bool = False) -> str:
    configure_log(io.StringIO())
    bundles, found = BUNDLES // (5 if quick else 1), []
    for _ in range(1 if quick else RUNS):
        with tempfile.TemporaryDirectory() as folder:
            found.append(run(Path(folder), bundles))
    rates = [rate for rate, _ in found]
    row = [
        "one after the other, each settled in a commit of its own",
        f"{number(statistics.median(rates))} ±{spread(rates)}",
    ]
    note = f"{bundles} bundles of {found[0][1]:,} bytes; median of {len(found)} runs."
    return f"{table(['', 'bundles a second'], [row])}\n\n{note}"


if __name__ == "__main__":
    print(main())
