"""Patients in partitions, so that several processors share them: a message waits in that of its patient."""

import zlib
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, text

from adapter.domain.patient import PatientId
from adapter.store.codec import storable

COUNT = 64
"""Never changed: what waits in a store was sorted by it."""
ALL = frozenset(range(COUNT))
NOBODYS = 0
"""Where a message waits whose patient nobody could tell at the door."""

_MOVE = text(
    "UPDATE inbox_pending SET partition = m.place FROM unnest(CAST(:items AS bigint[]), CAST(:places AS bigint[])) "
    "AS m (item, place) WHERE id = m.item"
)


def partition_of(patient: PatientId | None) -> int:
    """Of the identifier a person goes by; the same in every process and version."""
    if patient is None:
        return NOBODYS
    said = "\x1f".join((patient.site, storable(patient.authority), storable(patient.value)))
    return zlib.crc32(said.encode("utf-8", "backslashreplace")) % COUNT


def partitions_of(patients: Collection[PatientId]) -> frozenset[int]:
    return frozenset(map(partition_of, patients))


def move(tx: Connection, places: Mapping[int, int]) -> None:
    """Messages that wait, by id, to their partitions; one that has ended stays what it is. PostgreSQL alone has several."""
    if places:
        tx.execute(_MOVE, {"items": list(places), "places": list(places.values())})
