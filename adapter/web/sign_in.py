"""Signing in with name and password, and out again."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from adapter.store import accounts
from adapter.store.accounts import User
from adapter.store.audit import Act
from adapter.web import fields, render, second_step, sessions
from adapter.web.access import SignedIn, check_csrf
from adapter.web.attempts import Door, too_many
from adapter.web.context import WebContext
from adapter.web.farewell import farewell
from adapter.web.record import note, recorded
from adapter.web.tongue import say

router = APIRouter(include_in_schema=False)

LONGEST_NAME = 100


@router.get("/sign-in")
async def ask(request: Request, to: str = "/") -> Response:
    return _form(request, fields.local_path(to))


@router.post("/sign-in")
async def try_in(request: Request) -> Response:
    context: WebContext = request.app.state.context
    door: Door = request.app.state.door
    given = await fields.form(request, "name", "password", "to")
    name, to = given["name"][:LONGEST_NAME], fields.local_path(given["to"])
    address, now = request.client.host if request.client else "", context.clock()
    wait = door.wait(name, address, now)
    if wait:
        await note(request, Act(name, "", "sign-in", outcome="refused", reason="too many tries"))
        return _slow_down(request, to, int(wait.total_seconds()) + 1)
    # Counted before the slow check, so that tries sent side by side are counted too.
    door.names.failed(name, now)
    user = await run_in_threadpool(_known, context, name)
    if not await door.check(given["password"], user.password_hash if user else None) or user is None:
        door.addresses.failed(address, now)
        await note(request, Act(name, "", "sign-in", outcome="failed"))
        return _form(request, to, problem=say("Name and password do not belong together."), status=403)
    if half := second_step.needed(context, user, to):
        return second_step.ask(request, half)
    door.names.succeeded(name)
    response = RedirectResponse(to, status_code=303)
    sessions.set_cookie(response, context, await run_in_threadpool(_enter, context, user))
    return response


@router.post("/sign-out")
async def leave(request: Request, visitor: SignedIn) -> Response:
    context: WebContext = request.app.state.context
    check_csrf(visitor, (await fields.form(request, "csrf"))["csrf"])
    await run_in_threadpool(sessions.end, context, visitor)
    where = await run_in_threadpool(farewell, context, visitor.hint)
    response: Response = RedirectResponse("/sign-in", status_code=303)
    if where:  # not a redirect: a form of ours may lead nowhere but to ourselves
        response = render.notice(request, 200, say("One moment"), say("Signing out…"), bounce=where, link=where)
    sessions.drop_cookie(response, context)
    return response


def _known(context: WebContext, name: str) -> User | None:
    """Only who may sign in with a password: not disabled, and one was set."""
    with context.database.read() as conn:
        user = accounts.find_user(conn, name)
    return user if user and user.password_hash and not user.disabled else None


def _enter(context: WebContext, user: User) -> str:
    now = context.clock()
    with context.database.write() as tx:
        recorded(tx, Act(user.name, user.role, "sign-in", detail={"by": "password"}), now)
        return sessions.start(tx, user, now)


def _form(request: Request, to: str, *, problem: str = "", status: int = 200) -> Response:
    hospital = request.app.state.context.hospital
    label = say(hospital.label) if hospital else ""
    return render.page(request, "sign_in.html", status=status, to=to, problem=problem, hospital=label)


def _slow_down(request: Request, to: str, seconds: int) -> Response:
    response = _form(
        request,
        to,
        problem=too_many(seconds),
        status=429,
    )
    response.headers["Retry-After"] = str(seconds)
    return response
