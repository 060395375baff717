"""How figures are written: tables, the machine they are of, and their place in docs/performance.md."""

import os
import platform
import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
MARKS = "<!-- bench:{name} -->", "<!-- /bench:{name} -->"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    """Two or three figures that mean something."""
    if value >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def spread(values: Sequence[float]) -> str:
    """Half of what lies between the smallest and the greatest, as a share of the median."""
    return f"{50 * (max(values) - min(values)) / statistics.median(values):.0f} %"


def machine() -> str:
    """What the figures of a run are of; the disk measured now."""
    memory = re.search(r"MemTotal:\s+(\d+)", _read("/proc/meminfo"))
    model = re.search(r"model name\s*: (.*)", _read("/proc/cpuinfo"))
    parts = [
        f"{os.cpu_count()} cores{f' ({model[1]})' if model else ''}",
        f"{int(memory[1]) / 1024 / 1024:.0f} GiB" if memory else "",
        platform.platform(terse=True),
        f"Python {platform.python_version()}",
        f"{number(syncs())} fdatasync a second of 4 KiB appended",
        f"load {os.getloadavg()[0]:.1f} at the start",
    ]
    return ", ".join(part for part in parts if part)


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8") if Path(path).exists() else ""


def syncs(seconds: float = 1.0) -> float:
    """Of the folder for temporary files, where the benchmarks keep their databases."""
    with tempfile.NamedTemporaryFile() as file:
        done, began = 0, time.perf_counter()
        while (spent := time.perf_counter() - began) < seconds:
            os.write(file.fileno(), b"x" * 4096)
            os.fdatasync(file.fileno())
            done += 1
    return done / spent


def put(name: str, text: str) -> None:
    """Between the marks of the page; what stands round them stays. A name without marks is no table of the page."""
    begin, end = (mark.format(name=name) for mark in MARKS)
    page = PAGE.read_text(encoding="utf-8")
    if begin in page:
        before, _, rest = page.partition(begin)
        PAGE.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")
