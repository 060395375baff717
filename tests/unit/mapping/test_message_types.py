"""The table of message types in mappings/README.md says what the dispatch does."""

import re
from pathlib import Path

from adapter.mapping.hl7_message import IGNORED, NOT_NEEDED, READ

README = Path(__file__).parents[3] / "mappings" / "README.md"
TYPE = re.compile(r"\b([A-Z]{3})(?:\^([A-Z0-9]{3}(?:(?:, | to )[A-Z0-9]{3})*))?")


def told() -> dict[str, str]:
    """Each type and event of the table → what it says of it."""
    table = README.read_text(encoding="utf-8").partition("## What is read of which message")[2].partition("\n## ")[0]
    found: dict[str, str] = {}
    for line in (line for line in table.splitlines() if line.startswith("| ")):
        message, what = (part.strip(" `") for part in line.split("|")[1:3])
        for kind, events in TYPE.findall(message):
            for event in spread(events):
                found[f"{kind}^{event}".rstrip("^")] = what
    return found


def spread(events: str) -> list[str]:
    first, _, last = events.partition(" to ")
    if not last:
        return events.split(", ")
    end, *others = last.split(", ")
    return [f"{first[0]}{number:02}" for number in range(int(first[1:]), int(end[1:]) + 1)] + others


def test_the_table_is_the_dispatch() -> None:
    table = told()
    read = {name for name, what in table.items() if what in {"read", "context"}}
    for kind in ("ORU", "OUL", "ADT", "PPR", "RAS"):
        assert {name for name in read if name.startswith(kind)} == {f"{kind}^{one}" for one in READ[kind] if one}, kind
    assert {kind: table[kind] for kind in IGNORED} == IGNORED
    assert {f"{kind}^{event}": why for (kind, event), why in NOT_NEEDED.items()}.items() <= table.items()
    assert table["ORU^R40"] == "unsupported-type"
