"""The audit trail on a page: as much of it as a role may read (reliability 4.4). The command line exports and verifies it."""

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from adapter.store import audit
from adapter.store.audit import Act, AuditRow
from adapter.web import render
from adapter.web.access import SignedIn
from adapter.web.context import WebContext
from adapter.web.record import note
from adapter.web.roles import Right, may
from adapter.web.sessions import Visitor
from adapter.web.tongue import say

router = APIRouter(include_in_schema=False)

MOST = 200
CLINICAL = frozenset({"candidate", "worklist", "screened", "patient", "screening-number"})
"""What an entry about patients is about."""
READS = (Right.AUDIT_ALL, Right.AUDIT_TECHNICAL, Right.AUDIT_OWN)


def view(visitor: Visitor) -> Right | None:
    """The widest view of a role. An entry names no site: who works for some alone reads only what they did themselves."""
    role = visitor.role
    found = next((right for right in READS if may(role, right)), None)
    narrow = visitor.scope.sites is not None or visitor.scope.trials is not None
    return Right.AUDIT_OWN if found is not None and narrow else found


@router.get("/trail")
async def page(request: Request, visitor: SignedIn) -> Response:
    context: WebContext = request.app.state.context
    widest = view(visitor)
    await note(request, Act(visitor.name, visitor.role, "view-trail", outcome="ok" if widest else "refused"))
    if widest is None:
        raise HTTPException(403, say("Your role does not allow this."))
    rows = await run_in_threadpool(read, context, visitor, widest)
    return render.page(request, "trail.html", visitor=visitor, here="trail", rows=rows, own=widest is Right.AUDIT_OWN)


def read(context: WebContext, visitor: Visitor, widest: Right) -> list[AuditRow]:
    """The newest first; blinded: who, what and when, without the details of an act."""
    only = visitor.name if widest is Right.AUDIT_OWN else None
    without = CLINICAL if widest is Right.AUDIT_TECHNICAL else frozenset[str]()
    with context.database.read() as conn:
        return audit.newest(conn, MOST, actor=only, without=without)
