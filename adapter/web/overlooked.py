"""Missed cases: a person names a patient whom the machine should have shown, and the page says why it had not."""

from datetime import datetime, tzinfo

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from adapter.domain.patient import PatientId
from adapter.domain.trial import Trial
from adapter.errors import RejectedError
from adapter.pipeline.why_not import Cause, Review, review
from adapter.store import missed_cases, patients, persons
from adapter.store.accounts import Scope
from adapter.store.audit import Act
from adapter.store.database import Snapshot
from adapter.store.missed_cases import MissedCase
from adapter.web import board, fields, flow_page, times
from adapter.web.access import MayAct, check_csrf
from adapter.web.context import WebContext
from adapter.web.log import asked
from adapter.web.record import recorded
from adapter.web.sessions import Visitor
from adapter.web.tongue import say
from adapter.web.worklist import common_zone

router = APIRouter(include_in_schema=False)

LONGEST_NOTE, LONGEST_NUMBER = 300, 64


@router.post("/figures/missed")
async def report(request: Request, visitor: MayAct) -> Response:
    context: WebContext = request.app.state.context
    given = await fields.form(request, "csrf", "trial", "number", "at", "enrolled", "note")
    check_csrf(visitor, given["csrf"])
    trial = asked(context, given["trial"], visitor.scope)
    try:
        found = await run_in_threadpool(_reported, context, visitor, trial, given)
    except RejectedError as error:
        return await flow_page.figures_page(request, visitor, trial, problem=str(error))
    return RedirectResponse(f"/figures?trial={trial.id}&found={found.cause}#missed", status_code=303)


def _reported(context: WebContext, visitor: Visitor, trial: Trial, given: dict[str, str]) -> Review:
    """The number itself is kept nowhere. Raises RejectedError with what to do."""
    with context.database.read() as conn:
        who = _named(conn, given["number"], visitor.scope)
        zone = board.zone_of(context, who.site) if who else common_zone(context, visitor.scope)
        at = _moment(context, zone, given["at"])
        found = Review(Cause.NEVER_HEARD) if who is None else review(conn, context.bench.rules(), trial, who, at)
    now = context.clock()
    case = MissedCase(
        trial=trial.id,
        at=now,
        by=visitor.name,
        candidate=found.candidate,
        enrolled=given["enrolled"] == "yes",
        cause=str(found.cause),
        detail=found.detail,
        note=given["note"][:LONGEST_NOTE],
    )
    with context.database.write() as tx:
        missed_cases.add(tx, case)
        detail = {"trial": trial.id, "cause": case.cause, "enrolled": case.enrolled}
        recorded(tx, Act(visitor.name, visitor.role, "report-missed", "candidate", found.candidate, detail), now)
    return found


def _named(conn: Snapshot, number: str, scope: Scope) -> PatientId | None:
    """`NUMBER`, or `AUTHORITY|NUMBER` where two persons have the same one; `None` for somebody nobody told us of."""
    authority, _, value = number.rpartition("|")
    if not value or len(number) > LONGEST_NUMBER:
        raise RejectedError(say("Write the hospital number of the patient."))
    numbered = [one for one in patients.numbered(conn, value) if scope.site(one.site)]
    known = [one for one in numbered if not authority or one.authority == authority]
    found = {persons.resolve(conn, one) for one in known}
    if len(found) > 1:
        raise RejectedError(say("Several patients have this number: write it as AUTHORITY|NUMBER."))
    return found.pop() if found else None


def _moment(context: WebContext, zone: tzinfo, text: str) -> datetime:
    at = times.typed(text, zone)
    if at is None or at > context.clock():
        raise RejectedError(say("Say when the patient was a candidate: a moment of the past."))
    return at
