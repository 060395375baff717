"""The worklist: one row per trial × patient × episode, its alert, and the history of what people were told."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Connection,
    Exists,
    RowMapping,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    text,
    update,
)

from adapter.domain.alert import CandidateAlert
from adapter.domain.patient import PatientId
from adapter.store import codec
from adapter.store.accounts import EVERYWHERE, Scope
from adapter.store.adoption import PRESENT, adopt, nobodys
from adapter.store.candidate_rows import CandidateRow, HistoryRow, candidate_row, history_row, rows
from adapter.store.identities import unjudged
from adapter.store.on_show import seen
from adapter.store.patients import identifier
from adapter.store.schema import (
    LEFT,
    WATCHED,
    candidate_aliases,
    candidate_history,
    candidates,
    patients,
)
from adapter.store.sightings import Sighting, record, record_many
from adapter.store.within import within

__all__ = [
    "CandidateRow",
    "Due",
    "HistoryRow",
    "Sighting",
    "adopt",
    "alerts",
    "due_for_review",
    "find",
    "forget_untold",
    "history",
    "listing",
    "nobodys",
    "of_patient",
    "record",
    "record_many",
    "review_no_more",
    "sequence",
    "shown",
    "standing",
    "watching_count",
]


@dataclass(frozen=True, slots=True)
class Due:
    """An episode to be looked at again. `root`: what the patient's records are kept by, where several are tied together."""

    patient: PatientId
    trial: str
    episode: str
    root: PatientId | None = None


_TOLD = (
    select(candidates)
    .join(patients, patients.c.key == candidates.c.patient)
    .where(
        patients.c.site == bindparam("site"),
        patients.c.authority == bindparam("authority"),
        patients.c.value == bindparam("value"),
        candidates.c.raised.is_not(None),
    )
)
_ONE = rows().where(candidates.c.id == PRESENT)
_HISTORY = select(candidate_history).where(candidate_history.c.candidate == PRESENT).order_by(candidate_history.c.id)


def standing(conn: Connection, patient: PatientId, trial: str, episode: str) -> CandidateAlert | None:
    """The alert on record, standing or withdrawn; `None` while nobody was ever told."""
    return alerts(conn, patient).get((trial, codec.storable(episode)))


def alerts(conn: Connection, patient: PatientId) -> dict[tuple[str, str], CandidateAlert]:
    """By (trial, episode): every alert on record of a patient, standing or withdrawn."""
    found = conn.execute(_TOLD, identifier(patient)).mappings()
    return {(row["trial"], row["episode"]): _alert(row) for row in found}


def _alert(row: RowMapping) -> CandidateAlert:
    return CandidateAlert(
        trial=row["trial"],
        episode=row["episode"],
        standing=bool(row["standing"]),
        summary=row["summary"],
        raised=codec.moment(row["raised"]),
        changed=codec.moment(row["changed"]),
    )


def sequence(conn: Connection, candidate_id: str) -> int:
    """How many changes people were told of so far; 0 for a candidate nobody knows. The next change is this plus one."""
    found = conn.execute(select(candidates.c.sequence).where(candidates.c.id == candidate_id)).scalar_one_or_none()
    return found or 0


def shown(conn: Connection, now: datetime, *, trial: str | None = None) -> list[CandidateRow]:
    """What people see at `now`: standing candidates, and those withdrawn less than 24 hours ago; least time left first."""
    wanted = rows().where(candidates.c.id.in_(seen(now)))
    if trial is not None:
        wanted = wanted.where(candidates.c.trial == trial)
    ordered = wanted.order_by(candidates.c.deadline.is_(None), candidates.c.deadline, candidates.c.id)
    return [candidate_row(row) for row in conn.execute(ordered).mappings()]


def listing(conn: Connection) -> list[CandidateRow]:
    """Every candidate, shown or not, by id."""
    return [candidate_row(row) for row in conn.execute(rows().order_by(candidates.c.id)).mappings()]


def find(conn: Connection, candidate_id: str) -> CandidateRow | None:
    """By the id in a link, also one from before a merge of records."""
    row = conn.execute(_ONE, {"candidate": candidate_id}).mappings().one_or_none()
    return None if row is None else candidate_row(row)


def of_patient(conn: Connection, patient: PatientId) -> list[CandidateRow]:
    """All episodes of a patient in all trials."""
    wanted = rows().where(*(patients.c[name] == part for name, part in identifier(patient).items()))
    return [candidate_row(row) for row in conn.execute(wanted.order_by(candidates.c.id)).mappings()]


def history(conn: Connection, candidate_id: str) -> list[HistoryRow]:
    """Oldest first."""
    return [history_row(row) for row in conn.execute(_HISTORY, {"candidate": candidate_id}).mappings()]


def _superseded() -> Exists:
    other = candidates.alias("other")
    same = and_(other.c.patient == candidates.c.patient, other.c.trial == candidates.c.trial)
    present = or_(other.c.evaluated_at > candidates.c.evaluated_at, text(WATCHED))  # the names are those of `other`
    return select(other.c.id).where(same, present).exists()


_SUPERSEDED = _superseded()


def watching_count(conn: Connection, scope: Scope = EVERYWHERE) -> int:
    """Patients incomplete in their present episode who are only counted, never alerted (decisions A2); one a trial.

    The present episode is the one judged last: of an earlier one only what people were told is kept.
    """
    people = select(candidates.c.patient, candidates.c.trial).distinct().where(*within(scope))
    found = (people.where(text(WATCHED)), people.where(text(LEFT), ~_SUPERSEDED))
    counts = (select(func.count()).select_from(one.subquery()) for one in found)
    return sum(conn.execute(count).scalar_one() for count in counts)


def due_for_review(conn: Connection, now: datetime, limit: int) -> list[Due]:
    """Whose verdict time alone may have changed by `now` (decisions A6), longest due first; but for those whom a backlog left:
    they are judged when all of it has been told.
    """
    root = patients.alias("root")
    who = (side.c[name] for side in (patients, root) for name in ("site", "authority", "value"))
    wanted = (
        select(candidates.c.trial, candidates.c.episode, *who)
        .join(patients, patients.c.key == candidates.c.patient)
        .outerjoin(root, root.c.key == patients.c.knot)
        .where(candidates.c.review_at <= codec.instant(now))
        .where(candidates.c.patient.not_in(select(unjudged.c.patient)))
        .order_by(candidates.c.review_at)
        .limit(limit)
    )
    return [
        Due(PatientId(*row[2:5]), row[0], row[1], None if row[5] is None else PatientId(*row[5:]))
        for row in conn.execute(wanted)
    ]


def review_no_more(tx: Connection, candidate_ids: Sequence[str]) -> None:
    """Time alone changes nothing about these any more."""
    tx.execute(update(candidates).where(candidates.c.id.in_(candidate_ids)).values(review_at=None))


def forget_untold(tx: Connection, patient: PatientId, trials: Sequence[str], judged: Collection[str]) -> None:
    """Candidates of a patient in these trials that are not `judged` any more, that nobody was told of and nobody acted on."""
    left = (
        select(candidates.c.id)
        .join(patients, patients.c.key == candidates.c.patient)
        .where(*(patients.c[name] == part for name, part in identifier(patient).items()))
        .where(candidates.c.trial.in_(trials), candidates.c.raised.is_(None), candidates.c.status == "")
    )
    gone = [candidate for candidate in tx.execute(left).scalars() if candidate not in judged]
    if not gone:
        return
    tx.execute(delete(candidate_history).where(candidate_history.c.candidate.in_(gone)))
    tx.execute(delete(candidate_aliases).where(candidate_aliases.c.candidate.in_(gone)))
    tx.execute(delete(candidates).where(candidates.c.id.in_(gone)))
