"""Figures anyone can print again: `python -m benchmarks [NAME …] [--quick] [--write]`; peers stand beside us in the same run.

`--quick` takes a minute or two and proves little. `--write` puts the tables into docs/performance.md. A benchmark is a module
with `main`, which may take `quick` and may return Markdown; what it prints instead is kept as it is.
"""

import argparse
import contextlib
import importlib
import inspect
import io
import sys
import time

from benchmarks.report import machine, put

NAMES = ("start_up", "parse", "ack", "pipeline", "long_message", "growth", "memory")


class Tee(io.StringIO):
    """What is printed is seen at once, and kept."""

    def write(self, text: str) -> int:
        sys.__stdout__.write(text)
        sys.__stdout__.flush()
        return super().write(text)


def figures(name: str, *, quick: bool) -> str:
    main = importlib.import_module(f"benchmarks.{name}").main
    options = {"quick": quick} if "quick" in inspect.signature(main).parameters else {}
    with contextlib.redirect_stdout(Tee()) as printed:
        found = main(**options)
    if isinstance(found, str):
        print(found, flush=True)
        return found
    return f"```\n{printed.getvalue().strip()}\n```"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all where none is given")
    parser.add_argument("--quick", action="store_true", help="short runs")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    asked = parser.parse_args()
    about = f"{time.strftime('%Y-%m-%d')}: {machine()}."
    print(about)
    for name in asked.names or NAMES:
        print(f"\n== {name}", flush=True)
        text = figures(name, quick=asked.quick)
        if asked.write:
            command = f"python -m benchmarks {name}{' --quick' if asked.quick else ''}"
            put(name, f"{text}\n\n`{command}` — {about}")


if __name__ == "__main__":
    main()
