"""Patients a person says the machine should have flagged, and why it had not: no hospital number, ids and codes only."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, Index, Table, Text, insert, select

from adapter.store.codec import canonical, instant, moment, storable
from adapter.store.columns import NUMBER, WORDS, metadata

missed_cases = Table(
    "missed_cases",
    metadata,
    Column("id", NUMBER, primary_key=True),
    Column("trial", WORDS, nullable=False),
    Column("at", WORDS, nullable=False),
    Column("by", WORDS, nullable=False),
    # The worklist id of the episode, where there is one.
    Column("candidate", WORDS, nullable=False),
    Column("enrolled", NUMBER, nullable=False),
    Column("cause", WORDS, nullable=False),
    Column("detail", Text, nullable=False),
    Column("note", WORDS, nullable=False),
    Index("missed_cases_trial", "trial", "id"),
)


@dataclass(frozen=True, slots=True)
class MissedCase:
    """`cause` is a code of the review, `detail` the criteria or results it speaks of."""

    trial: str
    at: datetime
    by: str
    candidate: str
    enrolled: bool
    cause: str
    detail: tuple[str, ...]
    note: str


def add(tx: Connection, case: MissedCase) -> None:
    row = {
        "trial": case.trial,
        "at": instant(case.at),
        "by": storable(case.by),
        "candidate": case.candidate,
        "enrolled": int(case.enrolled),
        "cause": case.cause,
        "detail": canonical(list(case.detail)),
        "note": storable(case.note),
    }
    tx.execute(insert(missed_cases), row)


def listing(conn: Connection, trial: str) -> list[MissedCase]:
    """Newest first."""
    wanted = select(missed_cases).where(missed_cases.c.trial == trial).order_by(missed_cases.c.id.desc())
    return [
        MissedCase(
            trial=row.trial,
            at=moment(row.at),
            by=row.by,
            candidate=row.candidate,
            enrolled=bool(row.enrolled),
            cause=row.cause,
            detail=tuple(json.loads(row.detail)),
            note=row.note,
        )
        for row in conn.execute(wanted)
    ]
