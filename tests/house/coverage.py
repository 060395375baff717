"""Branch coverage by room against its floor: `python -m tests.house.coverage` after a run with --cov."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CORE = ("domain", "hl7", "fhir", "mapping", "scoring", "eligibility", "screening", "simulation")
FLOOR = {"core": 100.0, "shell": 90.0}
"""Of the core every line and every branch is a promise with a test; what no test can reach is deleted."""


def files() -> dict[str, dict[str, Any]]:
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        subprocess.run([sys.executable, "-m", "coverage", "json", "-q", "-o", report.name], check=True)
        found: dict[str, dict[str, Any]] = json.loads(Path(report.name).read_text())["files"]
    return found


def room_of(name: str) -> str:
    parts = Path(name).parts
    return parts[1] if len(parts) > 2 else parts[1].removesuffix(".py")


def side_of(room: str) -> str:
    return "core" if room in CORE else "shell"


def gaps(name: str, data: dict[str, Any]) -> list[str]:
    """Lines and branches of a file that no test reached."""
    missing = [str(line) for line in data["missing_lines"]]
    missing += [f"{start}->{'end' if end < 0 else end}" for start, end in data["missing_branches"]]
    return [f"  {name}: {', '.join(missing)}"] if missing else []


def main() -> int:
    rooms: dict[str, list[int]] = {}
    sums = {"core": [0, 0], "shell": [0, 0]}
    unreached: list[str] = []
    for name, data in files().items():
        room, totals = room_of(name), data["summary"]
        counted = (
            totals["covered_lines"] + totals["covered_branches"],
            totals["num_statements"] + totals["num_branches"],
        )
        for found in (rooms.setdefault(room, [0, 0]), sums[side_of(room)]):
            found[0] += counted[0]
            found[1] += counted[1]
        unreached += gaps(name, data) if side_of(room) == "core" else []
    for room, (covered, total) in sorted(rooms.items()):
        if total:
            print(f"{room:12} {side_of(room):6} {100 * covered / total:6.1f} %")
    shares = {side: 100 * covered / total for side, (covered, total) in sums.items()}
    for side, share in shares.items():
        print(f"{side:12} {share:6.1f} % (floor {FLOOR[side]:.0f} %)")
    print(*unreached, sep="\n", end="\n" if unreached else "")
    return int(any(share < FLOOR[side] for side, share in shares.items()))


if __name__ == "__main__":
    raise SystemExit(main())
