"""From the deciding message to the worklist, to a mail server and to a web server, while other messages come (reliability P7).

    python -m benchmarks alerts

The true daemon with a rota, real servers of mail and web on this machine. Ten messages a second, then a hundred for ten
minutes, each of 20 OBX of one of ten thousand patients in turn, who are more than are remembered; meanwhile every second a
new patient gets the results that make a candidate.
"""

import asyncio
import base64
import json
import re
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from adapter.standins.mailbox import Mailbox, catcher
from benchmarks import latency, pipeline
from benchmarks.daemon import Daemon, running
from benchmarks.report import number, table
from tests.builders import obx
from tests.ports import free_port
from tests.web_house import arrival, organs, results

RUNS, QUICK = ((10, 60), (100, 600)), ((100, 20),)
"""Messages a second, for so many seconds."""
PATIENTS, FEW = 10_000, 500
"""Where a hundred messages a second come from: a panel of each every hundred seconds. Of a quick run fewer are admitted before."""
LOOK_SECONDS = 0.02
ENOUGH_SECONDS = 120
LINK = re.compile(r"/c/([0-9a-f]{20})")
TOML = """
[[notifier]]
kind = "email"
name = "mail"
host = "127.0.0.1"
port = {mail}
sender = "adapter@example.org"
to = ["team@example.org"]
encryption = "none"

[[notifier]]
kind = "webhook"
name = "hook"
url = "http://127.0.0.1:{hook}/"
secret = "file:{secret}"
allow_private = true

[alerts]
timezone = "UTC"
storm_messages = 1000000

[[alerts.person]]
name = "anna"
channels = ["mail"]
mail = "anna@example.org"

[[alerts.rota]]
who = ["anna"]
"""
Told = dict[str, list[float]]
"""By candidate: when it was heard of."""


class Box(Mailbox):
    """When a mail was taken, and of whom."""

    def __init__(self) -> None:
        super().__init__()
        self.told: Told = {}

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 — aiosmtpd's name
        now, reply = time.perf_counter(), await super().handle_DATA(server, session, envelope)
        for candidate in set(LINK.findall(str(self.mails[-1].get_content()))):
            self.told.setdefault(candidate, []).append(now)
        return reply


@contextmanager
def web(told: Told) -> Iterator[int]:
    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if "candidate" in body:
                told.setdefault(body["candidate"], []).append(time.perf_counter())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_words: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def deciding(run: int, n: int, now: datetime) -> tuple[str, bytes, bytes]:
    """The hospital number, the admission, and the results that make a candidate."""
    who, name = f"D{run}x{n}", f"BENCH^{n}"
    lab = (*organs(), obx("2276-4", "5200", "ng/mL", sub="8"))
    came = arrival(who, name, at=now - timedelta(hours=2))
    return who, came, results(who, *lab, name=name, at=now - timedelta(hours=1))


async def watched(database: Path, shown: dict[str, float]) -> None:
    """When each hospital number was first seen among those people were told of."""
    reader = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    wanted = "SELECT value FROM candidates JOIN patients ON key = patient WHERE raised IS NOT NULL AND value LIKE 'D%'"
    while True:
        for (who,) in reader.execute(wanted).fetchall():
            shown.setdefault(who, time.perf_counter())
        await asyncio.sleep(LOOK_SECONDS)


def hospital(patients: int) -> Iterator[tuple[str, bytes]]:
    """An admission and a first panel of each."""
    now = datetime.now(UTC)  # noqa: TID251 — a benchmark's own clock
    for n in range(patients):
        yield f"admission {n}", pipeline.admission(n, now - timedelta(hours=3)).body
        yield f"first {n}", pipeline.message(n, 0, now - timedelta(hours=2), pipeline.LABORATORY).body


def feed(run: int, rate: int, seconds: int, patients: int) -> tuple[list[tuple[str, bytes]], list[tuple[str, bytes]]]:
    """What comes before, and what comes in order: every second one of the messages decides."""
    now = datetime.now(UTC)  # noqa: TID251 — a benchmark's own clock
    before, among = [], []
    for n in range(rate * seconds):
        if n % rate == 0:
            who, came, told = deciding(run, n // rate, now)
            before.append((f"before {who}", came))
            among.append((who, told))
        else:
            of, mark = n % patients, (run + 1) * 1_000_000 + n
            at = now + timedelta(seconds=n / rate - 60)
            among.append((f"{of}-{mark}", pipeline.message(of, mark, at, pipeline.LABORATORY).body))
    return before, among


async def measured(
    daemon: Daemon, database: Path, told: tuple[Told, Told], how: tuple[int, int, int, int]
) -> list[list[float]]:
    """Seconds to the worklist, the mail server and the web server, of every candidate."""
    run, rate, _, _ = how
    before, among = feed(*how)
    await latency.paced(daemon.mllp, before, rate=200)
    await asyncio.to_thread(daemon.settle)
    shown: dict[str, float] = {}
    watching = asyncio.create_task(watched(database, shown))
    sent, _ = await latency.paced(daemon.mllp, among, rate)
    wanted = {name: at for name, at in sent.items() if name.startswith(f"D{run}x")}
    deadline = time.monotonic() + ENOUGH_SECONDS
    while time.monotonic() < deadline:
        ids = names(database)
        if all(ids.get(who) in one for who in wanted for one in told):
            break
        await asyncio.sleep(0.5)
    watching.cancel()
    missing = [who for who in wanted if who not in shown or any(ids.get(who) not in one for one in told)]
    doubled = [who for who in wanted if any(len(one.get(ids.get(who, ""), ())) > 1 for one in told)]
    if missing or doubled:
        raise SystemExit(f"{len(missing)} candidates nobody heard of, {len(doubled)} heard of twice: no figure")
    found = [[shown[who] - at for who, at in wanted.items()]]
    return found + [[one[ids[who]][0] - at for who, at in wanted.items()] for one in told]


def names(database: Path) -> dict[str, str]:
    """The worklist id of each hospital number."""
    reader = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    return dict(reader.execute("SELECT value, id FROM candidates JOIN patients ON key = patient").fetchall())


def main(*, quick: bool = False) -> str:
    rows, hooked, box = [], {}, Box()
    with tempfile.TemporaryDirectory(prefix="alerts-") as name, web(hooked) as hook:
        folder, port = Path(name), free_port()
        (folder / "secret").write_text(f"whsec_{base64.b64encode(b'0' * 32).decode()}")
        (folder / "secret").chmod(0o600)
        mails = catcher(box, port)
        mails.start()
        try:
            with running(folder, TOML.format(mail=port, hook=hook, secret=folder / "secret")) as daemon:
                patients = FEW if quick else PATIENTS
                asyncio.run(latency.paced(daemon.mllp, list(hospital(patients)), rate=200))
                daemon.settle()
                for run, (rate, seconds) in enumerate(QUICK if quick else RUNS):
                    told, how = (box.told, hooked), (run, rate, seconds, patients)
                    found = asyncio.run(measured(daemon, folder / "data" / "adapter.db", told, how))
                    rows += [line(rate, seconds, *one) for one in zip(PLACES, found, strict=True)]
        finally:
            mails.stop()
    note = "Of every candidate, from the moment its deciding message left; each heard of once by mail and once by web."
    heads = ["messages a second", "candidates", "from the message to", "p50 s", "p99 s", "max s"]
    return f"{table(heads, rows)}\n\n{note}"


PLACES = ("the worklist", "the mail server", "the web server")


def line(rate: int, seconds: int, place: str, found: list[float]) -> list[str]:
    cut = statistics.quantiles(found, n=100, method="inclusive")
    return [f"{rate} for {seconds} s", str(len(found)), place, *(number(one) for one in (cut[49], cut[98], max(found)))]


if __name__ == "__main__":
    print(main())
