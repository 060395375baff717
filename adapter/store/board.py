"""The worklist as people look at it: sorted and counted by one index, and only the rows of a page read whole."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, false, func, literal, or_, select, text, true

from adapter.store.accounts import EVERYWHERE, Scope
from adapter.store.candidate_rows import CandidateRow, candidate_row, rows
from adapter.store.codec import instant, moment_or_none
from adapter.store.schema import TOLD, candidate_history, candidates, patients
from adapter.store.team import claims, looks, seen
from adapter.store.within import within
from adapter.store.worklist import WITHDRAWN_SHOWN

DAY_AND_HOUR = len("2026-01-31T23")
NEVER = ""
"""Before every instant."""


class Part(StrEnum):
    """Where on the list a candidate stands."""

    OPEN = "open"
    DECIDED = "decided"
    """Somebody declined or enrolled; nothing is new since."""
    OVER = "over"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who looks at what. `closing`: by trial the statuses after which nobody need look, until there is news.

    `only`: candidates that a search found.
    """

    now: datetime
    reader: str
    closing: Mapping[str, Collection[str]]
    trial: str = ""
    stratum: str = ""
    ward: str = ""
    holder: str = ""
    free: bool = False
    """Those that nobody has in hand."""
    news: bool = False
    only: Collection[str] | None = field(default=None, repr=False)
    scope: Scope = EVERYWHERE


@dataclass(frozen=True, slots=True)
class Count:
    candidates: int = 0
    news: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """`news`: people were told something since the reader looked; `new`: it was raised since."""

    row: CandidateRow
    news: bool
    new: bool


@dataclass(frozen=True, slots=True)
class Other:
    """The same person on the list of another trial."""

    id: str
    trial: str
    status: str
    standing: bool


def counts(conn: Connection, asked: Asked) -> dict[Part, Count]:
    """Of every part, with the same filters."""
    part, news = _part(asked).label("part"), _news(conn, asked).label("news")
    inner = _from(asked, select(part, news)).where(*_wanted(conn, asked)).subquery()
    grouped = select(inner.c.part, inner.c.news, func.count()).group_by(inner.c.part, inner.c.news)
    found = {kind: Count() for kind in Part}
    for name, fresh, number in conn.execute(grouped):
        was = found[Part(name)]
        found[Part(name)] = Count(was.candidates + number, was.news + (number if fresh else 0))
    return found


def page(conn: Connection, asked: Asked, part: Part, limit: int, skip: int = 0) -> list[Listed]:
    """Least time left first, certain before possible within the hour; what was taken back the newest first."""
    news, new = _news(conn, asked).label("news"), _new(conn, asked).label("new")
    wanted = _from(asked, select(candidates.c.id, news, new)).where(_part(asked) == part, *_wanted(conn, asked))
    found = conn.execute(wanted.order_by(*_order(part)).limit(limit).offset(skip)).all()
    read = {row["id"]: row for row in conn.execute(rows().where(candidates.c.id.in_([f.id for f in found]))).mappings()}
    return [Listed(candidate_row(read[f.id]), bool(f.news), bool(f.new)) for f in found]


def newest(conn: Connection, asked: Asked) -> datetime | None:
    """When people were told something last."""
    known: tuple[Any, ...] = (text(TOLD), candidates.c.trial.in_(asked.closing), *within(asked.scope))
    found = conn.execute(select(func.max(candidates.c.changed)).where(*known)).scalar_one()
    return moment_or_none(found)


def wards(conn: Connection, asked: Asked) -> list[str]:
    """Where candidates lie who stand on the list."""
    known: tuple[Any, ...] = (text(TOLD), candidates.c.standing == 1, candidates.c.ward != "")
    known += (candidates.c.trial.in_(asked.closing), *within(asked.scope))
    return list(conn.execute(select(candidates.c.ward).where(*known).distinct().order_by(candidates.c.ward)).scalars())


def search(conn: Connection, words: Iterable[str], most: int) -> list[str]:
    """Candidates of whom every word is said: in name, number, ward or bed, whatever the case of letters."""
    said = (*(candidates.c[name] for name in ("family", "given", "ward", "bed")), patients.c.value)
    wanted = select(candidates.c.id, *said).join(patients, patients.c.key == candidates.c.patient).where(text(TOLD))
    asked = [word.casefold() for word in words]
    found: list[str] = []
    for row in conn.execute(wanted):
        told = " ".join(row[1:]).casefold()
        if all(word in told for word in asked):
            found.append(row[0])
    return found[:most]


def others(conn: Connection, known: Sequence[str]) -> dict[str, list[Other]]:
    """By candidate: where the same person is on the list of another trial, or was decided upon there."""
    other = candidates.alias("other")
    same = and_(other.c.patient == candidates.c.patient, other.c.trial != candidates.c.trial)
    shown = or_(other.c.standing == 1, and_(other.c.status != "", other.c.raised.is_not(None)))
    wanted = select(
        candidates.c.id, *(other.c[name].label(f"o_{name}") for name in ("id", "trial", "status", "standing"))
    )
    found: dict[str, list[Other]] = {}
    chosen = wanted.join(other, same).where(candidates.c.id.in_(known), shown).order_by(other.c.trial, other.c.id)
    for row in conn.execute(chosen):
        found.setdefault(row[0], []).append(Other(row[1], row[2], row[3], bool(row[4])))
    return found


def last_told(conn: Connection, known: Sequence[str]) -> dict[str, str]:
    """By candidate: what people were told last."""
    told = candidate_history.c.kind.in_(("raised", "updated", "withdrawn"))
    newest = select(func.max(candidate_history.c.id)).where(candidate_history.c.candidate.in_(known), told)
    ids = newest.group_by(candidate_history.c.candidate)
    wanted = select(candidate_history.c.candidate, candidate_history.c.text).where(candidate_history.c.id.in_(ids))
    return {row[0]: row[1] for row in conn.execute(wanted)}


def _from(asked: Asked, wanted: Any) -> Any:
    """With what the reader has seen, and who has whom in hand where that is asked for."""
    mine = and_(seen.c.candidate == candidates.c.id, seen.c.reader == asked.reader)
    found = wanted.select_from(candidates).outerjoin(seen, mine)
    if asked.holder or asked.free:
        return found.outerjoin(claims, claims.c.candidate == candidates.c.id)
    return found


def _wanted(conn: Connection, asked: Asked) -> list[ColumnElement[bool]]:
    recent = candidates.c.changed > instant(asked.now - WITHDRAWN_SHOWN)
    known = candidates.c
    wanted = [text(TOLD), or_(known.standing == 1, and_(known.standing == 0, recent)), known.trial.in_(asked.closing)]
    wanted += within(asked.scope)
    wanted += [known[name] == value for name in ("trial", "stratum", "ward") if (value := getattr(asked, name))]
    if asked.holder:
        wanted.append(claims.c.holder == asked.holder)
    if asked.free:
        wanted.append(claims.c.holder.is_(None))
    if asked.news:
        wanted.append(_news(conn, asked))
    if asked.only is not None:
        wanted.append(known.id.in_(asked.only))
    return wanted  # type: ignore[return-value]  # `text` is a condition of ours


def _part(asked: Asked) -> ColumnElement[str]:
    known = candidates.c
    over = or_(known.verdict == "expired", known.deadline <= instant(asked.now))
    closed = or_(false(), *(and_(known.trial == t, known.status.in_(names)) for t, names in asked.closing.items()))
    settled = and_(closed, or_(known.sequence <= known.decided_sequence, over))
    names = ((known.standing == 0, Part.WITHDRAWN), (settled, Part.DECIDED), (over, Part.OVER), (true(), Part.OPEN))
    return case(*((condition, literal(str(name))) for condition, name in names))


def _looked(conn: Connection, asked: Asked) -> str:
    return conn.execute(select(looks.c.at).where(looks.c.reader == asked.reader)).scalar_one_or_none() or NEVER


def _news(conn: Connection, asked: Asked) -> ColumnElement[bool]:
    return candidates.c.changed > func.coalesce(seen.c.at, _looked(conn, asked))


def _new(conn: Connection, asked: Asked) -> ColumnElement[bool]:
    return candidates.c.raised > func.coalesce(seen.c.at, _looked(conn, asked))


def _order(part: Part) -> tuple[Any, ...]:
    known = candidates.c
    if part is Part.WITHDRAWN:
        return (known.changed.desc(), known.id)
    hour = func.substr(known.deadline, 1, DAY_AND_HOUR)
    order = (known.deadline.is_(None), hour, known.certainty, known.deadline, known.id)
    return order if part is not Part.OVER else (known.deadline.is_(None), known.deadline.desc(), known.id)
