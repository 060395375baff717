"""`python -m tests.icu DIR`: a MIMIC-IV folder through the real pipeline, hour by hour beside mimic-code's SOFA."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter.domain.patient import PatientState
from adapter.scoring.options import ScoringOptions
from adapter.store.inbox import InboxCounts
from tests.icu.compare import Tally, compared
from tests.icu.feed import feed
from tests.icu.house import SITE, House
from tests.icu.tables import Stay, Tables


@dataclass(frozen=True)
class Believed:
    """What the adapter believes at the end of the feed: each stay with its patient's state."""

    stays: Sequence[tuple[str, PatientState]]
    options: ScoringOptions
    counts: InboxCounts


@contextmanager
def believed(tables: Tables, stays: Sequence[Stay], folder: Path) -> Iterator[Believed]:
    house = House(folder)
    try:
        house.tell(feed(tables, {stay.subject for stay in stays}))
        states = {stay.subject: house.state(stay.subject) for stay in stays}
        yield Believed(
            [(stay.id, states[stay.subject]) for stay in stays], house.rules.scoring_options(SITE), house.counts()
        )
    finally:
        house.database.close()


def run(folder: Path, count: int | None = None) -> dict[str, Tally]:
    """All stays, or the first so many by patient."""
    tables = Tables(folder)
    stays = list(tables.stays.values())[:count]
    with tempfile.TemporaryDirectory() as temporary, believed(tables, stays, Path(temporary)) as found:
        return compared(tables, found.stays, found.options)


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
    else:
        _tell(tallies, wish.list)
    return 1 if any(tally.unexplained for tally in tallies.values()) else 0


def _tell(tallies: dict[str, Tally], named: int) -> None:
    for organ, tally in tallies.items():
        told: dict[str, Any] = tally.as_json()
        print(
            f"{organ}: {told['hours']} hours, {told['equal']} equal, {told['unexplained']} unexplained, "
            f"{told['equal_under_all_rules']} equal under all rules"
        )
        for rules, count in tally.explained.most_common():
            print(f"  {count:6} {rules}")
        for stay, hour, ours, theirs in tally.unexplained[:named]:
            print(f"         stay {stay} hour {hour}: ours {ours}, theirs {theirs}")


if __name__ == "__main__":
    sys.exit(main())
