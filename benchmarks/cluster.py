"""Messages screened a second by one daemon and by several on one PostgreSQL, from the wire to the ended message.

    python -m benchmarks.cluster [messages]

The server and every daemon are real processes of this machine; their ratio says something only where cores are free.
"""

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from adapter.daemon.clock import utc_now
from tests import stores
from tests.builders import dtm, obx, oru
from tests.installation import Installation, tell, until
from tests.postgres import Cluster, cluster

SENDERS = 8
AT_ONCE = 20
SHAPES = {
    "1 process": ("receive,process,deliver,web",),
    "2 receivers + 2 processors": ("receive,web", "receive", "process,deliver", "process"),
}


@contextlib.contextmanager
def daemons(folder: Path, roles: tuple[str, ...]) -> Iterator[list[Installation]]:
    with contextlib.ExitStack() as stack:
        made: list[Installation] = []
        for number, role in enumerate(roles):
            store = made[0].folder / "data" if made else None
            one = Installation(folder / str(number), "", store=store, ADAPTER_ADAPTER__ROLES=role)
            stack.callback(one.end)
            if made:
                (one.folder / "data").mkdir(mode=0o700)
                shutil.copy(made[0].folder / "data" / "site.key", one.folder / "data" / "site.key")
                one.launch()
            else:
                one.start()
            made.append(one)
        until(lambda: all(b'"event": "started"' in one.log.read_bytes() for one in made), 120)
        yield made


def report(number: int) -> bytes:
    control = f"B{number}"
    lines = [obx(code, value, unit, sub=str(n)) for n, (code, value, unit) in enumerate(PANEL, 1)]
    sent = dtm(utc_now())
    return oru(*lines, patient=str(1000 + number % 400), at=sent, sent=sent, order=control, control=control)


PANEL = (
    ("777-3", "140", "10*3/uL"), ("1975-2", "1.2", "mg/dL"), ("2160-0", "1.9", "mg/dL"), ("8478-0", "68", "mm[Hg]"),
    ("9269-2", "15", "{score}"), ("2276-4", "900", "ng/mL"),
)  # fmt: skip


def measured(folder: Path, roles: tuple[str, ...], messages: int) -> tuple[float, float]:
    """Messages a second acknowledged, and ended."""
    folder.mkdir()
    with daemons(folder, roles) as made:
        receivers = [one for one, role in zip(made, roles, strict=True) if "receive" in role]
        bodies = [report(number) for number in range(messages)]

        def send(number: int) -> None:
            mine = bodies[number::SENDERS]
            port = receivers[number % len(receivers)].mllp
            for first in range(0, len(mine), AT_ONCE):
                tell(port, *mine[first : first + AT_ONCE])

        threads = [threading.Thread(target=send, args=(number,)) for number in range(SENDERS)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stored = time.monotonic() - began
        made[0].settled(messages, 600)
        return messages / stored, messages / (time.monotonic() - began)


def main(messages: int = 4000) -> None:
    found: dict[str, float] = {}
    with cluster() as server, tempfile.TemporaryDirectory() as folder:
        for number, (name, roles) in enumerate(SHAPES.items()):
            found[name] = shown(server, Path(folder) / str(number), name, roles, messages)
    one, several = found.values()
    print(
        f"ratio {several / one:.2f} on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} (a shared machine halves it)"
    )


def shown(server: Cluster, folder: Path, name: str, roles: tuple[str, ...], messages: int) -> float:
    with stores.using(server):
        acknowledged, ended = measured(folder, roles, messages)
    print(f"{name:<28} {acknowledged:8.0f} acknowledged/s {ended:8.0f} screened/s", flush=True)
    return ended


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
