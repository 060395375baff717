"""The pages a coordinator works with: the list, and one candidate with everything it rests on."""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from adapter.domain.onset import ONSET
from adapter.pipeline.backlog import LONG
from adapter.scoring.thresholds import WORST_TOTAL
from adapter.store import feeds as feed_store
from adapter.store import inbox, unjudged
from adapter.store.accounts import Scope
from adapter.store.audit import Act
from adapter.web import board, dossier, filters, listing, render, sheet, since, story, times, ways, wishes, words
from adapter.web.access import SeesPatients, SignedIn
from adapter.web.around import around
from adapter.web.context import WebContext
from adapter.web.filters import Filters
from adapter.web.onward import just_answered
from adapter.web.question import Question
from adapter.web.reached import reached
from adapter.web.record import write
from adapter.web.roles import Right
from adapter.web.sessions import Visitor
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
    return await drawn(request, _list_drawn, visitor, filters.read(request.query_params), hold)


def _list_drawn(request: Request, visitor: Visitor, wanted: Filters, hold: bool) -> Response:
    """All of it in one thread: no view holds up the loop that answers senders. What a search found holds still."""
    context: WebContext = request.app.state.context
    said = ways.words(context, visitor, wanted.found)
    lost = bool(wanted.found) and not said
    if lost:
        wanted = Filters()
    listed = listing.read(context, visitor, wanted, Question.of(said) if said else None)
    shown = {"rows": len(listed.main.rows) + sum(len(part.rows) for part in listed.aside), "search": bool(said)}
    write(context, Act(visitor.name, visitor.role, "view-worklist", "worklist", detail=shown))
    feeds, behind = read_feeds(context, visitor.scope), read_behind(context)
    now, zone = context.clock(), common_zone(context, visitor.scope)
    still = hold or bool(said)
    trials = [trial for trial in context.trials if visitor.scope.trial(trial.id)]
    return render.page(
        request,
        "worklist.html",
        visitor=visitor,
        here="worklist",
        listed=listed,
        wanted=wanted,
        said=said,
        lost=lost,
        feeds=feeds,
        behind=behind,
        quiet=any(feed.state != "live" for feed in feeds),
        now=times.local(now, zone),
        on_call=context.alerts.rota().on_call(now) if context.alerts.rota else None,
        zone=times.zone_name(zone, now),
        zones=len(zones_of(context, visitor.scope)),
        refresh=0 if still else DEMO_RELOAD_SECONDS if context.demo else RELOAD_SECONDS,
        trials=[trial.id for trial in trials],
        strata=[(name, words.stratum(name)) for name in filters.strata(trials)],
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
    "proposed": mark("Proposed. An investigator approves it, or sends it back."),
    "approved": mark("Approved. The page shows it."),
    "sent-back": mark("Sent back. The question is open again."),
    "pending": mark("Saved. It takes effect in a moment; reload the page to see it."),
}


async def candidate_page(
    request: Request, visitor: Visitor, candidate: str, *, problem: str = "", typed: Typed = NOTHING
) -> Response:
    """The page, also after an act, with what became of it (`?saved=`); for paper (`?print=1`) all is open and nothing is asked.

    With a `problem` nothing was saved, and the form holds what was `typed` into it.
    """
    return await _drawn(request, visitor, candidate, (problem, typed, 422))


async def redrawn(request: Request, visitor: Visitor, candidate: str, typed: Typed) -> Response:
    """The page after a form of another session: what was typed waits for whoever is signed in now to send it."""
    problem = say(
        "This page was opened in another session, and nothing was saved. You are signed in as %(name)s: "
        "look at it, then send it again.",
        name=visitor.name,
    )
    return await _drawn(request, visitor, candidate, (problem, typed, 403))


Refused = tuple[str, Typed, int]
"""Why, what was typed, and the HTTP status."""


async def _drawn(request: Request, visitor: Visitor, candidate: str, refused: Refused) -> Response:
    return await drawn(request, _candidate_drawn, visitor, candidate, refused)


def _candidate_drawn(request: Request, visitor: Visitor, candidate: str, refused: Refused) -> Response:
    """As `_list_drawn`."""
    query = request.query_params
    saved, printing = query.get("saved", ""), query.get("print") == "1"
    context: WebContext = request.app.state.context
    problem, typed, status = refused
    back = ways.back(context, visitor, candidate, request.headers.get("referer", ""))
    seen = dossier.read(context, dossier.looked_at(context, visitor, candidate))
    row, now = seen.row, context.clock()
    trial = context.trial(row.trial)
    if trial is None:
        raise HTTPException(404, say("This trial is not screened here."))
    shown = sheet.sheet(row, context, now)
    return render.page(
        request,
        "candidate.html",
        visitor=visitor,
        status=status if problem else 200,
        sheet=shown,
        around=around(context, seen, trial, visitor),
        trial_title=trial.title,
        choices=wishes.choices(trial),
        tests=wishes.tests(),
        randomised=wishes.randomised(row),
        points=WORST_TOTAL,
        meaning=sheet.meaning,
        token=lambda: secrets.token_urlsafe(16),
        latest=f"{now.astimezone(board.zone_of(context, row.patient.site)):%Y-%m-%dT%H:%M}",
        may_act=visitor.may(Right.ACT) and not printing,
        printing=printing,
        reached=reached(seen, context),
        saved=say(SAVED.get(saved, "")),
        problem=problem,
        typed=typed,
        back=back,
        answered=just_answered(shown, query.get("answered", "")) if saved == APPLIED else None,
        silent=[feed for feed in read_feeds(context, visitor.scope) if feed.stops(row.patient.site)],
        stamp=seen.stamp,
        upon=lambda criterion="": since.upon(seen.state, row, criterion),
        onset_question=ONSET,
        proposal=story.proposal,
    )


def read_feeds(context: WebContext, scope: Scope) -> list[board.Feed]:
    with context.database.read() as conn:
        last = {row.source: row.last_received for row in feed_store.listing(conn)}
    mine = [info for info in context.feeds if scope.site(info.site)]
    return [board.feed(info, last.get(info.name), context, context.clock()) for info in mine]


def read_behind(context: WebContext) -> bool:
    """Whether a backlog is being worked off: somebody may be missing from the list."""
    with context.database.read() as conn:
        return unjudged.number(conn) > 0 or inbox.more_wait_than(conn, LONG)


def common_zone(context: WebContext, scope: Scope) -> tzinfo:
    """The zone of a page's own clock: that of the reader's sites, where they have one."""
    zones = zones_of(context, scope)
    return zones.pop() if len(zones) == 1 else UTC


def zones_of(context: WebContext, scope: Scope) -> set[tzinfo]:
    return {board.zone_of(context, info.site) for info in context.feeds if scope.site(info.site)}
