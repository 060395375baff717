"""Which identifiers hang together: what ties them as it was stated, and the pointers that follow from it (docs/adr/0021)."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, select, update

from adapter.domain.patient import PatientId
from adapter.domain.persons import Knot, knot_of
from adapter.domain.ties import Merge, Move, Tie, Unlink
from adapter.store.codec import instant, moment, storable
from adapter.store.patients import identifier, key_of
from adapter.store.schema import patients, ties
from adapter.store.upsert import insert

MERGE, UNLINK, VISIT, ACCOUNT = "merge", "unlink", "visit", "account"

_ONE, _OTHER, _POINTED = patients.alias("one"), patients.alias("other"), patients.alias("pointed")
_WHO = ("site", "authority", "value")


def _pointed(column: str) -> Select[Any]:
    asked = (patients.c[name] == bindparam(name) for name in _WHO)
    wanted = select(*(_POINTED.c[name] for name in _WHO))
    return wanted.join(patients, patients.c[column] == _POINTED.c.key).where(*asked)


_TIE = select(
    *(ties.c[name] for name in ("kind", "visit", "number", "at", "message")),
    *(side.c[name].label(f"{side.name}_{name}") for side in (_ONE, _OTHER) for name in _WHO),
)
_TIES = (
    _TIE.select_from(_POINTED)
    .join(_ONE, _ONE.c.knot == _POINTED.c.knot)
    .join(ties, ties.c.one == _ONE.c.key)
    .join(_OTHER, _OTHER.c.key == ties.c.other)
    .where(*(_POINTED.c[name] == bindparam(name) for name in _WHO))
)
_NAME, _ROOT = (_pointed(column) for column in ("merged_into", "knot"))


def resolve(conn: Connection, patient: PatientId) -> PatientId:
    """The identifier the person goes by: this one, or the one it was merged into."""
    row = conn.execute(_NAME, identifier(patient)).one_or_none()
    return patient if row is None else PatientId(*row)


def root(conn: Connection, patient: PatientId) -> PatientId | None:
    """What the records tied to this one are kept by; `None` for one that stands alone."""
    row = conn.execute(_ROOT, identifier(patient)).one_or_none()
    return None if row is None else PatientId(*row)


def knot(conn: Connection, patient: PatientId, *more: Tie) -> Knot:
    """All that hangs together with an identifier by the ties on record and `more` that are not yet on record."""
    records: set[PatientId] = set()
    known: set[Tie] = set()
    waiting = {patient}
    while waiting:
        one = waiting.pop()
        near = {*on_record(conn, one), *(tie for tie in more if one in tie.records)}
        known |= near
        # What is on record of one is on record of all of them: only `more` may lead on.
        found = {one}.union(*(tie.records for tie in near))
        waiting |= {new for new in found - records if any(new in tie.records for tie in more)} - {one}
        records |= found
    return knot_of(records, known)


def on_record(conn: Connection, patient: PatientId) -> list[Tie]:
    """All ties of the knot an identifier is part of."""
    return [_read(row) for row in conn.execute(_TIES, identifier(patient)).mappings()]


def stated(conn: Connection, messages: Collection[int]) -> list[tuple[Tie, int]]:
    """What these messages tied together, each with its message."""
    rows = conn.execute(_TIE.join_from(ties, _ONE, _ONE.c.key == ties.c.one).join(_OTHER, _OTHER.c.key == ties.c.other))
    return [(_read(row), row["message"]) for row in rows.mappings() if row["message"] in messages]


def _read(row: RowMapping) -> Tie:
    one, other = (PatientId(*(row[f"{side}_{name}"] for name in _WHO)) for side in ("one", "other"))
    at = moment(row["at"])
    if row["kind"] == MERGE:
        return Merge(one, other, at)
    if row["kind"] == UNLINK:
        return Unlink(one, other, at)
    return Move(one, other, row["visit"], row["number"], at, account=row["kind"] == ACCOUNT)


def record(tx: Connection, found: Knot, stated: Iterable[Tie], message_id: int) -> None:
    """Keep what was stated, and let every record of the knot that follows point to the one its person goes by."""
    for tie in stated:
        tx.execute(insert(ties).values(**_row(tx, tie), message=message_id).on_conflict_do_nothing())
    keys = {one: key_of(tx, one) for one in found.records}
    for person in found.persons:
        for member in person.members:
            into = None if member == person.name else keys[person.name]
            pointers = {"merged_into": into, "knot": keys[found.root]}
            tx.execute(update(patients).where(patients.c.key == keys[member]).values(pointers))


def tie_anew(tx: Connection, records: Collection[PatientId], stated: Collection[Tie]) -> None:
    """Records of a knot of which others are gone: each points to whom it hangs together with by what is still stated."""
    alone = {one: key_of(tx, one) for one in records}
    nowhere = update(patients).where(patients.c.key.in_(alone.values())).values(merged_into=None, knot=None)
    tx.execute(nowhere)
    waiting = set(records)
    while waiting:
        group = _together(min(waiting), stated)
        waiting -= group
        if len(group) > 1:
            record(tx, knot_of(group, [tie for tie in stated if group.issuperset(tie.records)]), (), 0)


def _together(one: PatientId, stated: Collection[Tie]) -> set[PatientId]:
    group, waiting = {one}, [one]
    while waiting:
        near = waiting.pop()
        new = {other for tie in stated if near in tie.records for other in tie.records} - group
        group |= new
        waiting += new
    return group


def _row(tx: Connection, tie: Tie) -> dict[str, object]:
    one, other = (key_of(tx, record) for record in tie.records)
    row: dict[str, object] = {"one": one, "other": other, "visit": "", "number": "", "at": instant(tie.at)}
    match tie:
        case Merge():
            return {"kind": MERGE} | row
        case Unlink():
            return {"kind": UNLINK} | row
        case Move():
            moved = {"visit": storable(tie.visit), "number": storable(tie.into)}
            return {"kind": ACCOUNT if tie.account else VISIT} | row | moved
