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
from pathlib import Path

from benchmarks.report import machine, put

ORDER = ("start_up", "parse", "ack", "latency", "pipeline", "judge", "long_message", "growth", "cluster", "memory")
"""As far as they are there; what is not named here comes last."""


def names() -> list[str]:
    """Every module of this folder that has a `main` of its own kind."""
    folder = Path(__file__).parent
    found = [path.stem for path in folder.glob("*.py") if "\ndef main(" in path.read_text(encoding="utf-8")]
    return sorted(
        set(found) - {"__main__"}, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name)
    )


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
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names())}; all where none is given")
    parser.add_argument("--quick", action="store_true", help="short runs")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    asked = parser.parse_args()
    about = f"{time.strftime('%Y-%m-%d')}: {machine()}."
    print(about)
    failed: list[str] = []
    for name in asked.names or names():
        print(f"\n== {name}", flush=True)
        try:
            text = figures(name, quick=asked.quick)
        except (Exception, SystemExit) as error:  # noqa: BLE001 — one without a figure does not take the others with it
            failed.append(name)
            print(f"no figure: {type(error).__name__} {error}", file=sys.stderr, flush=True)
            continue
        if asked.write:
            command = f"python -m benchmarks {name}{' --quick' if asked.quick else ''}"
            put(name, f"{text}\n\n`{command}` — {about}")
    if failed:
        sys.exit(f"no figure of {', '.join(failed)}")


if __name__ == "__main__":
    main()
