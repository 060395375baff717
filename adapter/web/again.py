"""What wants a fresh proof (exports, who is who, what a mapping says) asks on the spot who it is, and goes on."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from adapter.store import accounts
from adapter.store.accounts import User
from adapter.store.audit import Act
from adapter.web import one_time, recovery, render
from adapter.web.access import is_fresh
from adapter.web.attempts import Door, too_many
from adapter.web.context import WebContext
from adapter.web.record import note, recorded
from adapter.web.second_step import WRONG
from adapter.web.sessions import Visitor
from adapter.web.tongue import say

PROOF = ("password", "code")
"""Fields of the page's form; there is no code without a phone that is known. The form they are added to may have them."""
ACTION = "sign-in-again"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for the proof: the form's address and its fields, in words; and the page it began on, in words."""

    action: str
    wish: Mapping[str, str]
    what: str
    back: str
    where: str
    here: str


async def asked(request: Request, visitor: Visitor, given: Mapping[str, str], waiting: Waiting) -> Response | None:
    """None for who said lately who they are, or says so now; else the page that asks. Raises 429."""
    context: WebContext = request.app.state.context
    if is_fresh(visitor, context.clock()):
        return None
    if not given["password"]:
        return await _page(request, visitor, waiting)
    if problem := await doubt(request, visitor, given):
        return await _page(request, visitor, waiting, problem)
    return None


async def _page(request: Request, visitor: Visitor, waiting: Waiting, problem: str = "") -> Response:
    user = await run_in_threadpool(_user, request.app.state.context, visitor)
    door = "/sign-in/hospital?again=1&" if user and user.external else "/sign-in?"
    return render.page(
        request,
        "again.html",
        visitor=visitor,
        status=403,
        here=waiting.here,
        waiting=waiting,
        elsewhere="" if user and user.password_hash else f"{door}to={quote(waiting.back, safe='')}",
        coded=bool(user and user.second_step),
        problem=problem,
    )


async def doubt(request: Request, visitor: Visitor, given: Mapping[str, str]) -> str:
    """What is wrong with the proof; empty where it is right. A try counts as one of signing in; raises 429 for one too many."""
    context: WebContext = request.app.state.context
    door: Door = request.app.state.door
    name, address, now = visitor.name, request.client.host if request.client else "", context.clock()
    if wait := door.wait(name, address, now):
        await note(request, Act(name, visitor.role, ACTION, outcome="refused", reason="too many tries"))
        seconds = int(wait.total_seconds()) + 1
        raise HTTPException(429, too_many(seconds), {"Retry-After": str(seconds)})
    door.names.failed(name, now)
    user = await run_in_threadpool(_user, context, visitor)
    problem = ""
    if user is None or not await door.check(given["password"], user.password_hash or None):
        problem = say("This is not your password.")
    elif not await run_in_threadpool(_proved, context, visitor, user, given["code"]):
        problem = say(WRONG)
    if problem:
        door.addresses.failed(address, now)
        await note(request, Act(name, visitor.role, ACTION, outcome="failed"))
    else:
        door.names.succeeded(name)
    return problem


def _user(context: WebContext, visitor: Visitor) -> User | None:
    with context.database.read() as conn:
        return accounts.find_user(conn, visitor.name)


def _proved(context: WebContext, visitor: Visitor, user: User, code: str) -> bool:
    """The code used up, the proof and its entry in one transaction; nothing of it where the code is wrong."""
    now = context.clock()
    with context.database.write() as tx:
        if user.second_step and not (one_time.use(tx, context, user, code) or recovery.use(tx, context, user, code)):
            return False
        accounts.prove_session(tx, visitor.session, now)
        recorded(tx, Act(visitor.name, visitor.role, ACTION), now)
    return True
