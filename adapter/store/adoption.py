"""A candidate whose episode became another patient's: the row moves to that person, and old links still lead to it."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from adapter.domain.patient import PatientId
from adapter.store.calling import calls, openings
from adapter.store.codec import storable
from adapter.store.patients import key_of
from adapter.store.schema import candidate_aliases, candidate_history, candidates
from adapter.store.team import claims
from adapter.store.upsert import insert as insert_new

_BY_NOW = select(candidate_aliases.c.candidate).where(candidate_aliases.c.former == bindparam("candidate"))
PRESENT = func.coalesce(_BY_NOW.correlate(None).scalar_subquery(), bindparam("candidate"))
"""The id that the candidate given as `candidate` goes by now."""

_ALERT = ("raised", "changed", "sequence", "standing", "summary", "decided_at", "decided_sequence")


def adopt(tx: Connection, former: str, candidate: str, patient: PatientId, episode: str) -> None:
    """`former` becomes `candidate`, an episode of `patient`; where that stands already, the alert that was raised first lives on."""
    wanted = select(candidates).where(candidates.c.id.in_((former, candidate)))
    rows = {row["id"]: dict(row) for row in tx.execute(wanted).mappings()}
    if former not in rows or former == candidate:
        return
    if candidate in rows:
        alert = _older(rows[candidate], rows[former])
        tx.execute(update(candidates).where(candidates.c.id == candidate).values(**alert))
    else:
        place = {"patient": key_of(tx, patient), "episode": storable(episode)}
        tx.execute(insert(candidates), rows[former] | {"id": candidate} | place)
    for table in (candidate_history, candidate_aliases, calls, openings):
        tx.execute(update(table).where(table.c.candidate == former).values(candidate=candidate))
    held = tx.execute(select(claims).where(claims.c.candidate == former)).mappings().one_or_none()
    if held is not None:
        tx.execute(insert_new(claims).values(dict(held) | {"candidate": candidate}).on_conflict_do_nothing())
        tx.execute(delete(claims).where(claims.c.candidate == former))
    # In a circle of merges an id comes back: it is no former one any more.
    tx.execute(delete(candidate_aliases).where(candidate_aliases.c.former == candidate))
    tx.execute(insert(candidate_aliases), {"former": former, "candidate": candidate})
    tx.execute(delete(candidates).where(candidates.c.id == former))


def _older(one: dict[str, object], other: dict[str, object]) -> dict[str, object]:
    """Standing before withdrawn before never raised, then raised first."""
    kept = min((one, other), key=lambda row: (not row["standing"], row["raised"] is None, str(row["raised"])))
    return {name: kept[name] for name in _ALERT}


def nobodys(tx: Connection, known: Sequence[str]) -> None:
    """Candidates that stand are no former ones: links lead to them, whoever had their ids before."""
    tx.execute(delete(candidate_aliases).where(candidate_aliases.c.former.in_(known)))
