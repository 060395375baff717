"""How long a command's help takes, and the daemon until it is ready; with what an interpreter alone takes."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.daemon import running
from benchmarks.report import spread, table


def command(*words: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def daemon() -> float:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as started:
        return started.start_up


STARTS: dict[str, Callable[[], float]] = {
    "an interpreter that does nothing": lambda: command("-c", "pass"),
    "`adapter --help`": lambda: command("-m", "adapter", "--help"),
    "`adapter convert --help`": lambda: command("-m", "adapter", "convert", "--help"),
    "`adapter run`, until /readyz says ok": daemon,
}


def main(*, quick: bool = False) -> str:
    for start in STARTS.values():
        start()  # warm: the first reads the disk
    rounds = [{name: start() for name, start in STARTS.items()} for _ in range(3 if quick else 9)]
    found = {name: [one[name] for one in rounds] for name in STARTS}
    rows = [[name, f"{statistics.median(times):.2f} s ±{spread(times)}"] for name, times in found.items()]
    return table(["start", f"median of {len(rounds)}"], rows)


if __name__ == "__main__":
    print(main())
