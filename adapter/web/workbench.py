"""What nobody mapped, on the page: one person proposes the line that mends it, another approves it, and it is read again."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from adapter.errors import RejectedError
from adapter.mapping.amend import SiteLine, line_of
from adapter.store import proposals
from adapter.store.audit import Act
from adapter.web import again, fields, quality
from adapter.web.access import MayApprove, MayPropose, check_csrf
from adapter.web.again import Waiting
from adapter.web.context import WebContext
from adapter.web.missed import KINDS, NOT_NEEDED, OTHER
from adapter.web.record import recorded
from adapter.web.sessions import Visitor
from adapter.web.tongue import say

router = APIRouter(include_in_schema=False)

LONGEST_REASON = 100
"""It stands in the site's file, on the line."""


@router.post("/quality/mapping/propose")
async def propose(request: Request, visitor: MayPropose) -> Response:
    context: WebContext = request.app.state.context
    try:
        given = await fields.form(request, "csrf", "site", "code", "word", "choice", "other", "unit", "reason")
        check_csrf(visitor, given["csrf"])
        await run_in_threadpool(_propose, context, visitor, given)
    except RejectedError as error:
        return await quality.quality_page(request, visitor, problem=say(str(error)))
    return RedirectResponse("/quality?done=propose#unmapped", status_code=303)


def _propose(context: WebContext, visitor: Visitor, given: dict[str, str]) -> None:
    _my_site(visitor, given["site"])
    line = _line(given)
    if not given["reason"]:
        raise RejectedError(say("Say why: it stands in the file and on record, with your name."))
    context.bench.check(given["site"], line)
    reason, now = given["reason"][:LONGEST_REASON], context.clock()
    with context.database.write() as tx:
        proposals.add(tx, given["site"], line.as_json(), (visitor.name, reason), now)
        act = Act(visitor.name, visitor.role, "mapping-propose", "site", given["site"], line.as_json(), reason=reason)
        recorded(tx, act, now)


def _my_site(visitor: Visitor, site: str) -> None:
    if not visitor.scope.site(site):
        raise RejectedError(say("You do not work for this site."))


def _line(given: dict[str, str]) -> SiteLine:
    kind, choice = KINDS.get(given["code"], ""), given["choice"]
    if choice == NOT_NEEDED:
        return line_of({"kind": "not-needed", "word": given["word"]})
    meaning = given["other"] if choice == OTHER else choice
    if not meaning:
        raise RejectedError(say("Choose what it means, or write the concept."))
    unit = given["unit"] if kind == "code" else ""
    return line_of({"kind": kind, "word": given["word"], "meaning": meaning, "unit": unit})


@router.post("/quality/mapping/{number}/approve")
async def approve(request: Request, visitor: MayApprove, number: int) -> Response:
    context: WebContext = request.app.state.context
    try:
        given = await fields.form(request, "csrf", "reason", perhaps=again.PROOF)
        check_csrf(visitor, given["csrf"])
        wish, back = {name: given[name] for name in ("csrf", "reason")}, "/quality#unmapped"
        doing = say("Approve the line, and read again what it concerns")
        waiting = Waiting(f"/quality/mapping/{number}/approve", wish, doing, back, say("Feeds and data"), "quality")
        if asks := await again.asked(request, visitor, given, waiting):
            return asks
        await run_in_threadpool(_approve, context, visitor, number)
    except RejectedError as error:
        return await quality.quality_page(request, visitor, problem=say(str(error)))
    return RedirectResponse("/quality?done=approve#unmapped", status_code=303)


def _approve(context: WebContext, visitor: Visitor, number: int) -> None:
    """The proposal is closed when everything is done: cut short, it can be approved again and goes on."""
    with context.database.read() as conn:
        found = proposals.find(conn, number)
    _my_site(visitor, found.site)
    if found.by == visitor.name:
        raise RejectedError(say("Somebody else must approve what you proposed."))
    context.bench.carry_out(found, visitor.name, visitor.role)
    with context.database.write() as tx:
        proposals.decide(tx, number, proposals.APPROVED, visitor.name, context.clock())


@router.post("/quality/mapping/{number}/decline")
async def decline(request: Request, visitor: MayApprove, number: int) -> Response:
    context: WebContext = request.app.state.context
    try:
        given = await fields.form(request, "csrf", "reason")
        check_csrf(visitor, given["csrf"])
        await run_in_threadpool(_decline, context, visitor, number, given["reason"])
    except RejectedError as error:
        return await quality.quality_page(request, visitor, problem=say(str(error)))
    return RedirectResponse("/quality?done=decline#unmapped", status_code=303)


def _decline(context: WebContext, visitor: Visitor, number: int, reason: str) -> None:
    if not reason:
        raise RejectedError(say("Say why you decline: it is put on record with your name."))
    now = context.clock()
    with context.database.write() as tx:
        _my_site(visitor, proposals.find(tx, number).site)
        found = proposals.decide(tx, number, proposals.DECLINED, visitor.name, now)
        detail = {**found.line, "proposed_by": found.by}
        why = reason[:LONGEST_REASON]
        recorded(tx, Act(visitor.name, visitor.role, "mapping-decline", "site", found.site, detail, reason=why), now)
