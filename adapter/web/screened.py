"""Who was screened, under screening numbers alone: for sponsor and auditor, who must never learn a name (reliability 4.4)."""

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from adapter.domain.patient import PatientId
from adapter.domain.trial import CONSENTED, ON_STUDY
from adapter.store import screened
from adapter.store.audit import Act
from adapter.store.screened import Told
from adapter.web import board, render, words
from adapter.web.access import SeesNumbers
from adapter.web.answers import REFUSALS
from adapter.web.context import WebContext
from adapter.web.numbers import Linkage
from adapter.web.record import note
from adapter.web.roles import Right, may
from adapter.web.sessions import Visitor

router = APIRouter()

TAKING_PART = frozenset({CONSENTED, ON_STUDY, "withdrawn"})
"""Statuses of those who agreed; the sponsor is told of nobody else."""
FIELDS = ("screening_id", "trial", "site", "verdict", "certainty", "status", "raised", "changed")


@router.get("/api/v1/screened", responses=REFUSALS)
async def as_json(request: Request, visitor: SeesNumbers) -> dict[str, Any]:
    """One entry a person and trial, where anybody was told: numbers, words and days; no name, no place, no result."""
    return {"screened": await _read(request, visitor)}


@router.get("/screened", include_in_schema=False)
async def page(request: Request, visitor: SeesNumbers) -> Response:
    told = [
        row | {"words": _words(row), "verdict_words": words.sentence(row["verdict"])}
        for row in await _read(request, visitor)
    ]
    return render.page(request, "screened.html", visitor=visitor, here="screened", rows=told)


async def _read(request: Request, visitor: Visitor) -> list[dict[str, str]]:
    context: WebContext = request.app.state.context
    rows = await run_in_threadpool(lambda: list(numbered(context, visitor)))
    await note(request, Act(visitor.name, visitor.role, "view-screened", "screened", detail={"rows": len(rows)}))
    return rows


def numbered(context: WebContext, visitor: Visitor) -> Iterator[dict[str, str]]:
    """A person stands here once for each trial, whatever they have of records and episodes. Ordered by number, which is
    random: the order tells nothing.
    """
    everybody = may(visitor.role, Right.PSEUDONYMS)
    found: dict[tuple[str, PatientId], list[Told]] = {}
    numbers: dict[tuple[str, PatientId], str] = {}
    with context.database.read() as conn:
        linkage = Linkage(conn, context.secret)
        for one in screened.told(conn, visitor.scope):
            who, number = linkage.person(one.trial, one.patient, tied=one.tied)
            found.setdefault((one.trial, who), []).append(one)
            numbers[one.trial, who] = number
    rows = [
        _row(numbers[key], many, board.zone_of(context, key[1].site))
        for key, many in found.items()
        if everybody or _takes_part(many)
    ]
    yield from sorted(rows, key=lambda row: (row["screening_id"], row["raised"]))


def _takes_part(many: Sequence[Told]) -> bool:
    return any(one.status in TAKING_PART for one in many)


def _row(number: str, many: Sequence[Told], zone: tzinfo) -> dict[str, str]:
    """`many`: the episodes of a person, oldest first; days are those of `zone`. Told is the one in which they take part, else
    the newest.
    """
    shown = next((one for one in reversed(many) if one.status in TAKING_PART), many[-1])
    changed = max((one.changed for one in many if one.changed is not None), default=None)
    told = (number, shown.trial, shown.patient.site, shown.verdict, shown.certainty, shown.status)
    return dict(zip(FIELDS, (*told, _day(many[0].raised, zone), _day(changed, zone)), strict=True))


def _day(moment: datetime | None, zone: tzinfo) -> str:
    return "" if moment is None else moment.astimezone(zone).date().isoformat()


def _words(row: dict[str, str]) -> str:
    return words.sentence(row["status"]) if row["status"] else ""
