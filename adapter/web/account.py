"""The page of one's own account: role, sites, last sign-in, second step; and the password asked for once more."""

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from adapter.store import accounts, recovery
from adapter.store.accounts import User
from adapter.web import render
from adapter.web.access import SignedIn
from adapter.web.attempts import Door
from adapter.web.context import WebContext
from adapter.web.sessions import Visitor
from adapter.web.tongue import say

router = APIRouter(include_in_schema=False)


@router.get("/account")
async def page(request: Request, visitor: SignedIn) -> Response:
    """What somebody may see here, when they last came, and whether a second step is asked of them."""
    return await _page(request, visitor)


async def proved(request: Request, visitor: Visitor, password: str) -> User | Response:
    """Their account where this is its password, else the page that says so. Raises 403 for an account of the hospital."""
    context: WebContext = request.app.state.context
    door: Door = request.app.state.door
    (user, _), now = await run_in_threadpool(_known, context, visitor.name), context.clock()
    if user is None or not user.password_hash:
        raise HTTPException(403, say("Your hospital account has its own second step."))
    wait = door.names.wait(visitor.name, now)
    door.names.failed(visitor.name, now)
    if wait:
        return await _page(request, visitor, say("Too many tries. Wait a little."), 429)
    if not await door.check(password, user.password_hash):
        return await _page(request, visitor, say("This is not your password."), 403)
    return user


async def _page(request: Request, visitor: Visitor, problem: str = "", status: int = 200) -> Response:
    user, left = await run_in_threadpool(_known, request.app.state.context, visitor.name)
    more = {"user": user, "left": left, "problem": problem}
    return render.page(request, "account.html", visitor=visitor, status=status, here="account", **more)


def _known(context: WebContext, name: str) -> tuple[User | None, int]:
    with context.database.read() as conn:
        return accounts.find_user(conn, name), recovery.left(conn, name)
