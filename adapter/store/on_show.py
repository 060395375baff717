"""Whom people see now, counted and paged: however many there are, only the rows that somebody asked for are read whole."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Connection, func, or_, select, text, union_all

from adapter.store.accounts import EVERYWHERE, Scope
from adapter.store.candidate_rows import CandidateRow, candidate_row, rows
from adapter.store.codec import instant
from adapter.store.schema import SHOWN, STANDING, TOLD, candidates
from adapter.store.within import within

WITHDRAWN_SHOWN = timedelta(hours=24)
"""A withdrawn candidate stays on the list this long, so that nobody looks for it in vain."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Standing candidates by verdict, and how many were taken back lately."""

    verdicts: dict[str, int]
    withdrawn: int


def seen(now: datetime) -> CompoundSelect[Any]:
    """Ids of standing candidates, and of those withdrawn less than 24 hours ago."""
    recent = candidates.c.changed > instant(now - WITHDRAWN_SHOWN)
    parts = ((text(STANDING),), (text(SHOWN),), (text(TOLD), recent))
    return union_all(*(select(candidates.c.id).where(*one) for one in parts))


def number(conn: Connection, now: datetime) -> int:
    return int(conn.execute(select(func.count()).select_from(candidates).where(*_of(now, EVERYWHERE))).scalar_one())


def tally(conn: Connection, now: datetime, scope: Scope = EVERYWHERE) -> Tally:
    standing, verdict = candidates.c.standing, candidates.c.verdict
    wanted = select(standing, verdict, func.count()).where(*_of(now, scope)).group_by(standing, verdict)
    found = conn.execute(wanted.order_by(verdict)).all()
    verdicts = {word: count for stands, word, count in found if stands}
    return Tally(verdicts, sum(count for stands, _, count in found if not stands))


def in_doubt(conn: Connection, now: datetime, scope: Scope = EVERYWHERE) -> list[CandidateRow]:
    """Of whom an assessment says that it is not known who they are, or which number is theirs; least time left first."""
    doubted = or_(_says(conn, "described"), _says(conn, "screening_ids"))
    wanted = rows().where(*_of(now, scope), doubted)
    return [candidate_row(row) for row in conn.execute(wanted.order_by(*_ORDER)).mappings()]


def page(conn: Connection, now: datetime, whose: tuple[Scope, Collection[str]], part: slice) -> list[CandidateRow]:
    """Of these trials, least time left first."""
    wanted = rows().where(*_of(now, whose[0]), candidates.c.trial.in_(whose[1])).order_by(*_ORDER)
    wanted = wanted.offset(part.start).limit(part.stop - part.start)
    return [candidate_row(row) for row in conn.execute(wanted).mappings()]


def number_of(conn: Connection, now: datetime, scope: Scope, trials: Collection[str]) -> int:
    wanted = select(func.count()).select_from(candidates).where(*_of(now, scope), candidates.c.trial.in_(trials))
    return int(conn.execute(wanted).scalar_one())


_ORDER = (candidates.c.deadline.is_(None), candidates.c.deadline, candidates.c.id)


def _of(now: datetime, scope: Scope) -> tuple[ColumnElement[bool], ...]:
    return (candidates.c.id.in_(seen(now)), *within(scope))


def _says(conn: Connection, key: str) -> ColumnElement[bool]:
    """The text of the assessment holds a list under this key; looked for by the database, which need not read JSON for it."""
    find = func.instr if conn.dialect.name == "sqlite" else func.strpos
    return find(candidates.c.assessment, f'"{key}":[') > 0
