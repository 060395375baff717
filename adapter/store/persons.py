"""Which identifiers are one person: the merges as stated, and the pointers that follow from them (HL7 A40)."""

from sqlalchemy import ColumnElement, Connection, FromClause, bindparam, select, union_all, update

from adapter.domain.patient import PatientId
from adapter.domain.persons import Merge, Person, person_of
from adapter.store.patients import identifier, key_of
from adapter.store.schema import merges, patients
from adapter.store.upsert import insert

_MERGED = patients.alias("merged")
_SURVIVOR = patients.alias("survivor")
_NAMING = patients.alias("naming")

_NAME = (
    select(_NAMING.c.site, _NAMING.c.authority, _NAMING.c.value)
    .join(patients, patients.c.merged_into == _NAMING.c.key)
    .where(
        patients.c.site == bindparam("site"),
        patients.c.authority == bindparam("authority"),
        patients.c.value == bindparam("value"),
    )
)


def resolve(conn: Connection, patient: PatientId) -> PatientId:
    """The identifier the person goes by: this one, or the one it was merged into."""
    row = conn.execute(_NAME, identifier(patient)).one_or_none()
    return patient if row is None else PatientId(*row)


def person(conn: Connection, patient: PatientId, *more: Merge) -> Person:
    """The person behind an identifier by the merges on record and `more` that are not yet on record."""
    known = set(more)
    seen: set[PatientId] = set()
    waiting = {patient} | {one for merge in more for one in (merge.merged, merge.survivor)}
    while waiting:
        one = waiting.pop()
        seen.add(one)
        for merge in _touching(conn, one):
            known.add(merge)
            waiting |= {merge.merged, merge.survivor} - seen
    return person_of(patient, known)


def _touching(conn: Connection, patient: PatientId) -> list[Merge]:
    """The merges an identifier takes part in."""
    stated = (
        select(*(side.c[name] for side in (_MERGED, _SURVIVOR) for name in ("site", "authority", "value")))
        .select_from(merges)
        .join(_MERGED, _MERGED.c.key == merges.c.merged)
        .join(_SURVIVOR, _SURVIVOR.c.key == merges.c.survivor)
    )
    # Not one query with OR: that would walk every merge there ever was.
    wanted = union_all(*(stated.where(_is(side, patient)) for side in (_MERGED, _SURVIVOR)))
    return [Merge(PatientId(*row[:3]), PatientId(*row[3:])) for row in conn.execute(wanted)]


def _is(side: FromClause, patient: PatientId) -> ColumnElement[bool]:
    names = identifier(patient)
    return (side.c.site == names["site"]) & (side.c.authority == names["authority"]) & (side.c.value == names["value"])


def record(tx: Connection, merge: Merge, message_id: int) -> Person:
    """Keep the merge and let every identifier of the person point to the one it goes by."""
    row = {"merged": key_of(tx, merge.merged), "survivor": key_of(tx, merge.survivor), "message": message_id}
    tx.execute(insert(merges).values(**row).on_conflict_do_nothing())
    found = person(tx, merge.survivor)
    name = key_of(tx, found.name)
    for member in found.members:
        key = key_of(tx, member)
        tx.execute(update(patients).where(patients.c.key == key).values(merged_into=None if key == name else name))
    return found
