"""Patients in partitions, so that several processors share them: a message waits in that of its patient."""

import zlib
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, bindparam, update

from adapter.domain.patient import PatientId
from adapter.store.codec import storable
from adapter.store.schema import inbox_pending

COUNT = 64
"""Never changed: what waits in a store was sorted by it."""
ALL = frozenset(range(COUNT))
NOBODYS = 0
"""Where a message waits whose patient nobody could tell at the door."""

_MOVE = update(inbox_pending).where(inbox_pending.c.id == bindparam("item")).values(partition=bindparam("to"))


def partition_of(patient: PatientId | None) -> int:
    """Of the identifier a person goes by; the same in every process and version."""
    if patient is None:
        return NOBODYS
    said = "\x1f".join((patient.site, storable(patient.authority), storable(patient.value)))
    return zlib.crc32(said.encode("utf-8", "backslashreplace")) % COUNT


def partitions_of(patients: Collection[PatientId]) -> frozenset[int]:
    return frozenset(map(partition_of, patients))


def move(tx: Connection, places: Mapping[int, int]) -> None:
    """Messages that wait, by id, to their partitions; one that has ended stays what it is."""
    if places:
        tx.execute(_MOVE, [{"item": item, "to": to} for item, to in sorted(places.items())])
