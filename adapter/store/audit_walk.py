"""The audit log from end to end, in portions with a snapshot each: an entry never changes, so the portions fit together."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from adapter.store import audit
from adapter.store.audit import Chain, Head
from adapter.store.database import Database

PORTION = 2000
MOST_PROBLEMS = 20
"""Told; a chain that is broken everywhere would fill the memory."""
BEGINNING = Head(0, audit.GENESIS)

Rest = Callable[[float], None]
"""Called after each portion with the seconds it took."""


@dataclass(frozen=True, slots=True)
class Walked:
    """`last` is the newest entry that was looked at."""

    problems: tuple[str, ...]
    last: Head


def portions(database: Database, upto: int, after: int = 0) -> Iterator[list[dict[str, Any]]]:
    """Of entries behind number `after`, to number `upto`. No snapshot is held while the reader is busy."""
    while after < upto:
        with database.read() as conn:
            found = audit.portion(conn, after, upto, PORTION)
        if not found:
            return
        after = found[-1]["seq"]
        yield found


def check(database: Database, known: Head = BEGINNING, rest: Rest = lambda _seconds: None) -> Walked:
    """Every entry behind the one that is vouched for: as it was written, in its place."""
    with database.read() as conn:
        upto = audit.head(conn).seq
        problems = audit.anchored(conn, [known])
    chain = Chain(known)
    began = time.monotonic()
    for found in portions(database, upto, known.seq):
        for row in found:
            problems += chain.step(row)
        del problems[MOST_PROBLEMS:]
        rest(time.monotonic() - began)
        began = time.monotonic()
    return Walked(tuple(problems), chain.last)
