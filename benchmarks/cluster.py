"""Messages screened a second by one daemon and by several on one PostgreSQL, from the wire to the ended message.

    python -m benchmarks.cluster [messages]

The server and every daemon are real processes. Wall-clock figures say something only on a machine with free cores; where
others use it too, the CPU each process needed says what it could do: a shape is as fast as its busiest process lets it be,
or as all of them together on these cores.
"""

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapter.daemon.clock import utc_now
from tests import stores
from tests.builders import dtm, obx, oru
from tests.installation import ADAPTER, Installation, tell, until
from tests.postgres import Cluster, children, cluster

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
            one = Installation(folder / str(number), "", program=ADAPTER, store=store, ADAPTER_ADAPTER__ROLES=role)
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


@dataclass(frozen=True, slots=True)
class Figures:
    """Messages a second acknowledged, and ended; CPU seconds of the busiest daemon, and of all with the server."""

    acknowledged: float
    screened: float
    busiest: float
    everybody: float

    def possible(self, messages: int) -> float:
        """Messages a second, were the cores free."""
        return min(messages / self.busiest, messages * (os.cpu_count() or 1) / self.everybody)


def cpu(pid: int) -> float:
    """Seconds, with those of children that have ended."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK")


def server_cpu(server: Cluster) -> float:
    assert server.process is not None
    return sum(map(cpu, (server.process.pid, *children(server.process.pid))))


def measured(server: Cluster, folder: Path, roles: tuple[str, ...], messages: int) -> Figures:
    folder.mkdir()
    with daemons(folder, roles) as made:
        receivers = [one for one, role in zip(made, roles, strict=True) if "receive" in role]
        bodies = [report(number) for number in range(messages)]
        pids = [one.process.pid for one in made if one.process]
        before = [*map(cpu, pids)], server_cpu(server)

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
        made[0].settled(messages, 900)
        ended = time.monotonic() - began
        used = [after - was for after, was in zip(map(cpu, pids), before[0], strict=True)]
        return Figures(messages / stored, messages / ended, max(used), sum(used) + server_cpu(server) - before[1])


def main(messages: int = 4000) -> None:
    found: dict[str, Figures] = {}
    with cluster() as server, tempfile.TemporaryDirectory() as folder:
        for number, (name, roles) in enumerate(SHAPES.items()):
            with stores.using(server):
                found[name] = measured(server, Path(folder) / str(number), roles, messages)
            print(line(name, found[name], messages), flush=True)
    one, several = found.values()
    print(
        f"ratio {several.screened / one.screened:.2f} by the clock at load {os.getloadavg()[0]:.0f}, "
        f"{several.possible(messages) / one.possible(messages):.2f} by CPU on {os.cpu_count()} free cores"
    )


def line(name: str, found: Figures, messages: int) -> str:
    return (
        f"{name:<28}{found.acknowledged:7.0f} acknowledged/s{found.screened:7.0f} screened/s  "
        f"CPU ms a message: busiest {1000 * found.busiest / messages:.2f}, all with the server "
        f"{1000 * found.everybody / messages:.2f}; possible {found.possible(messages):.0f}/s"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
