"""A candidate's page in one short text: another one where the page would say something else."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from adapter.store.doubted import Proposed
from adapter.store.teamwork import Claim, Note
from adapter.store.worklist import CandidateRow

SHOWN = ("stratum", "stratum_provisional", "missing", "flags", "questions", "screening_ids", "described", "follow_up")
MEASURED = ("identity", "value", "effective", "status")


def stamp(row: CandidateRow, notes: Sequence[Note], claim: Claim | None, proposed: Sequence[Proposed]) -> str:
    """Hours that go by are no news."""
    told: Mapping[str, Any] = row.assessment
    sofa, sepsis = told.get("sofa") or {}, told.get("sepsis") or {}
    seen = (
        (row.verdict, row.certainty, row.status, row.standing, row.ward, row.bed, row.sequence, str(row.deadline)),
        [told.get(name) for name in SHOWN],
        (sofa.get("low"), sofa.get("high"), sepsis.get("onset"), sepsis.get("onset_by"), sepsis.get("infection")),
        [_values(organ.get("evidence")) for organ in (sofa.get("components") or {}).values()],
        [_criterion(one) for one in told.get("criteria") or ()],
        _values((told.get("facts") or {}).values()),
        (claim.holder if claim else "", len(notes)),
        [(one.id, one.state) for one in proposed],
    )
    return hashlib.blake2b(json.dumps(seen, default=str).encode(), digest_size=12).hexdigest()


def _criterion(one: Mapping[str, Any]) -> tuple[Any, ...]:
    """Without its evidence where that has no message: an age is as old as the assessment."""
    measured = (found for found in one.get("evidence") or () if found.get("message"))
    return (
        one.get("id"),
        one.get("answer"),
        one.get("certain"),
        one.get("determined_by"),
        one.get("note"),
        _values(measured),
    )


def _values(many: Iterable[Mapping[str, Any]] | None) -> list[list[Any]]:
    return [[found.get(name) for name in MEASURED] for found in many or ()]
