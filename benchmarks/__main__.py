"""All figures in one run: `python -m benchmarks [name …]`; peers stand beside us, ratios are what counts."""

import importlib
import os
import platform
import sys

NAMES = ("parse", "ack", "latency", "pipeline", "long_message", "memory")


def main() -> None:
    wanted = sys.argv[1:] or NAMES
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.platform()}")
    for name in wanted:
        print(f"\n== {name}")
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
