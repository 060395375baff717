"""What each source sends of each analyte, in numbers only: kept in the transaction that ends its messages."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from sqlalchemy import Connection, RowMapping, select

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
    heard: dict[Analyte, list[tuple[datetime, list[Fraction]]]] = {}
    for analyte, said in told.items():
        heard.setdefault(_short(analyte), []).extend(said)
    known = _read(tx, {analyte.source for analyte in heard}) if heard else {}
    before = {analyte: _rhythm(known[analyte]) for analyte in heard if analyte in known}
    new = [analyte for analyte in sorted(heard) if analyte not in known]
    before |= dict.fromkeys(new[: max(0, MOST - len(known))], Rhythm())
    rows = [_row(analyte, before[analyte].told(heard[analyte])) for analyte in sorted(before)]
    if rows:
        tx.execute(_PUT, rows)


def listing(conn: Connection) -> list[tuple[Analyte, Rhythm]]:
    return [(analyte, _rhythm(row)) for analyte, row in sorted(_read(conn, ()).items(), key=lambda pair: pair[0])]


def _read(conn: Connection, sources: Iterable[str]) -> dict[Analyte, RowMapping]:
    named = list(sources)
    wanted = select(analytes).where(analytes.c.source.in_(named)) if named else select(analytes)
    return {Analyte(*(row[name] for name in _KEYS)): row for row in conn.execute(wanted).mappings()}


def _rhythm(row: RowMapping) -> Rhythm:
    history = {int(power): count for power, count in json.loads(row["history"]).items()}
    usual, longest = (timedelta(seconds=row[name]) for name in ("usual", "longest"))
    recent = tuple(json.loads(row["recent"]))
    return Rhythm(row["messages"], moment(row["first"]), moment(row["last"]), usual, longest, recent, history)


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
