"""Who takes data out long after signing in says once more who they are, as they did then, and goes on from there."""

from collections.abc import Mapping
from urllib.parse import quote

from fastapi import HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from adapter.store import accounts
from adapter.store.accounts import User
from adapter.store.audit import Act
from adapter.web import one_time, recovery, render
from adapter.web.attempts import Door, too_many
from adapter.web.context import WebContext
from adapter.web.record import note
from adapter.web.second_step import WRONG
from adapter.web.sessions import Visitor
from adapter.web.tongue import say

PROOF = ("password", "code")
"""Fields of the page's form; there is no code without a phone that is known."""
ACTION = "sign-in-again"


async def ask(
    request: Request, visitor: Visitor, where: tuple[str, str], wish: Mapping[str, str], problem: str = ""
) -> Response:
    """The page that asks; its form goes on with the `wish`. `where`: the address of that form, and of the page it began on."""
    action, back = where
    user = await run_in_threadpool(_user, request.app.state.context, visitor)
    door = "/sign-in/hospital" if user and user.external else "/sign-in"
    return render.page(
        request,
        "again.html",
        visitor=visitor,
        status=403,
        here="log",
        action=action,
        back=back,
        elsewhere="" if user and user.password_hash else f"{door}?to={quote(back, safe='')}",
        coded=bool(user and user.second_step),
        wish=wish,
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
    elif user.second_step and not await run_in_threadpool(_coded, context, user, given["code"]):
        problem = say(WRONG)
    if problem:
        door.addresses.failed(address, now)
    else:
        door.names.succeeded(name)
    await note(request, Act(name, visitor.role, ACTION, outcome="failed" if problem else "ok"))
    return problem


def _user(context: WebContext, visitor: Visitor) -> User | None:
    with context.database.read() as conn:
        return accounts.find_user(conn, visitor.name)


def _coded(context: WebContext, user: User, code: str) -> bool:
    with context.database.write() as tx:
        return one_time.use(tx, context, user, code) or recovery.use(tx, context, user, code)
