"""Feeds and data in numbers: what came in, what became of it, what no mapping knew, what nobody could read."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import tzinfo
from fractions import Fraction
from itertools import islice
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from adapter.pipeline.watch import watch
from adapter.screening.reasons import explained
from adapter.store import feeds as feed_store
from adapter.store import inbox, on_show, quarantine, unmapped, worklist
from adapter.store.accounts import Scope
from adapter.store.audit import Act
from adapter.store.database import Snapshot
from adapter.store.feeds import FeedRow
from adapter.store.quarantine import QuarantineRow
from adapter.store.unmapped import Unmapped
from adapter.web import conflicts, missed, render, times, words
from adapter.web.access import SeesCounts
from adapter.web.conflicts import Doubt, doubts
from adapter.web.context import WebContext
from adapter.web.record import note
from adapter.web.roles import Right, may
from adapter.web.sessions import Visitor
from adapter.web.tongue import mark, say
from adapter.web.worklist import common_zone, read_feeds

router = APIRouter(include_in_schema=False)

MESSAGES = ("received", "applied", "duplicate", "ignored", "quarantined", "pending", "control_id_reuse")
MOST = 100
"""Messages, and codes or units, on the page; the command line lists all."""
DONE = {
    "release": mark("The message is read again. If it cannot be read now either, it comes back here."),
    "discard": mark("The message is given up: it counts as ignored."),
    "propose": mark("The line is proposed. An investigator approves it, or declines."),
    "approve": mark("The line stands in the site's file. What it concerns is being read again."),
    "decline": mark("The line is declined."),
}


@router.get("/quality")
async def page(request: Request, visitor: SeesCounts, done: str = "") -> Response:
    return await quality_page(request, visitor, said=say(DONE.get(done, "")))


async def quality_page(request: Request, visitor: Visitor, *, said: str = "", problem: str = "") -> Response:
    """The page again after an act, with what became of it."""
    context: WebContext = request.app.state.context
    numbers, doubted = await run_in_threadpool(_read, context, visitor)
    lists, maps = may(visitor.role, Right.QUARANTINE), may(visitor.role, Right.UNMAPPED)
    held = await run_in_threadpool(read_quarantine, context, visitor.scope) if lists else []
    if held:
        await note(
            request, Act(visitor.name, visitor.role, "view-quarantine", "quarantine", detail={"rows": len(held)})
        )
    zone = common_zone(context, visitor.scope)
    return render.page(
        request,
        "quality.html",
        visitor=visitor,
        status=422 if problem else 200,
        here="quality",
        feeds=await run_in_threadpool(read_feeds, context, visitor.scope),
        tallies=await run_in_threadpool(read_tallies, context, visitor.scope),
        doubts=[(say(conflicts.WORDS[kind]), number) for kind, number in numbers["identity"].items() if number],
        doubted=[(one, _since(one, zone)) for one in doubted] if visitor.may(Right.PATIENTS) else [],
        identifies=visitor.may(Right.IDENTIFY),
        messages=[(words.sentence(name), number) for name, number in numbers["messages"].items()],
        candidates=[(words.happened(name), number) for name, number in numbers["candidates"].items()],
        watched=await run_in_threadpool(read_watched, context, zone, visitor.scope) if maps else None,
        reasons=[(code, explained(code), number) for code, number in numbers["quarantine"].items()],
        unmapped=[one | {"kind": words.unmapped(one["code"])} for one in numbers["unmapped"]],
        held=[(row, times.local(row.received, zone), explained(row.reason)) for row in held],
        bench=await run_in_threadpool(missed.read, context, zone, visitor.scope) if maps else None,
        proposes=may(visitor.role, Right.PROPOSE),
        approves=may(visitor.role, Right.APPROVE),
        maps=maps,
        settles=may(visitor.role, Right.SETTLE),
        zone=times.zone_name(zone, context.clock()),
        said=said,
        problem=problem,
    )


def _since(one: Doubt, zone: tzinfo) -> str:
    return times.local(one.waits.at, zone) if one.waits else ""


def read_counts(context: WebContext, visitor: Visitor) -> dict[str, Any]:
    return _read(context, visitor)[0]


def read_tallies(context: WebContext, scope: Scope) -> list[FeedRow]:
    """What came of each source, whether it is still configured or not."""
    with context.database.read() as conn:
        return [row for row in feed_store.listing(conn) if reads(context, scope, row.source)]


def _read(context: WebContext, visitor: Visitor) -> tuple[dict[str, Any], list[Doubt]]:
    """What was received is applied, duplicate, ignored, quarantined or pending; senders' words only for who may read them."""
    scope, now = visitor.scope, context.clock()
    with context.database.read() as conn:
        rows = on_show.in_doubt(conn, now, scope)
        found = {
            "messages": _messages(conn, context, scope),
            "candidates": _verdicts(on_show.tally(conn, now, scope), worklist.watching_count(conn, scope)),
            "quarantine": quarantine.reasons(conn, sources_of(context, scope)),
            "unmapped": [asdict(one) for one in _unmapped(conn, context, visitor)],
            "identity": conflicts.counts(conn, rows, scope),
        }
        return found, doubts(conn, rows)


def _messages(conn: Snapshot, context: WebContext, scope: Scope) -> dict[str, int]:
    """Of the whole house by the ids given, which prove that none is missing; of some sites the sum of their sources."""
    if scope.sites is None:
        counts = asdict(inbox.counts(conn))
        return {name: counts[name] for name in MESSAGES}
    mine = [row for row in feed_store.listing(conn) if reads(context, scope, row.source)]
    return {name: sum(getattr(row, name) for row in mine) for name in MESSAGES}


def _verdicts(tally: on_show.Tally, watching: int) -> dict[str, int]:
    return {"watching": watching, "withdrawn": tally.withdrawn, **tally.verdicts}


def _unmapped(conn: Snapshot, context: WebContext, visitor: Visitor) -> Iterable[Unmapped]:
    """The most frequent that somebody may read of."""
    reader, everywhere = may(visitor.role, Right.UNMAPPED), visitor.scope.sites is None
    missed = unmapped.listing(conn, MOST if everywhere else unmapped.MOST) if reader else unmapped.sums(conn)
    mine = (one for one in missed if reads(context, visitor.scope, one.source))
    return islice(mine, MOST) if reader else mine


def read_watched(context: WebContext, zone: tzinfo, scope: Scope) -> dict[str, Any]:
    """Analytes that fell silent, and codes whose values or unit moved: which, since when, never a value."""
    with context.database.read() as conn:
        found = watch(conn, context.clock())
    silent = [
        (one.source, one.concept, times.local(one.last, zone), times.duration(one.usual.total_seconds()))
        for one in found.silent
        if reads(context, scope, one.source)
    ]
    moved = [
        (one.analyte, factor_text(one.factor), one.former)
        for one in found.moved
        if reads(context, scope, one.analyte.source)
    ]
    return {"silent": silent, "moved": moved}


def factor_text(factor: Fraction | None) -> str:
    """`× 8`, `÷ 8`; to the power of two that is known."""
    if factor is None:
        return ""
    return f"× {factor.numerator}" if factor >= 1 else f"÷ {factor.denominator}"


def read_quarantine(context: WebContext, scope: Scope) -> list[QuarantineRow]:
    """The newest, without a word of their content."""
    with context.database.read() as conn:
        # Only of all sites together the newest are the first: of some they are looked for.
        held = quarantine.listing(conn, limit=MOST if scope.sites is None else None, newest_first=True)
        return list(islice((row for row in held if reads(context, scope, row.source)), MOST))


def reads(context: WebContext, scope: Scope, source: str) -> bool:
    """Whether somebody works for the site a source reads; of one that is configured no more only who works for all."""
    known = sources_of(context, scope)
    return known is None or source in known


def sources_of(context: WebContext, scope: Scope) -> frozenset[str] | None:
    """Those somebody works for; None: all."""
    return None if scope.sites is None else frozenset(info.name for info in context.feeds if scope.site(info.site))
