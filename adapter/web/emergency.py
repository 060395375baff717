"""Break-glass: one without patients asks to see them, a second person lets them, everybody is told (reliability 4.4)."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from adapter.errors import RejectedError
from adapter.store import break_glass
from adapter.store.audit import Act
from adapter.store.break_glass import Emergency
from adapter.web import fields, render
from adapter.web.access import MayAskOrVouch, MayBreakGlass, MayVouch, check_csrf
from adapter.web.context import WebContext
from adapter.web.record import note, recorded
from adapter.web.sessions import Visitor
from adapter.web.tongue import say

router = APIRouter(include_in_schema=False)

LONGEST_REASON = 500


@router.get("/emergency")
async def page(request: Request, visitor: MayAskOrVouch) -> Response:
    await note(request, Act(visitor.name, visitor.role, "view-break-glass"))
    return await _page(request, visitor)


@router.post("/emergency")
async def ask(request: Request, visitor: MayBreakGlass) -> Response:
    context: WebContext = request.app.state.context
    given = await fields.form(request, "csrf", "reason")
    check_csrf(visitor, given["csrf"])
    if not given["reason"]:
        return await _page(request, visitor, say("Say why: it is put on record with your name."))
    await run_in_threadpool(_ask, context, visitor, given["reason"][:LONGEST_REASON])
    return RedirectResponse("/emergency", status_code=303)


@router.post("/emergency/end")
async def end(request: Request, visitor: MayBreakGlass) -> Response:
    context: WebContext = request.app.state.context
    check_csrf(visitor, (await fields.form(request, "csrf"))["csrf"])
    await run_in_threadpool(_end, context, visitor)
    return RedirectResponse("/emergency", status_code=303)


@router.post("/emergency/{number}/give")
async def give(request: Request, visitor: MayVouch, number: int) -> Response:
    context: WebContext = request.app.state.context
    check_csrf(visitor, (await fields.form(request, "csrf"))["csrf"])
    try:
        await run_in_threadpool(_give, context, visitor, number)
    except RejectedError as error:
        return await _page(request, visitor, say(str(error)))
    return RedirectResponse("/emergency", status_code=303)


async def _page(request: Request, visitor: Visitor, problem: str = "") -> Response:
    context: WebContext = request.app.state.context
    found = await run_in_threadpool(_recent, context)
    status = 422 if problem else 200
    return render.page(
        request, "emergency.html", visitor=visitor, status=status, here="emergency", found=found, problem=problem
    )


def _recent(context: WebContext) -> list[Emergency]:
    with context.database.read() as conn:
        return break_glass.recent(conn, context.clock())


def _ask(context: WebContext, visitor: Visitor, reason: str) -> None:
    now = context.clock()
    with context.database.write() as tx:
        number = break_glass.ask(tx, visitor.name, reason, now)
        recorded(tx, Act(visitor.name, visitor.role, "break-glass-ask", "emergency", str(number), reason=reason), now)


def _give(context: WebContext, visitor: Visitor, number: int) -> None:
    now = context.clock()
    with context.database.write() as tx:
        found = break_glass.give(tx, number, visitor.name, now)
        detail = {"to": found.user}
        act = Act(visitor.name, visitor.role, "break-glass-give", "emergency", str(number), detail, reason=found.reason)
        recorded(tx, act, now)


def _end(context: WebContext, visitor: Visitor) -> None:
    now = context.clock()
    with context.database.write() as tx:
        ended = break_glass.end(tx, visitor.name, now)
        recorded(tx, Act(visitor.name, visitor.role, "break-glass-end", outcome="ok" if ended else "not found"), now)
