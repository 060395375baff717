"""Links that sign in once: the first account, a chosen password, the demonstration."""

import contextlib
import secrets
from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from adapter.store import accounts
from adapter.store.accounts import User
from adapter.store.audit import Act
from adapter.store.database import Transaction
from adapter.web import fields, passwords, render, sessions
from adapter.web.context import WebContext
from adapter.web.record import recorded
from adapter.web.tongue import say

DEMO = "demo"
"""Signs in at once, by following the link; only where every patient is synthetic."""
FIRST_RUN = "first-run"
"""Creates the account of the administrator; `first-run:ROLE` that of another role."""
USER = "user"
"""`user:NAME` lets an account that exists choose its password."""
VALID = timedelta(hours=24)

router = APIRouter(include_in_schema=False)


class _PutBack(Exception):  # noqa: N818 — no error: it rolls back the use of a token
    pass


def issue(tx: Transaction, purpose: str, now: datetime, valid: timedelta = VALID) -> str:
    """A new token for `/sign-in/once/TOKEN`; only its hash is stored."""
    token = secrets.token_urlsafe(32)
    accounts.add_token(tx, sessions.fingerprint(token), purpose, now + valid)
    return token


def purpose_of(context: WebContext, token: str) -> str | None:
    """What a token is for, without using it up; None for one that is unknown, used or too old."""
    with context.database.read() as conn:
        return accounts.token(conn, sessions.fingerprint(token), context.clock())


@router.get("/sign-in/once/{token}")
async def offer(request: Request, token: str) -> Response:
    context: WebContext = request.app.state.context
    purpose = await run_in_threadpool(purpose_of, context, token)
    if purpose is None or (purpose == DEMO and not context.demo):
        return used_up(request)
    if purpose != DEMO:
        return _form(request, token, purpose)
    cookie = await run_in_threadpool(_demo, context, token)
    return used_up(request) if cookie is None else _welcome(context, cookie)


@router.post("/sign-in/once/{token}")
async def accept(request: Request, token: str) -> Response:
    context: WebContext = request.app.state.context
    given = await fields.form(request, "name", "password", "again")
    purpose = await run_in_threadpool(purpose_of, context, token)
    if purpose is None or purpose == DEMO:
        return used_up(request)
    name = purpose.partition(":")[2] if purpose.startswith(f"{USER}:") else given["name"]
    problem = _problem(name, given)
    if problem:
        return _form(request, token, purpose, name=name, problem=problem)
    stored = await run_in_threadpool(passwords.hashed, given["password"])
    cookie = await run_in_threadpool(_settle, context, token, User(name, role_of(purpose), stored, context.clock()))
    if cookie is None:
        return _form(request, token, purpose, name=name, problem=say("This name is taken, or the link was just used."))
    if context.second_step_required:
        return RedirectResponse("/sign-in", status_code=303)
    return _welcome(context, cookie)


def role_of(purpose: str) -> str:
    """The role a `first-run` link creates."""
    kind, _, role = purpose.partition(":")
    return role if kind == FIRST_RUN and role else "admin"


def _problem(name: str, given: dict[str, str]) -> str | None:
    if not accounts.NAME.fullmatch(name):
        return say("A name has 2 to 64 letters, digits, dots or dashes.")
    if given["password"] != given["again"]:
        return say("The two passwords differ.")
    return passwords.weakness(given["password"], name)


def _demo(context: WebContext, token: str) -> str | None:
    now = context.clock()
    with context.database.write() as tx:
        if accounts.use_token(tx, sessions.fingerprint(token), now) != DEMO:
            return None
        user = User(DEMO, "coordinator", "", now)
        accounts.add_user(tx, user)
        return _opened(tx, user, now)


def _settle(context: WebContext, token: str, wanted: User) -> str | None:
    """Uses the token, makes the account or sets its password, opens a session unless a second step is due: all or nothing."""
    now = context.clock()
    cookie: str | None = None
    with contextlib.suppress(_PutBack), context.database.write() as tx:
        purpose = accounts.use_token(tx, sessions.fingerprint(token), now)
        user = _account(tx, purpose, wanted, now) if purpose else None
        if user is None:
            raise _PutBack
        cookie = "" if context.second_step_required else _opened(tx, user, now)
    return cookie


def _account(tx: Transaction, purpose: str, wanted: User, now: datetime) -> User | None:
    by = {"by": "one-time link"}
    if not purpose.startswith(f"{USER}:"):
        if not accounts.add_user(tx, wanted):
            return None
        recorded(tx, Act(wanted.name, wanted.role, "user-add", "user", wanted.name, by), now)
        return wanted
    known = accounts.find_user(tx, wanted.name)
    if known is None or known.disabled:
        return None
    accounts.set_password(tx, wanted.name, wanted.password_hash)
    recorded(tx, Act(known.name, known.role, "password-set", "user", known.name, by), now)
    return known


def _opened(tx: Transaction, user: User, now: datetime) -> str:
    recorded(tx, Act(user.name, user.role, "sign-in", detail={"by": "one-time link"}), now)
    return sessions.start(tx, user, now)


def _form(request: Request, token: str, purpose: str, *, name: str = "", problem: str = "") -> Response:
    invited = purpose.startswith(f"{USER}:")
    return render.page(
        request,
        "once.html",
        status=422 if problem else 200,
        token=token,
        invited=invited,
        name=purpose.partition(":")[2] if invited else name,
        problem=problem,
        shortest=passwords.SHORTEST,
    )


def _welcome(context: WebContext, cookie: str) -> Response:
    response = RedirectResponse("/", status_code=303)
    sessions.set_cookie(response, context, cookie)
    return response


def used_up(request: Request) -> Response:
    text = say("It works once, and only for a while. Ask your administrator for a new one.")
    return render.notice(request, 410, say("This link has been used"), text, link="/sign-in", link_text=say("Sign in"))
