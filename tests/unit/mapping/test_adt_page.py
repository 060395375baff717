"""docs/adt.md says of every event what is done, and of every ignored one the reason that is stored."""

import re
from pathlib import Path

from adapter.mapping.hl7_adt import IGNORED, SUPPORTED
from adapter.screening.reasons import REASONS

ROWS = [
    line
    for line in (Path(__file__).parents[3] / "docs" / "adt.md").read_text(encoding="utf-8").split("\n")
    if line[:3] == "| A"
]


def events(row: str) -> list[str]:
    return re.findall(r"A\d\d", row.split("|")[1])


def test_every_event_that_is_read_or_ignored_by_rule_has_its_line() -> None:
    told = [event for row in ROWS for event in events(row)]
    assert sorted(told) == sorted(SUPPORTED | IGNORED.keys())


def test_the_reasons_are_those_that_are_stored() -> None:
    for row in ROWS:
        for event in events(row):
            assert (event not in IGNORED) or f"`{IGNORED[event]}`" in row
            assert (event not in IGNORED) or IGNORED[event] in REASONS
