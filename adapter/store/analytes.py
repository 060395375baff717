"""What each source sends of each analyte, in numbers only: kept in the transaction that ends its messages."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from sqlalchemy import Connection, select

from adapter.domain.rhythm import Rhythm
from adapter.store.codec import instant, moment, storable
from adapter.store.schema import analytes
from adapter.store.upsert import insert

MOST = 2000
"""Different codes and units that are told apart; what comes beyond is not watched."""
LONGEST = 64


@dataclass(frozen=True, slots=True, order=True)
class Analyte:
    """`code` and `unit` as the sender wrote them."""

    source: str
    concept: str
    code: str
    unit: str


Told = Mapping[Analyte, list[tuple[datetime, list[Fraction]]]]
"""Of each analyte its messages: when received, and with which numbers in the concept's unit."""
_KEYS = ("source", "concept", "code", "unit")
_VALUES = ("messages", "first", "last", "usual", "longest", "recent", "history")
_NEW = insert(analytes)
_PUT = _NEW.on_conflict_do_update(index_elements=list(_KEYS), set_={name: _NEW.excluded[name] for name in _VALUES})


def add(tx: Connection, told: Told) -> None:
    """In the order of their keys, so that two processes never wait for each other."""
    if not told:
        return
    known = dict(_read(tx, {analyte.source for analyte in told}))
    rows = []
    for analyte in sorted(map(_short, told)):
        if analyte not in known and len(known) >= MOST:
            continue
        rhythm = known.get(analyte, Rhythm())
        for at, values in next(said for one, said in told.items() if _short(one) == analyte):
            rhythm = rhythm.told(at, values)
        rows.append(_row(analyte, rhythm))
    if rows:
        tx.execute(_PUT, rows)


def listing(conn: Connection) -> list[tuple[Analyte, Rhythm]]:
    return sorted(_read(conn, ()), key=lambda pair: pair[0])


def _read(conn: Connection, sources: Iterable[str]) -> Iterable[tuple[Analyte, Rhythm]]:
    named = list(sources)
    wanted = select(analytes).where(analytes.c.source.in_(named)) if named else select(analytes)
    for row in conn.execute(wanted).mappings():
        history = {int(power): count for power, count in json.loads(row["history"]).items()}
        yield (
            Analyte(*(row[name] for name in _KEYS)),
            Rhythm(
                row["messages"], moment(row["first"]), moment(row["last"]), timedelta(seconds=row["usual"]),
                timedelta(seconds=row["longest"]), tuple(json.loads(row["recent"])), history,
            ),
        )  # fmt: skip


def _short(analyte: Analyte) -> Analyte:
    return Analyte(analyte.source, analyte.concept, storable(analyte.code[:LONGEST]), storable(analyte.unit[:LONGEST]))


def _row(analyte: Analyte, rhythm: Rhythm) -> dict[str, object]:
    times = {name: instant(at) for name, at in (("first", rhythm.first), ("last", rhythm.last)) if at is not None}
    return {
        **{name: getattr(analyte, name) for name in _KEYS},
        **times,
        "messages": rhythm.messages,
        "usual": int(rhythm.usual.total_seconds()),
        "longest": int(rhythm.longest.total_seconds()),
        "recent": json.dumps(rhythm.recent),
        "history": json.dumps(rhythm.history),
    }
