"""Who was screened, under screening numbers alone: for sponsor and auditor, who must never learn a name (reliability 4.4)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from adapter.store import screening_ids, worklist
from adapter.store.audit import Act
from adapter.web import render, words
from adapter.web.access import SeesNumbers
from adapter.web.answers import REFUSALS
from adapter.web.context import WebContext
from adapter.web.record import note
from adapter.web.roles import Right, may
from adapter.web.sessions import Visitor

router = APIRouter()

TAKING_PART = frozenset({"consented", "on-study", "withdrawn"})
"""Statuses of those who agreed; the sponsor is told of nobody else."""
FIELDS = ("screening_id", "trial", "site", "verdict", "certainty", "status", "raised", "changed")


@router.get("/api/v1/screened", responses=REFUSALS)
async def as_json(request: Request, visitor: SeesNumbers) -> dict[str, Any]:
    """One entry an episode somebody was told of: numbers, words and days; no name, no place, no result."""
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
    """Ordered by number, which is random: the order tells nothing."""
    everybody = may(visitor.role, Right.PSEUDONYMS)
    with context.database.read() as conn:
        found = []
        for row in worklist.listing(conn):
            seen = row.raised is not None and visitor.scope.holds(row.patient.site, row.trial)
            if not seen or not (everybody or row.status in TAKING_PART):
                continue
            number = screening_ids.find(conn, context.secret, row.trial, row.patient) or ""
            told = (number, row.trial, row.patient.site, row.verdict, row.certainty, row.status)
            found.append(dict(zip(FIELDS, (*told, _day(row.raised), _day(row.changed)), strict=True)))
    yield from sorted(found, key=lambda row: (row["screening_id"], row["raised"]))


def _day(moment: datetime | None) -> str:
    return "" if moment is None else moment.date().isoformat()


def _words(row: dict[str, str]) -> str:
    return words.sentence(row["status"]) if row["status"] else ""
