"""Patients of whom a backlog was told and who are judged afterwards: on the disk, so that a restart forgets nobody."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, select

from adapter.domain.patient import PatientId
from adapter.store.identities import unjudged
from adapter.store.schema import patients
from adapter.store.upsert import insert

_root = patients.alias("root")
_NEWEST = (
    select(unjudged, *(side.c[name] for side in (patients, _root) for name in ("site", "authority", "value")))
    .join(patients, patients.c.key == unjudged.c.patient)
    .outerjoin(_root, _root.c.key == patients.c.knot)
    .order_by(unjudged.c.message.desc())
    .limit(bindparam("limit"))
)
_told = insert(unjudged)
_MARK = _told.on_conflict_do_update(index_elements=["patient"], set_={"message": _told.excluded.message})
_SETTLE = delete(unjudged).where(unjudged.c.patient == bindparam("key"))


@dataclass(frozen=True, slots=True)
class Unjudged:
    """`message`: the last one that spoke of the patient; `root`: what the records are kept by, where several are tied together."""

    key: int
    message: int
    patient: PatientId
    root: PatientId


def mark(tx: Connection, messages: Mapping[int, int]) -> None:
    """By key of the patient's row, the message that spoke last."""
    if messages:
        tx.execute(_MARK, [{"patient": key, "message": message} for key, message in messages.items()])


def settle(tx: Connection, keys: Iterable[int]) -> None:
    """Judged."""
    if rows := [{"key": key} for key in keys]:
        tx.execute(_SETTLE, rows)


def newest(conn: Connection, limit: int) -> list[Unjudged]:
    """Whoever was spoken of last comes first: a patient of now does not wait behind those of yesterday."""
    found = []
    for row in conn.execute(_NEWEST, {"limit": limit}):
        who = PatientId(*row[2:5])
        found.append(Unjudged(row[0], row[1], who, who if row[5] is None else PatientId(*row[5:])))
    return found


def there(conn: Connection, keys: Iterable[int]) -> set[int]:
    """Those of these rows that are there still."""
    return set(conn.execute(select(unjudged.c.patient).where(unjudged.c.patient.in_(list(keys)))).scalars())


def number(conn: Connection) -> int:
    return conn.execute(select(func.count()).select_from(unjudged)).scalar_one()
