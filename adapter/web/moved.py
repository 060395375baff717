"""Whether a candidate's page still says what is known: one that lies open by the bed must not go on claiming it."""

from fastapi import APIRouter, HTTPException, Request, Response

from adapter.store import doubted, teamwork
from adapter.web import board, dossier, render, stamps, times, worklist
from adapter.web.access import SeesPatients
from adapter.web.context import WebContext
from adapter.web.sessions import Visitor
from adapter.web.tongue import say

router = APIRouter(include_in_schema=False)


@router.get("/c/{candidate}/now")
async def now(request: Request, visitor: SeesPatients, candidate: str) -> Response:
    """The clock and the stamp, nothing of the patient: it is no view and makes no entry in the trail."""
    return await worklist.drawn(request, _drawn, visitor, candidate)


def _drawn(request: Request, visitor: Visitor, candidate: str) -> Response:
    context: WebContext = request.app.state.context
    row, at = dossier.find(context, candidate, visitor.scope), context.clock()
    if row is None:
        raise HTTPException(404, say("There is no such candidate."))
    with context.database.read() as conn:
        notes, claim = teamwork.notes(conn, row.id), teamwork.held(conn, [row.id]).get(row.id)
        stamp = stamps.stamp(row, notes, claim, doubted.of(conn, row.id))
    clock = times.countdown(row.deadline, at, board.clock_of(context.trial(row.trial)))
    deadline = times.local(row.deadline, board.zone_of(context, row.patient.site))
    return render.page(request, "now.html", visitor=visitor, clock=clock, deadline=deadline, stamp=stamp)
