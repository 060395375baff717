"""Recovery codes for who has no phone at hand: ten, shown once, each good for one sign-in, made anew on demand."""

import hashlib
import hmac
import secrets

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from adapter.store import recovery
from adapter.store.accounts import User
from adapter.store.audit import Act
from adapter.store.database import Transaction
from adapter.store.screening_ids import UNMISTAKABLE
from adapter.web import account, fields, render
from adapter.web.access import SignedIn, check_csrf
from adapter.web.context import WebContext
from adapter.web.record import recorded
from adapter.web.sessions import Visitor
from adapter.web.tongue import say

router = APIRouter(include_in_schema=False)

NUMBER = 10
LENGTH = 16
"""Of 32 signs: 80 bits, which nobody guesses, so that a plain keyed hash keeps them."""
GROUP = 4
PURPOSE = "recovery-codes"
MISREAD = str.maketrans("OIL", "011", " -")


@router.post("/account/recovery-codes")
async def make_anew(request: Request, visitor: SignedIn) -> Response:
    """The password once more; the codes of before work no longer."""
    context: WebContext = request.app.state.context
    given = await fields.form(request, "csrf", "password")
    check_csrf(visitor, given["csrf"])
    user = await account.proved(request, visitor, given["password"])
    if isinstance(user, Response):
        return user
    if not user.second_step:
        raise HTTPException(403, say("Make a phone known first: the codes stand in for it."))
    request.app.state.door.names.succeeded(visitor.name)
    return shown(request, await run_in_threadpool(_made, context, user), "/account", visitor)


def shown(request: Request, codes: tuple[str, ...], to: str, visitor: Visitor | None = None) -> Response:
    """The one page that ever tells them."""
    return render.page(request, "recovery.html", visitor=visitor, here="account", codes=codes, to=to)


def made(tx: Transaction, context: WebContext, user: User) -> tuple[str, ...]:
    """New ones in the place of all before; only their keyed hashes are kept."""
    now = context.clock()
    codes = tuple(_new() for _ in range(NUMBER))
    recovery.replace(tx, user.name, (_kept(context, user.name, code) for code in codes), now)
    recorded(tx, Act(user.name, user.role, "recovery-codes-made", "user", user.name), now)
    return codes


def use(tx: Transaction, context: WebContext, user: User, given: str) -> bool:
    """Whether it is one of theirs that was not used before."""
    now, code = context.clock(), _plain(given)
    if len(code) != LENGTH or not recovery.use(tx, user.name, _kept(context, user.name, code), now):
        return False
    detail = {"left": recovery.left(tx, user.name)}
    recorded(tx, Act(user.name, user.role, "recovery-code-used", "user", user.name, detail), now)
    return True


def _made(context: WebContext, user: User) -> tuple[str, ...]:
    with context.database.write() as tx:
        return made(tx, context, user)


def _new() -> str:
    """`7K2M-94QX-B0TD-HW5R`."""
    drawn = "".join(secrets.choice(UNMISTAKABLE) for _ in range(LENGTH))
    return "-".join(drawn[at : at + GROUP] for at in range(0, LENGTH, GROUP))


def _plain(given: str) -> str:
    """However it was written down: small letters, no dashes, O for 0."""
    return given.upper().translate(MISREAD)


def _kept(context: WebContext, name: str, code: str) -> str:
    """By a key outside the database, so that a stolen one is no help."""
    key = context.secret.derive(PURPOSE)
    return hmac.new(key, f"{name}|{_plain(code)}".encode(), hashlib.sha256).hexdigest()
