"""Server-side sessions: a random token in a cookie, its hash in the store (reliability 4.5)."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fastapi import Request, Response

from adapter.store import accounts, break_glass
from adapter.store.accounts import EVERYWHERE, Scope, Session, User
from adapter.store.audit import Act
from adapter.store.database import Transaction
from adapter.web.context import WebContext
from adapter.web.record import recorded
from adapter.web.roles import Right, may

LIFETIME = timedelta(hours=12)
MOST = 3
"""Sessions of one person at a time."""
TOUCH = timedelta(minutes=1)
"""Activity is written down at most this often."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in, with the role they have now."""

    name: str
    role: str
    csrf: str = field(repr=False)
    session: str = field(repr=False)
    """The hash of the session's token, as the store knows it."""
    scope: Scope = EVERYWHERE
    previous: datetime | None = None
    """When they last signed in before: somebody else's use of the account is noticed."""
    hint: str = field(default="", repr=False)
    since: datetime | None = None
    """When they last said who they are: to begin this session, or since."""
    emergency: datetime | None = None
    """Until when they see patients in an emergency."""

    def may(self, right: Right) -> bool:
        return may(self.role, right) or (right is Right.PATIENTS and self.emergency is not None)


def fingerprint(token: str) -> str:
    """What the store keeps of a token: enough to know it again, too little to use it."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Begun:
    """Of a sign-in by the hospital's own accounts: its sealed proof, and the provider's name for its session."""

    hint: str = field(default="", repr=False)
    provider_session: str = field(default="", repr=False)


HERE = Begun()


def start(tx: Transaction, user: User, now: datetime, begun: Begun = HERE) -> str:
    """A new session for every sign-in, the oldest of too many ends; returns the token for the cookie, kept nowhere else."""
    accounts.forget_tokens(tx, now)
    if ended := accounts.close_oldest(tx, user.name, MOST - 1):
        act = Act(user.name, user.role, "session-ended", detail={"sessions": ended}, reason=f"more than {MOST}")
        recorded(tx, act, now)
    accounts.entered(tx, user.name, now)
    token = secrets.token_urlsafe(32)
    accounts.open_session(
        tx,
        Session(
            token_hash=fingerprint(token),
            csrf=secrets.token_urlsafe(32),
            user=user.name,
            created=now,
            seen=now,
            expires=now + LIFETIME,
            previous=user.entered,
            hint=begun.hint,
            provider_session=begun.provider_session,
        ),
    )
    return token


def find(context: WebContext, token: str, *, active: bool) -> Visitor | None:
    """`None` when unknown, idle for too long, or over. A page that reloads by itself is not `active`."""
    now, key = context.clock(), fingerprint(token)
    with context.database.read() as conn:
        session = accounts.find_session(conn, key, now)
        user = accounts.find_user(conn, session.user) if session else None
        asks = user is not None and may(user.role, Right.BREAK_GLASS)
        emergency = break_glass.open_for(conn, user.name, now) if user and asks else None
    if session is None or user is None or now - session.seen > context.idle:
        return None
    if active and now - session.seen > TOUCH:
        with context.database.write() as tx:
            accounts.touch_session(tx, key, now)
    return Visitor(
        user.name,
        user.role,
        session.csrf,
        key,
        user.scope,
        session.previous,
        session.hint,
        session.proved or session.created,
        emergency,
    )


def expire(tx: Transaction, now: datetime, idle: timedelta) -> None:
    """Those that ended by themselves, put on record when somebody looks."""
    for name, role in accounts.close_expired(tx, now, idle):
        recorded(tx, Act(name, role, "session-timeout"), now)


def end(context: WebContext, visitor: Visitor) -> None:
    with context.database.write() as tx:
        accounts.close_session(tx, visitor.session)
        recorded(tx, Act(visitor.name, visitor.role, "sign-out"), context.clock())


def cookie_name(context: WebContext) -> str:
    return "__Host-session" if context.cookie_secure else "session"


def read_cookie(request: Request) -> str:
    return request.cookies.get(cookie_name(request.app.state.context), "")


def set_cookie(response: Response, context: WebContext, token: str) -> None:
    name, secure = cookie_name(context), context.cookie_secure
    response.set_cookie(name, token, httponly=True, secure=secure, samesite="strict", path="/")


def drop_cookie(response: Response, context: WebContext) -> None:
    response.delete_cookie(cookie_name(context), httponly=True, secure=context.cookie_secure, samesite="strict")
