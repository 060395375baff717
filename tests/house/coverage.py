"""Branch coverage by room against its floor: `python -m tests.house.coverage` after a run with --cov."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

CORE = ("domain", "hl7", "fhir", "mapping", "scoring", "eligibility", "screening", "simulation")
FLOOR = {"core": 99.0, "shell": 90.0}


def rooms() -> dict[str, list[int]]:
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        subprocess.run([sys.executable, "-m", "coverage", "json", "-q", "-o", report.name], check=True)
        files = json.loads(Path(report.name).read_text())["files"]
    found: dict[str, list[int]] = {}
    for name, data in files.items():
        parts = Path(name).parts
        room = parts[1] if len(parts) > 2 else parts[1].removesuffix(".py")
        totals = data["summary"]
        sums = found.setdefault(room, [0, 0])
        sums[0] += totals["covered_lines"] + totals["covered_branches"]
        sums[1] += totals["num_statements"] + totals["num_branches"]
    return found


def main() -> int:
    found = rooms()
    sums = {"core": [0, 0], "shell": [0, 0]}
    for room, (covered, total) in sorted(found.items()):
        side = "core" if room in CORE else "shell"
        sums[side][0] += covered
        sums[side][1] += total
        if total:
            print(f"{room:12} {side:6} {100 * covered / total:6.1f} %")
    failed = False
    for side, (covered, total) in sums.items():
        share = 100 * covered / total
        failed |= share < FLOOR[side]
        print(f"{side:12} {share:6.1f} % (floor {FLOOR[side]:.0f} %)")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
