"""Everybody whom people were told of, as much of each as a reader of numbers alone may learn."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select, text

from adapter.domain.patient import PatientId
from adapter.store.accounts import Scope
from adapter.store.codec import moment, moment_or_none
from adapter.store.schema import TOLD, candidates, patients
from adapter.store.within import within


class Told(NamedTuple):
    """One episode; `tied`: the person has several records."""

    patient: PatientId
    tied: bool
    trial: str
    verdict: str
    certainty: str
    status: str
    raised: datetime
    changed: datetime | None


def told(conn: Connection, scope: Scope) -> list[Told]:
    """In the order in which people were told."""
    known, who = candidates.c, patients.c
    columns = (known.trial, known.verdict, known.certainty, known.status, known.raised, known.changed)
    wanted = select(who.site, who.authority, who.value, who.knot, *columns).join(patients, who.key == known.patient)
    rows = conn.execute(wanted.where(text(TOLD), *within(scope)).order_by(known.raised, known.id))
    return [
        Told(PatientId(*row[:3]), row[3] is not None, *row[4:8], raised=moment(row[8]), changed=moment_or_none(row[9]))
        for row in rows
    ]
