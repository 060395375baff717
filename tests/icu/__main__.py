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
from adapter.domain.trial import Trial
from adapter.scoring.options import ScoringOptions
from adapter.store.inbox import InboxCounts
from tests.icu.compare import Tally, compared
from tests.icu.feed import feed
from tests.icu.house import SITE, House
from tests.icu.onset import OnsetTally, onsets_compared
from tests.icu.tables import Stay, Tables


@dataclass(frozen=True)
class Believed:
    """What the adapter believes at the end of the feed: each stay with its patient's state."""

    stays: Sequence[tuple[str, PatientState]]
    options: ScoringOptions
    trial: Trial
    counts: InboxCounts


@contextmanager
def believed(tables: Tables, stays: Sequence[Stay], folder: Path) -> Iterator[Believed]:
    house = House(folder)
    try:
        house.tell(feed(tables, {stay.subject for stay in stays}))
        states = {stay.subject: house.state(stay.subject) for stay in stays}
        yield Believed(
            [(stay.id, states[stay.subject]) for stay in stays],
            house.rules.scoring_options(SITE),
            house.rules.trials[0],
            house.counts(),
        )
    finally:
        house.database.close()


def run(folder: Path, count: int | None = None, first: int | None = None) -> tuple[dict[str, Tally], OnsetTally]:
    """All stays, or the first so many by patient; of each all hours, or the first so many."""
    tables = Tables(folder)
    stays = list(tables.stays.values())[:count]
    with tempfile.TemporaryDirectory() as temporary, believed(tables, stays, Path(temporary)) as found:
        onset = onsets_compared(tables, found.stays, found.trial, found.options)
        return compared(tables, found.stays, found.options, first), onset


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.icu", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--stays", type=int, help="only the first so many stays")
    parser.add_argument("--hours", type=int, help="only the first so many hours of each stay")
    parser.add_argument("--list", type=int, default=0, help="name so many unexplained hours of each organ")
    wish = parser.parse_args()
    tallies, onset = run(wish.folder, wish.stays, wish.hours)
    if wish.json:
        print(json.dumps({**{organ: tally.as_json() for organ, tally in tallies.items()}, "sepsis3": onset.as_json()}))
    else:
        _tell(tallies, wish.list)
        _tell_onset(onset)
    return 1 if onset.unexplained or any(tally.unexplained for tally in tallies.values()) else 0


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


def _tell_onset(onset: OnsetTally) -> None:
    told = onset.as_json()
    print(
        f"sepsis3: {told['stays']} stays, {told['equal']} equal, {told['unexplained']} unexplained, "
        f"{told['equal_under_all_rules']} equal under all rules"
    )
    for rules, count in onset.explained.most_common():
        print(f"  {count:6} {rules}")


if __name__ == "__main__":
    sys.exit(main())
