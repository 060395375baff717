"""`python -m tests.icu DIR`: a MIMIC-IV folder through the real pipeline, hour by hour beside mimic-code's SOFA."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from adapter.domain.patient import PatientState
from tests.icu.compare import Tally, compared
from tests.icu.feed import feed
from tests.icu.house import SITE, House
from tests.icu.tables import Tables


def run(folder: Path, stays: int | None = None) -> dict[str, Tally]:
    """All stays, or the first so many by patient."""
    tables = Tables(folder)
    chosen = list(tables.stays.values())[:stays]
    with tempfile.TemporaryDirectory() as temporary:
        house = House(Path(temporary))
        house.tell(feed(tables, {stay.subject for stay in chosen}))
        states: dict[str, PatientState] = {}

        def believed() -> Iterator[tuple[str, PatientState]]:
            for stay in chosen:
                if stay.subject not in states:
                    states[stay.subject] = house.state(stay.subject)
                yield stay.id, states[stay.subject]

        tallies = compared(tables, believed(), house.rules.scoring_options(SITE))
        house.database.close()
        return tallies


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.icu", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--stays", type=int, help="only the first so many stays")
    parser.add_argument("--list", type=int, default=0, help="name so many unexplained hours of each organ")
    wish = parser.parse_args()
    tallies = run(wish.folder, wish.stays)
    if wish.json:
        print(json.dumps({organ: tally.as_json() for organ, tally in tallies.items()}))
        return 0
    for organ, tally in tallies.items():
        told = tally.as_json()
        print(f"{organ}: {told['hours']} hours, {told['equal']} equal, {told['unexplained']} unexplained, "
              f"{told['equal_under_all_rules']} equal under all rules")  # fmt: skip
        for rules, count in tally.explained.most_common():
            print(f"  {count:6} {rules}")
        for stay, hour, ours, theirs in tally.unexplained[: wish.list]:
            print(f"         stay {stay} hour {hour}: ours {ours}, theirs {theirs}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
