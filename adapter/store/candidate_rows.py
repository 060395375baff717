"""A candidate and its history as read from their tables."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from adapter.domain.patient import PatientId
from adapter.store.codec import moment, moment_or_none
from adapter.store.schema import candidates, patients


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """One row of the worklist. `assessment` is the `explain` object; `family given birth_date` are for the bedside only.

    `raised` and `changed` are null while nobody was ever told; `sequence` counts what people were told.
    """

    id: str
    patient: PatientId
    trial: str
    episode: str
    verdict: str
    certainty: str
    stratum: str
    shown: bool
    status: str
    deadline: datetime | None
    ward: str
    bed: str
    family: str
    given: str
    birth_date: str
    raised: datetime | None
    changed: datetime | None
    sequence: int
    standing: bool
    summary: str
    review_at: datetime | None
    assessment: dict[str, Any]
    evaluated_at: datetime
    decided_at: datetime | None = None
    decided_sequence: int = 0
    """`sequence` when somebody last decided: a greater one now is news since then."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One thing that happened to a candidate: `kind` is raised, updated, withdrawn, verdict or status."""

    at: datetime
    kind: str
    verdict: str
    text: str
    message_id: int | None
    by: str


def rows() -> Select[Any]:
    """Candidates with the identifier of their patient."""
    return select(candidates, patients.c.site, patients.c.authority, patients.c.value).join(
        patients, patients.c.key == candidates.c.patient
    )


def candidate_row(row: Mapping[Any, Any], explained: Callable[[str], dict[str, Any]] = json.loads) -> CandidateRow:
    """`explained` reads the assessment's text, or as much of it as is asked for."""
    plain = ("id", "trial", "episode", "verdict", "certainty", "stratum", "status", "ward", "bed", "family", "given")
    return CandidateRow(
        **{name: row[name] for name in (*plain, "birth_date", "sequence", "summary", "decided_sequence")},
        patient=PatientId(row["site"], row["authority"], row["value"]),
        shown=bool(row["shown"]),
        standing=bool(row["standing"]),
        deadline=moment_or_none(row["deadline"]),
        raised=moment_or_none(row["raised"]),
        changed=moment_or_none(row["changed"]),
        review_at=moment_or_none(row["review_at"]),
        assessment=explained(row["assessment"]),
        evaluated_at=moment(row["evaluated_at"]),
        decided_at=moment_or_none(row["decided_at"]),
    )


def history_row(row: Mapping[Any, Any]) -> HistoryRow:
    return HistoryRow(moment(row["at"]), row["kind"], row["verdict"], row["text"], row["message"], row["by"])
