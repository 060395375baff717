"""Who is asking, and may they: one place for sessions, rights and forgery tokens; deny by default."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from starlette.concurrency import run_in_threadpool

from adapter.store.audit import Act
from adapter.web import sessions
from adapter.web.pace import Pace
from adapter.web.record import note
from adapter.web.roles import Right
from adapter.web.sessions import Visitor
from adapter.web.tongue import say

FRESH = timedelta(minutes=15)
STREAM = "/live"


class NotSignedInError(Exception):
    """Pages answer with the sign-in page, the API with 401."""


async def signed_in(request: Request) -> Visitor:
    token = sessions.read_cookie(request)
    active = "auto" not in request.query_params
    found = await run_in_threadpool(sessions.find, request.app.state.context, token, active=active) if token else None
    if found is None:
        raise NotSignedInError
    await _at_a_human_pace(request, found, active=active)
    return found


async def _at_a_human_pace(request: Request, visitor: Visitor, *, active: bool) -> None:
    """Pages that renew themselves have a purse of their own, so that they never stop the hand of who reads them; the
    stream that tells them when is one request, however long, and no request of anybody.
    """
    if request.url.path == STREAM:
        return
    pace: Pace = request.app.state.pace
    found = pace.ask(visitor.name if active else f"{visitor.name} (auto)", request.app.state.context.clock())
    if found.first:
        act = Act(visitor.name, visitor.role, "refused", "pace", outcome="refused", reason="too many requests")
        await note(request, act)
    if found.wait:
        raise HTTPException(
            429,
            say("Too many requests. Wait %(seconds)s seconds.", seconds=found.wait),
            {"Retry-After": str(found.wait)},
        )


def allowed(*rights: Right) -> Callable[[Request, Visitor], Awaitable[Visitor]]:
    """Who has any of these rights; a refusal is on record."""

    async def check(request: Request, visitor: Annotated[Visitor, Depends(signed_in)]) -> Visitor:
        if not any(visitor.may(right) for right in rights):
            raise await refusal(request, visitor, rights[0])
        return visitor

    return check


async def refusal(request: Request, visitor: Visitor, right: Right) -> HTTPException:
    """What is raised for who lacks the right; it is on record."""
    await note(request, Act(visitor.name, visitor.role, "refused", "right", str(right), outcome="refused"))
    return HTTPException(403, say("Your role does not allow this."))


SignedIn = Annotated[Visitor, Depends(signed_in)]
SeesPatients = Annotated[Visitor, Depends(allowed(Right.PATIENTS))]
SeesNumbers = Annotated[Visitor, Depends(allowed(Right.PSEUDONYMS, Right.ENROLLED))]
SeesCounts = Annotated[Visitor, Depends(allowed(Right.COUNTS))]
MaySettle = Annotated[Visitor, Depends(allowed(Right.SETTLE))]
MayPropose = Annotated[Visitor, Depends(allowed(Right.PROPOSE))]
MayApprove = Annotated[Visitor, Depends(allowed(Right.APPROVE))]
MayIdentify = Annotated[Visitor, Depends(allowed(Right.IDENTIFY))]
MayBreakGlass = Annotated[Visitor, Depends(allowed(Right.BREAK_GLASS))]
MayVouch = Annotated[Visitor, Depends(allowed(Right.VOUCH))]
MayAskOrVouch = Annotated[Visitor, Depends(allowed(Right.BREAK_GLASS, Right.VOUCH))]
MayTestAlerts = Annotated[Visitor, Depends(allowed(Right.TEST_ALERTS))]
MayAct = Annotated[Visitor, Depends(allowed(Right.ACT))]


def of_this_session(visitor: Visitor, given: str) -> bool:
    """Whether a form came from our own page of this session."""
    return secrets.compare_digest(visitor.csrf.encode(), given.encode())


def check_csrf(visitor: Visitor, given: str) -> None:
    """Raises 403 for a form that did not."""
    if not of_this_session(visitor, given):
        raise HTTPException(403, say("This form is too old. Reload the page and try again."))


def is_fresh(visitor: Visitor, now: datetime) -> bool:
    """Whether they proved lately who they are."""
    return visitor.since is not None and now - visitor.since <= FRESH


def check_fresh(visitor: Visitor, now: datetime) -> None:
    """Raises 403 for a program whose session proved too long ago who it is to export (reliability 4.5); pages ask on the spot (`again`)."""
    if not is_fresh(visitor, now):
        raise HTTPException(403, say("For this, sign out and in again: you signed in too long ago."))
