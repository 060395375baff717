"""Messages nobody could read, on the page: listed without content, looked into, read again or given up with a reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from adapter.errors import RejectedError
from adapter.screening.reasons import explained
from adapter.store import inbox, quarantine
from adapter.store.audit import Act
from adapter.store.database import Transaction
from adapter.store.quarantine import QuarantineRow
from adapter.web import fields, quality, render
from adapter.web.access import MaySettle, check_csrf
from adapter.web.context import WebContext
from adapter.web.record import recorded
from adapter.web.sessions import Visitor
from adapter.web.tongue import say

router = APIRouter(include_in_schema=False)

LONGEST_REASON = 500
MOST_SHOWN = 64 * 1024
"""Bytes of a message on the page; the command line shows it whole."""

Deed = Callable[[Transaction, int, datetime], QuarantineRow]


@dataclass(frozen=True, slots=True)
class Settling:
    """Who asks for what with which message, and why."""

    visitor: Visitor
    message_id: int
    action: str
    reason: str


@router.post("/quality/quarantine/{message_id}/release")
async def release(request: Request, visitor: MaySettle, message_id: int) -> Response:
    return await _settled(request, visitor, message_id, ("release", _release))


@router.post("/quality/quarantine/{message_id}/discard")
async def discard(request: Request, visitor: MaySettle, message_id: int) -> Response:
    return await _settled(request, visitor, message_id, ("discard", quarantine.discard))


@router.post("/quality/quarantine/{message_id}/show")
async def show(request: Request, visitor: MaySettle, message_id: int) -> Response:
    """The message as it came, once it is on record who looked and why."""
    context: WebContext = request.app.state.context
    try:
        settling = await _asked(request, visitor, message_id, "show")
        row, body = await run_in_threadpool(_look, context, settling)
    except RejectedError as error:
        return await quality.quality_page(request, visitor, problem=say(str(error)))
    text = body[:MOST_SHOWN].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return render.page(
        request,
        "message.html",
        visitor=visitor,
        here="quality",
        row=row,
        explained=explained(row.reason),
        text=text,
        left=max(0, len(body) - MOST_SHOWN),
    )


async def _settled(request: Request, visitor: Visitor, message_id: int, what: tuple[str, Deed]) -> Response:
    context: WebContext = request.app.state.context
    action, deed = what
    try:
        settling = await _asked(request, visitor, message_id, action)
        await run_in_threadpool(_act, context, settling, deed)
    except RejectedError as error:
        return await quality.quality_page(request, visitor, problem=say(str(error)))
    context.wake()
    return RedirectResponse(f"/quality?done={action}#quarantine", status_code=303)


async def _asked(request: Request, visitor: Visitor, message_id: int, action: str) -> Settling:
    """Raises RejectedError without a reason."""
    given = await fields.form(request, "csrf", "reason")
    check_csrf(visitor, given["csrf"])
    if not given["reason"]:
        raise RejectedError(say("Say why: it is put on record with your name."))
    return Settling(visitor, message_id, action, given["reason"][:LONGEST_REASON])


def _act(context: WebContext, settling: Settling, deed: Deed) -> None:
    now = context.clock()
    with context.database.write() as tx:
        _mine(tx, context, settling)
        recorded(tx, _record(settling, deed(tx, settling.message_id, now)), now)


def _look(context: WebContext, settling: Settling) -> tuple[QuarantineRow, bytes]:
    with context.database.write() as tx:
        row = _mine(tx, context, settling)
        recorded(tx, _record(settling, row), context.clock())
        return row, inbox.raw(tx, settling.message_id)


def _mine(tx: Transaction, context: WebContext, settling: Settling) -> QuarantineRow:
    """Raises RejectedError, with the same words for one of another site as for one that does not wait."""
    row = quarantine.find(tx, settling.message_id)
    if not quality.reads(context, settling.visitor.scope, row.source):
        raise quarantine.absent(settling.message_id)
    return row


def _release(tx: Transaction, message_id: int, _now: datetime) -> QuarantineRow:
    return quarantine.release(tx, message_id)


def _record(settling: Settling, row: QuarantineRow) -> Act:
    who, action = settling.visitor, f"quarantine-{settling.action}"
    return Act(who.name, who.role, action, "message", str(row.id), {"code": row.reason}, reason=settling.reason)
