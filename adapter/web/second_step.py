"""The second step of signing in with an account of this house: a code of the phone, or the phone made known first."""

from dataclasses import dataclass, field
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from adapter.store import accounts
from adapter.store.accounts import User
from adapter.store.audit import Act
from adapter.store.database import Transaction
from adapter.web import account, fields, one_time, recovery, render, sessions
from adapter.web.access import SignedIn, check_csrf
from adapter.web.attempts import Door, too_many
from adapter.web.context import WebContext
from adapter.web.record import note, recorded
from adapter.web.sealed import Seal
from adapter.web.tongue import mark, say

router = APIRouter(include_in_schema=False)

PURPOSE = "half-signed-in"
VALID = timedelta(minutes=10)
"""Between the password and the code: time to look for a phone, and to install a program on it."""
LAST = 20
WRONG = mark("This code is not right, or was used already. Wait for the next one.")


@dataclass(frozen=True, slots=True)
class Half:
    """Whose password was right. With `secret` a phone is made known; it is ours to choose, so the browser only carries it."""

    user: User
    to: str
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Entered:
    """`codes`: where a phone was made known, what stands for it should it be lost."""

    cookie: str = field(repr=False)
    codes: tuple[str, ...] = field(repr=False)


def ask(request: Request, half: Half, *, problem: str = "", status: int = 200) -> Response:
    """The page that asks for a code."""
    context: WebContext = request.app.state.context
    name, secret = half.user.name, half.secret
    address = one_time.address(name, secret) if secret else ""
    kept = {"name": name, "of": half.user.password_hash[-LAST:], "to": half.to, "secret": secret}
    return render.page(
        request,
        "second_step.html",
        status=status,
        half=Seal(context.secret, PURPOSE).close(kept, context.clock()),
        picture=one_time.picture(address) if address else "",
        address=address,
        secret=secret,
        problem=problem,
    )


def needed(context: WebContext, user: User, to: str) -> Half | None:
    """What is still to do after the right password; None for nothing."""
    if user.second_step:
        return Half(user, to)
    return Half(user, to, one_time.new()) if context.second_step_required else None


@router.post("/sign-in/second-step")
async def answer(request: Request) -> Response:
    context: WebContext = request.app.state.context
    door: Door = request.app.state.door
    given = await fields.form(request, "half", "code")
    half = await run_in_threadpool(_half, context, given["half"])
    if half is None:
        return RedirectResponse("/sign-in", status_code=303)
    name, address, now = half.user.name, request.client.host if request.client else "", context.clock()
    if wait := door.wait(name, address, now):
        await note(request, Act(name, "", "second-step", outcome="refused", reason="too many tries"))
        return _slow_down(request, half, int(wait.total_seconds()) + 1)
    door.names.failed(name, now)
    entered = await run_in_threadpool(_enter, context, half, given["code"])
    if entered is None:
        door.addresses.failed(address, now)
        await note(request, Act(name, "", "second-step", outcome="failed"))
        return ask(request, half, problem=say(WRONG), status=403)
    door.names.succeeded(name)
    response: Response = RedirectResponse(half.to, status_code=303)
    if entered.codes:
        response = recovery.shown(request, entered.codes, half.to)
    sessions.set_cookie(response, context, entered.cookie)
    return response


@router.post("/account/second-step")
async def make_known(request: Request, visitor: SignedIn) -> Response:
    """The password once more, then the phone; a phone that was known before is known no longer once another one is."""
    given = await fields.form(request, "csrf", "password")
    check_csrf(visitor, given["csrf"])
    user = await account.proved(request, visitor, given["password"])
    return user if isinstance(user, Response) else ask(request, Half(user, "/account", one_time.new()))


def _user(context: WebContext, name: str) -> User | None:
    with context.database.read() as conn:
        return accounts.find_user(conn, name)


def _half(context: WebContext, text: str) -> Half | None:
    """None when it is too old, not ours, or the account was closed or its password changed since."""
    found = Seal(context.secret, PURPOSE).open(text, context.clock(), VALID)
    user = _user(context, found["name"]) if found else None
    if found is None or user is None or user.disabled or user.password_hash[-LAST:] != found["of"]:
        return None
    return Half(user, found["to"], found["secret"])


def _enter(context: WebContext, half: Half, code: str) -> Entered | None:
    now, user = context.clock(), half.user
    with context.database.write() as tx:
        by = _way(tx, context, half, code)
        if not by:
            return None
        codes: tuple[str, ...] = ()
        if half.secret:
            recorded(tx, Act(user.name, user.role, "second-step-set", "user", user.name), now)
            codes = recovery.made(tx, context, user)
        recorded(tx, Act(user.name, user.role, "sign-in", detail={"by": f"password and {by}"}), now)
        return Entered(sessions.start(tx, user, now), codes)


def _way(tx: Transaction, context: WebContext, half: Half, code: str) -> str:
    """What was right: a code of the phone, or what stands in for it; empty for nothing."""
    if half.secret:
        return "code" if one_time.keep(tx, context, half.user.name, half.secret, code) else ""
    if one_time.use(tx, context, half.user, code):
        return "code"
    return "recovery code" if recovery.use(tx, context, half.user, code) else ""


def _slow_down(request: Request, half: Half, seconds: int) -> Response:
    response = ask(
        request,
        half,
        problem=too_many(seconds),
        status=429,
    )
    response.headers["Retry-After"] = str(seconds)
    return response
