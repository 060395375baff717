"""Messages a second from files in a drop folder: read alone, read and stored, stored again, and the memory a long file takes.

    python -m benchmarks dropped

Nobody screens here: beside the daemon a file gives way to screening (docs/folder.md).
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from adapter.daemon.clock import utc_now
from adapter.daemon.spool import spool
from adapter.fhir.gather import Gathering
from adapter.hl7.mllp import encode
from adapter.pipeline.receive import StoreInbox
from adapter.sources import folder
from adapter.sources.envelope import Door
from adapter.sources.files import parts_in
from adapter.sources.folder import Desk, Folder, FolderReader
from adapter.sources.folder_tally import FolderMetrics, Tally
from adapter.store.database import Database
from adapter.telemetry import Metrics
from benchmarks.report import number, table

STORED, QUICK = 50_000, 10_000
LONG, SHORT = 1024, 64
"""MiB of the file whose memory is looked at."""
LINES = 20
KIB = 1024


def hl7(control: int) -> bytes:
    head = f"MSH|^~\\&|LAB|HOSP|ADAPTER|TRIAL|20260102031000||ORU^R01|C{control}|P|2.5.1\rPID|1||{control % 1000}^^^HOSP^MR\r"
    results = "".join(f"OBX|{n}|NM|777-3^^LN||{90 + n}|10*3/uL|||||F\r" for n in range(LINES))
    return f"{head}OBR|1||F{control}|PANEL^Panel^L|||20260102030000\r{results}".encode()


def line(count: int) -> bytes:
    told = {"resourceType": "Observation", "id": f"o{count}", "subject": {"reference": f"Patient/p{count % 5000}"}}
    return json.dumps(told | {"note": [{"text": "x" * 900}]}).encode() + b"\n"


SHAPES: dict[str, Callable[[int], bytes]] = {"plain": hl7, "framed": lambda n: encode(hl7(n)), "NDJSON": line}


def write(path: Path, one: Callable[[int], bytes], enough: Callable[[int, int], bool]) -> None:
    count = size = 0
    with path.open("wb") as file:
        while not enough(count, size):
            size += file.write(one(count))
            count += 1


def alone(shape: str, mib: int) -> None:
    """In a process of its own, whose memory is then known: messages, seconds, MiB before and at most."""
    with tempfile.TemporaryDirectory() as name, spool(Path(name)) as shelf:
        path = Path(name) / "file"
        write(path, SHAPES[shape], lambda _, size: size >= mib * KIB * KIB)
        before, began = peak(), time.perf_counter()
        gathered = Gathering(shelf)
        with path.open("rb") as file:
            count = sum(1 for _ in parts_in(file, gathered)) + sum(1 for _ in gathered.bodies())
        print(json.dumps([count, time.perf_counter() - began, before, peak()]))


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB


def stored(place: Path, number_of: int) -> Iterator[float]:
    """Seconds for a file of so many messages, and for the same file again."""
    drop = place / "drop"
    drop.mkdir()
    database, metrics = Database.open(f"sqlite:///{place / 'adapter.db'}"), Metrics()
    database.migrate()
    box = StoreInbox(database)
    door = Door("files", "generic", utc_now, str)
    tally = Tally("files", FolderMetrics(metrics.registry), metrics)
    reader = FolderReader(Folder(drop, 1, "*", deletes=True), door, Desk(database, partial(spool, place)), tally)
    for _ in range(2):
        write(drop / "file", hl7, lambda count, _: count >= number_of)
        reader.round(box)
        began = time.perf_counter()
        reader.round(box)
        yield time.perf_counter() - began
        reader.round(box)  # it goes a look after it was read
        assert not (drop / "file").exists()
    box.close()
    database.close()


def main(*, quick: bool = False) -> str:
    rows = []
    mib = SHORT if quick else LONG
    for shape in SHAPES:
        words = [sys.executable, "-c", f"from benchmarks.dropped import alone; alone({shape!r}, {mib})"]
        count, seconds, before, most = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
        told = (
            number(count / seconds),
            number(mib / seconds),
            f"{most:.0f} MiB, of which {most - before:.0f} by reading",
        )
        rows.append((f"{shape}, {mib} MiB, read alone", *told))
    folder.store.more_wait_than = lambda _conn, _number: False  # nobody screens, so nothing is waited for
    many = QUICK if quick else STORED
    with tempfile.TemporaryDirectory() as name:
        for words, seconds in zip(("read and stored", "the same file again"), stored(Path(name), many), strict=True):
            rows.append((f"plain, {many:,} messages, {words}", number(many / seconds), "", ""))
    return table(("file", "messages/s", "MiB/s", "memory at most"), rows)
