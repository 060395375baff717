"""Why the machine had not shown somebody whom a person holds to be a candidate: the review of a missed case."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from adapter.domain.assessment import Assessment, Verdict
from adapter.domain.patient import PatientId
from adapter.domain.trial import Trial
from adapter.domain.truth import Truth
from adapter.eligibility.evaluate import DELETED, MARKS, assess
from adapter.eligibility.verdict import stands_against
from adapter.pipeline.knots import state_of
from adapter.scoring.chart import chart_of
from adapter.screening.rulebook import Rulebook
from adapter.store import persons, worklist
from adapter.store.candidate_rows import CandidateRow
from adapter.store.database import Snapshot


class Cause(StrEnum):
    """What stands in the store; people read it in `web.cases.CAUSES`."""

    FLAGGED = "flagged"
    FLAGGED_LATER = "flagged-later"
    NEVER_HEARD = "never-heard"
    HELD_BACK = "held-back"
    CRITERION = "criterion"
    TIME_OVER = "time-over"
    TOLD_LATER = "told-later"
    MISSING_DATA = "missing-data"
    NO_INFECTION = "no-infection"


@dataclass(frozen=True, slots=True)
class Review:
    """`detail` names the criteria, results or marks the cause speaks of; `candidate` is the worklist id, if there is one."""

    cause: Cause
    detail: tuple[str, ...] = ()
    candidate: str = ""


def review(conn: Snapshot, rules: Rulebook, trial: Trial, patient: PatientId, at: datetime) -> Review:
    """By what people were told until `at`; where they were not, by the rules and all that is known today of that moment."""
    name = persons.resolve(conn, patient)
    rows = [row for row in worklist.of_patient(conn, name) if row.trial == trial.id]
    told = sorted((moment, row.id) for row in rows for moment in _told(conn, row))
    if told:
        first, candidate = told[0]
        return Review(Cause.FLAGGED if first <= at else Cause.FLAGGED_LATER, (), candidate)
    chart = chart_of(state_of(conn, name))
    if not chart.state.results and not chart.state.statements:
        return Review(Cause.NEVER_HEARD)
    options = rules.scoring_options(name.site)
    seen = assess(trial, chart, at, options=options, rulebook=rules.digest)
    cause, detail = _because(trial, seen)
    known = max(rows, key=lambda row: row.evaluated_at, default=None)
    return Review(cause, detail, known.id if known else "")


def _told(conn: Snapshot, row: CandidateRow) -> Iterator[datetime]:
    """When people were told of it first."""
    if row.raised is not None:
        yield min((line.at for line in worklist.history(conn, row.id) if line.kind == "raised"), default=row.raised)


def _because(trial: Trial, seen: Assessment) -> tuple[Cause, tuple[str, ...]]:
    held = tuple(sorted({*MARKS.values(), DELETED} & set(seen.flags)))
    against = tuple(result.id for result in seen.criteria if stands_against(result))
    sepsis = next((r.answer for r in seen.criteria if r.id == trial.parameters.sepsis_criterion), Truth.UNKNOWN)
    if held:
        return Cause.HELD_BACK, held
    if seen.verdict is Verdict.EXPIRED:
        return Cause.TIME_OVER, ()
    if seen.verdict is Verdict.NOT_CANDIDATE:
        return Cause.CRITERION, against
    if seen.shown:
        return Cause.TOLD_LATER, ()
    if sepsis is Truth.MET:
        return Cause.NO_INFECTION, (trial.parameters.infection_criterion,)
    return Cause.MISSING_DATA, seen.missing
