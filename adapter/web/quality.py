"""Feeds and data in numbers: what came in, what became of it, how many candidates; no patient."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from adapter.store import inbox, worklist
from adapter.web import render, words
from adapter.web.access import SeesCounts
from adapter.web.context import WebContext
from adapter.web.worklist import read_feeds

router = APIRouter(include_in_schema=False)

MESSAGES = ("received", "applied", "duplicate", "ignored", "quarantined", "pending", "control_id_reuse")


@router.get("/quality")
async def page(request: Request, visitor: SeesCounts) -> Response:
    context: WebContext = request.app.state.context
    numbers = await run_in_threadpool(read_counts, context)
    return render.page(
        request,
        "quality.html",
        visitor=visitor,
        here="quality",
        feeds=await run_in_threadpool(read_feeds, context),
        messages=[(words.sentence(name), number) for name, number in numbers["messages"].items()],
        candidates=[(words.sentence(name), number) for name, number in numbers["candidates"].items()],
    )


def read_counts(context: WebContext) -> dict[str, Any]:
    """By state: what was received is applied, duplicate, ignored, quarantined or pending."""
    with context.database.read() as conn:
        counts = asdict(inbox.counts(conn))
        rows = worklist.shown(conn, context.clock())
        watching = worklist.watching_count(conn)
    verdicts: dict[str, int] = {"watching": watching, "withdrawn": sum(not row.standing for row in rows)}
    for row in rows:
        if row.standing:
            verdicts[row.verdict] = verdicts.get(row.verdict, 0) + 1
    return {"messages": {name: counts[name] for name in MESSAGES}, "candidates": verdicts}
