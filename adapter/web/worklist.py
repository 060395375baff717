"""The pages a coordinator works with: the list, and one candidate with everything it rests on."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from adapter.scoring.thresholds import WORST_TOTAL
from adapter.store import calls, teamwork, worklist
from adapter.store import feeds as feed_store
from adapter.store.accounts import Scope
from adapter.store.audit import Act
from adapter.store.origins import with_origins
from adapter.store.worklist import CandidateRow, HistoryRow
from adapter.web import board, filters, listing, render, sheet, times, wishes, words
from adapter.web.access import SeesPatients, SignedIn
from adapter.web.around import around
from adapter.web.context import WebContext
from adapter.web.filters import Filters
from adapter.web.onward import just_answered
from adapter.web.reached import Reached, reached
from adapter.web.record import recorded, write
from adapter.web.roles import Right, may
from adapter.web.sessions import Visitor
from adapter.web.stamps import read_stamp
from adapter.web.tongue import mark, say

router = APIRouter(include_in_schema=False)

Typed = Mapping[str, str]
NOTHING: Typed = {}
RELOAD_SECONDS = 30
DEMO_RELOAD_SECONDS = 5


@router.get("/")
async def the_list(request: Request, visitor: SignedIn, hold: bool = False) -> Response:
    if not visitor.may(Right.PATIENTS):
        return RedirectResponse(home(visitor), status_code=303)
    return await list_page(request, visitor, filters.read(request.query_params), hold=hold)


async def list_page(
    request: Request, visitor: Visitor, wanted: Filters, *, hold: bool = False, said: str = ""
) -> Response:
    """The list by these filters; `said` are words of a search, which stand in no address: such a page holds still."""
    return await drawn(request, _list_drawn, visitor, wanted, (hold, said))


def _list_drawn(request: Request, visitor: Visitor, wanted: Filters, how: tuple[bool, str]) -> Response:
    """All of it in one thread: no view holds up the loop that answers senders."""
    context: WebContext = request.app.state.context
    hold, said = how
    listed = listing.read(context, visitor, wanted, said)
    shown = {"rows": len(listed.main.rows) + sum(len(part.rows) for part in listed.aside), "search": bool(said)}
    write(context, Act(visitor.name, visitor.role, "view-worklist", "worklist", detail=shown))
    feeds = read_feeds(context, visitor.scope)
    now, zone = context.clock(), common_zone(context, visitor.scope)
    still = hold or bool(said)
    return render.page(
        request,
        "worklist.html",
        visitor=visitor,
        here="worklist",
        listed=listed,
        wanted=wanted,
        said=said,
        feeds=feeds,
        quiet=any(feed.state != "live" for feed in feeds),
        now=times.local(now, zone),
        zone=times.zone_name(zone, now),
        zones=len(zones_of(context, visitor.scope)),
        refresh=0 if still else DEMO_RELOAD_SECONDS if context.demo else RELOAD_SECONDS,
        trials=[trial.id for trial in context.trials if visitor.scope.trial(trial.id)],
        strata=[(name, words.stratum(name)) for name in words.STRATA],
        may_act=visitor.may(Right.ACT),
    )


async def drawn(request: Request, draw: Callable[..., Response], *what: Any) -> Response:
    """In a thread, a few at a time: drawing is computing, and more at once would only take turns with each other, and with
    whoever answers senders.
    """
    return await to_thread.run_sync(draw, request, *what, limiter=request.app.state.drawing)


def home(visitor: Visitor) -> str:
    """The first page of somebody without patients."""
    sees = {"/quality": (Right.COUNTS,), "/screened": (Right.PSEUDONYMS, Right.ENROLLED)}
    places = (where for where, rights in sees.items() if any(visitor.may(right) for right in rights))
    return next(places, "/account")


@router.get("/c/{candidate}")
async def one(request: Request, visitor: SeesPatients, candidate: str) -> Response:
    return await candidate_page(request, visitor, candidate)


APPLIED = "applied"
SAVED = {
    APPLIED: mark("Saved. The page shows it."),
    "pending": mark("Saved. It takes effect in a moment; reload the page to see it."),
}


async def candidate_page(
    request: Request, visitor: Visitor, candidate: str, *, problem: str = "", typed: Typed = NOTHING
) -> Response:
    """The page, also after an act, with what became of it (`?saved=`); for paper (`?print=1`) all is open and nothing is asked.

    With a `problem` nothing was saved, and the form holds what was `typed` into it.
    """
    return await drawn(request, _candidate_drawn, visitor, candidate, (problem, typed))


def _candidate_drawn(request: Request, visitor: Visitor, candidate: str, refused: tuple[str, Typed]) -> Response:
    """As `_list_drawn`."""
    query = request.query_params
    saved, printing = query.get("saved", ""), query.get("print") == "1"
    context: WebContext = request.app.state.context
    problem, typed = refused
    row, history = _known(context, visitor, candidate)
    now = context.clock()
    trial = context.trial(row.trial)
    if trial is None:
        raise HTTPException(404, say("This trial is not screened here."))
    shown, stamp = sheet.sheet(row, context, now), read_stamp(context, row)
    return render.page(
        request,
        "candidate.html",
        visitor=visitor,
        status=422 if problem else 200,
        sheet=shown,
        around=around(context, row, trial, (history, visitor)),
        trial_title=trial.title,
        choices=wishes.choices(trial),
        tests=wishes.tests(),
        points=WORST_TOTAL,
        meaning=sheet.meaning,
        token=lambda: secrets.token_urlsafe(16),
        latest=f"{now.astimezone(board.zone_of(context, row.patient.site)):%Y-%m-%dT%H:%M}",
        may_act=visitor.may(Right.ACT) and not printing,
        printing=printing,
        reached=read_reached(context, row, history),
        saved=say(SAVED.get(saved, "")),
        problem=problem,
        typed=typed,
        answered=just_answered(shown, query.get("answered", "")) if saved == APPLIED else None,
        silent=[feed for feed in read_feeds(context, visitor.scope) if feed.stops(row.patient.site)],
        stamp=stamp,
    )


async def known(request: Request, visitor: Visitor, candidate: str) -> tuple[CandidateRow, list[HistoryRow]]:
    """The candidate with its history, the view written down; 404 for one nobody was ever told of."""
    return await run_in_threadpool(_known, request.app.state.context, visitor, candidate)


def _known(context: WebContext, visitor: Visitor, candidate: str) -> tuple[CandidateRow, list[HistoryRow]]:
    found = read_one(context, candidate, visitor.scope)
    outcome = "ok" if found else "not found"
    act = Act(visitor.name, visitor.role, "view-candidate", "candidate", candidate[:64], outcome=outcome)
    _viewed(context, act, found[0] if found else None)
    if found is None:
        raise HTTPException(404, say("There is no such candidate."))
    return found


def _viewed(context: WebContext, act: Act, row: CandidateRow | None) -> None:
    """What people were told of this candidate is no news any more to whoever opened it."""
    with context.database.write() as tx:
        recorded(tx, act, context.clock())
        if row is not None and row.changed is not None:
            teamwork.opened(tx, act.actor, row.id, row.changed)
        if row is not None and may(act.role, Right.ACT):
            calls.opened(tx, row.id, act.actor, context.clock())


def read_one(context: WebContext, candidate: str, scope: Scope) -> tuple[CandidateRow, list[HistoryRow]] | None:
    """Only who is or was shown: everyone else is merely counted (decisions A2). Of other sites and trials nobody (W03)."""
    with context.database.read() as conn:
        row = worklist.find(conn, candidate)
        if row is None or not context.trial(row.trial) or not (row.shown or row.raised):
            return None
        if not scope.holds(row.patient.site, row.trial):
            return None
        told = with_origins(conn, row.assessment) if row.assessment else row.assessment
        return replace(row, assessment=told), worklist.history(conn, candidate)


def read_reached(context: WebContext, row: CandidateRow, history: list[HistoryRow]) -> Reached | None:
    with context.database.read() as conn:
        return reached(conn, row, history, context)


def read_feeds(context: WebContext, scope: Scope) -> list[board.Feed]:
    with context.database.read() as conn:
        last = {row.source: row.last_received for row in feed_store.listing(conn)}
    mine = [info for info in context.feeds if scope.site(info.site)]
    return [board.feed(info, last.get(info.name), context, context.clock()) for info in mine]


def common_zone(context: WebContext, scope: Scope) -> tzinfo:
    """The zone of a page's own clock: that of the reader's sites, where they have one."""
    zones = zones_of(context, scope)
    return zones.pop() if len(zones) == 1 else UTC


def zones_of(context: WebContext, scope: Scope) -> set[tzinfo]:
    return {board.zone_of(context, info.site) for info in context.feeds if scope.site(info.site)}
