"""Entries of the audit log that were noted elsewhere: an earlier export, lines of the daemon's log, or `NUMBER HASH` by hand."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from adapter.errors import ConfigError
from adapter.store import audit
from adapter.store.audit import Head
from adapter.store.database import Database

AT_ONCE = 500
BY_HAND = re.compile(r"\s*(\d{1,18})\s+([0-9a-f]{64})\s*")
ATTEMPT = re.compile(r"\s*\d+(\s|$)")
HASH = re.compile(r"[0-9a-f]{64}")
HEAD_LINE = "audit head"
"""The event of the daemon's log."""


def noted(lines: Iterable[str], name: str) -> Iterator[Head]:
    """Raises ConfigError for a line that means to note an entry and does not, and for a file that notes nothing."""
    found = False
    for number, line in enumerate(lines, 1):
        if "{" not in line and not ATTEMPT.match(line):
            continue  # words: of a person, of systemd
        head = _by_hand(line) if "{" not in line else _by_program(line)
        if head is None:
            raise ConfigError(
                f"{name}: line {number} notes no entry — give an export as NDJSON (not blinded), lines of the daemon's log, "
                "or NUMBER HASH"
            )
        for one in head:
            found = True
            yield one
    if not found:
        raise ConfigError(f"{name}: notes no entry — look for the log lines '{HEAD_LINE}', or write NUMBER HASH")


def _by_hand(line: str) -> list[Head] | None:
    found = BY_HAND.fullmatch(line.rstrip("\n"))
    return None if found is None else [Head(int(found[1]), found[2])]


def _by_program(line: str) -> list[Head] | None:
    """None for no JSON and for a blinded entry; nothing for another line of the log, which may have a prefix of its reader's."""
    try:
        said: Any = json.loads(line[line.index("{") :])
    except (ValueError, RecursionError):
        return None
    if "event" in said and "seq" not in said:
        return _read(said, "count", "digest") if said["event"] == HEAD_LINE else []
    return _read(said, "seq", "hash")


def _read(said: dict[str, Any], number: str, digest: str) -> list[Head] | None:
    seq, text = said.get(number), said.get(digest)
    if type(seq) is not int or not isinstance(text, str) or not HASH.fullmatch(text):
        return None
    return [Head(seq, text)]


def contradicted(database: Database, heads: Iterable[Head]) -> tuple[int, str | None]:
    """How many were compared, and what is wrong with the first that the store does not hold."""
    count, rest = 0, iter(heads)
    while some := list(islice(rest, AT_ONCE)):
        with database.read() as conn:
            problems = audit.anchored(conn, some)
        if problems:
            return count, problems[0]
        count += len(some)
    return count, None
