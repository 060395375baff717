"""Working together: taking a candidate in hand, letting go, handing over, notes, and having seen what is new."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from adapter.store import teamwork
from adapter.store.audit import Act
from adapter.store.database import Transaction
from adapter.store.teamwork import HAND_OVER, Note, TakenError
from adapter.store.worklist import CandidateRow
from adapter.web import board, colleagues, fields, render, times, ways
from adapter.web.access import MayAct, SeesPatients, check_csrf, of_this_session
from adapter.web.context import WebContext
from adapter.web.dossier import known
from adapter.web.filters import Filters
from adapter.web.record import recorded
from adapter.web.sessions import Visitor
from adapter.web.tongue import say
from adapter.web.wishes import LONGEST_NOTE
from adapter.web.worklist import candidate_page, redrawn

router = APIRouter(include_in_schema=False)

MOST_WORDS = 100


@dataclass(frozen=True, slots=True)
class _Deed:
    """Who does what to whom, when."""

    visitor: Visitor
    row: CandidateRow
    now: datetime


Do = Callable[[Transaction, _Deed], bool]
"""False where nothing was to be done."""


@router.post("/c/{candidate}/claim")
async def claim(request: Request, visitor: MayAct, candidate: str) -> Response:
    given = await _form(request, visitor, "to")

    def do(tx: Transaction, deed: _Deed) -> bool:
        return teamwork.claim(tx, deed.row.id, deed.visitor.name, deed.now)

    return await _done(request, visitor, (candidate, "claim", given["to"]), do)


@router.post("/c/{candidate}/release")
async def release(request: Request, visitor: MayAct, candidate: str) -> Response:
    given = await _form(request, visitor, "to")

    def do(tx: Transaction, deed: _Deed) -> bool:
        return teamwork.release(tx, deed.row.id, deed.visitor.name, deed.now)

    return await _done(request, visitor, (candidate, "release", given["to"]), do)


@router.post("/c/{candidate}/hand-over")
async def hand_over(request: Request, visitor: MayAct, candidate: str) -> Response:
    given = await fields.form(request, "csrf", "addressee", "text")
    if not of_this_session(visitor, given["csrf"]):
        return await redrawn(request, visitor, candidate, given)
    row = await known(request, visitor, candidate)
    if given["addressee"] not in await run_in_threadpool(_colleagues, request.app.state.context, row):
        problem = say("Choose a colleague who works with the list.")
        return await candidate_page(request, visitor, candidate, problem=problem, typed=given)
    if len(given["text"]) > LONGEST_NOTE:
        return await candidate_page(request, visitor, candidate, problem=_too_long(), typed=given)

    def do(tx: Transaction, deed: _Deed) -> bool:
        note = Note(deed.now, deed.visitor.name, HAND_OVER, given["addressee"], given["text"])
        teamwork.hand_over(tx, deed.row.id, note)
        return True

    return await _done(request, visitor, (candidate, "hand-over", _page_of(candidate)), do)


@router.post("/c/{candidate}/note")
async def note(request: Request, visitor: MayAct, candidate: str) -> Response:
    given = await fields.form(request, "csrf", "text")
    if not of_this_session(visitor, given["csrf"]):
        return await redrawn(request, visitor, candidate, given)
    if not given["text"] or len(given["text"]) > LONGEST_NOTE:
        problem = _too_long() if given["text"] else say("Write something.")
        return await candidate_page(request, visitor, candidate, problem=problem, typed=given)

    def do(tx: Transaction, deed: _Deed) -> bool:
        teamwork.write(tx, deed.row.id, deed.visitor.name, given["text"], deed.now)
        return True

    return await _done(request, visitor, (candidate, "note", f"{_page_of(candidate)}#history"), do)


@router.post("/looked")
async def looked(request: Request, visitor: SeesPatients) -> Response:
    """Everything the page spoke of is no news any more to this person."""
    given = await _form(request, visitor, "until", "to")
    try:
        until = datetime.fromisoformat(given["until"])
    except ValueError:
        raise HTTPException(422, say("This form is incomplete. Reload the page and try again.")) from None
    context: WebContext = request.app.state.context
    now = context.clock()
    if until.tzinfo is None or until > now:
        raise HTTPException(422, say("Nobody has seen what is still to come."))
    await run_in_threadpool(_looked, context, visitor, until)
    return RedirectResponse(fields.local_path(given["to"]), status_code=303)


@router.post("/find")
async def find(request: Request, visitor: SeesPatients) -> Response:
    """By name, number, ward or bed. A form and no address, so that no name stands in a history or a log; what is found has one."""
    words = (await _form(request, visitor, "words"))["words"][:MOST_WORDS]
    context: WebContext = request.app.state.context
    found = Filters(found=await run_in_threadpool(ways.search, context, visitor, words)) if words else Filters()
    return RedirectResponse(found.here, status_code=303)


async def _form(request: Request, visitor: Visitor, *names: str) -> dict[str, str]:
    given = await fields.form(request, "csrf", *names)
    check_csrf(visitor, given["csrf"])
    return given


async def _done(request: Request, visitor: Visitor, what: tuple[str, str, str], do: Do) -> Response:
    """`what`: the candidate, the act's name, and where to go on."""
    context: WebContext = request.app.state.context
    candidate, action, onward = what
    row = await known(request, visitor, candidate)
    deed = _Deed(visitor, row, context.clock())
    try:
        await run_in_threadpool(_carry_out, context, deed, action, do)
    except TakenError as error:
        return _taken(request, context, row, error)
    return RedirectResponse(fields.local_path(onward), status_code=303)


def _colleagues(context: WebContext, row: CandidateRow) -> list[str]:
    with context.database.read() as conn:
        return colleagues.listed(conn, row)


def _carry_out(context: WebContext, deed: _Deed, action: str, do: Do) -> None:
    """Act and audit entry stand or fall together; a second click is no second act."""
    with context.database.write() as tx:
        if do(tx, deed):
            act = Act(deed.visitor.name, deed.visitor.role, action, "candidate", deed.row.id, {"trial": deed.row.trial})
            recorded(tx, act, deed.now)


def _looked(context: WebContext, visitor: Visitor, until: datetime) -> None:
    with context.database.write() as tx:
        teamwork.looked(tx, visitor.name, until)
        recorded(tx, Act(visitor.name, visitor.role, "seen", "worklist"), context.clock())


def _taken(request: Request, context: WebContext, row: CandidateRow, error: TakenError) -> Response:
    since = times.local(error.claim.since, board.zone_of(context, row.patient.site))
    text = say(
        "%(name)s has this candidate in hand since %(time)s. Let it go, or hand it over, on its page.",
        name=error.claim.holder,
        time=since,
    )
    where = {"link": _page_of(row.id), "link_text": say("Open the candidate")}
    return render.notice(request, 409, say("Already in hand"), text, **where)


def _page_of(candidate: str) -> str:
    return f"/c/{candidate}"


def _too_long() -> str:
    return say("A note has at most %(number)s characters.", number=LONGEST_NOTE)
