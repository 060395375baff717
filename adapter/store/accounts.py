"""People who may sign in, their sessions, and the one-time tokens of a first sign-in. Secrets come here hashed or sealed."""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, select, update

from adapter.store.codec import instant, moment
from adapter.store.locks import Lock, take
from adapter.store.people import recovery_codes, sessions, sign_in_tokens, users
from adapter.store.upsert import insert

_SESSION = (
    select(*(column for column in sessions.c if column is not sessions.c.ways))
    .join(users, users.c.name == sessions.c.user)
    .where(sessions.c.token_hash == bindparam("token"), sessions.c.expires > bindparam("now"), users.c.disabled == 0)
)
_USERS = select(users).order_by(users.c.name)
_USER = select(users).where(users.c.name == bindparam("who"))

NAME = re.compile(r"[A-Za-z0-9._@-]{2,64}")
"""What an account may be called."""
ALL = "*"


@dataclass(frozen=True, slots=True)
class Scope:
    """The sites and trials somebody works for; None: every one of this house."""

    sites: frozenset[str] | None = None
    trials: frozenset[str] | None = None

    def site(self, name: str) -> bool:
        return self.sites is None or name in self.sites

    def trial(self, name: str) -> bool:
        return self.trials is None or name in self.trials

    def holds(self, site: str, trial: str) -> bool:
        return self.site(site) and self.trial(trial)


EVERYWHERE = Scope()


@dataclass(frozen=True, slots=True)
class User:
    name: str
    role: str
    password_hash: str = field(repr=False)
    created: datetime
    disabled: bool = False
    scope: Scope = EVERYWHERE
    external: str = ""
    """Who they are at the hospital's own sign-in; empty for an account of this house."""
    second_step: str = field(default="", repr=False)
    """The sealed secret of one-time codes; empty without."""
    entered: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    token_hash: str = field(repr=False)
    csrf: str = field(repr=False)
    user: str
    created: datetime
    seen: datetime
    expires: datetime
    previous: datetime | None = None
    """When its user last signed in before."""
    hint: str = field(default="", repr=False)
    provider_session: str = field(default="", repr=False)
    proved: datetime | None = None
    """When its user last said again who they are."""


def add_user(tx: Connection, user: User) -> bool:
    """False when the name is taken."""
    row = {
        "name": user.name,
        "role": user.role,
        "password_hash": user.password_hash,
        "created": instant(user.created),
        "disabled": int(user.disabled),
        "external": user.external,
        **_scope_row(user.scope),
    }
    made = insert(users).values(**row).on_conflict_do_nothing().returning(users.c.name)
    return tx.execute(made).scalar_one_or_none() is not None


def find_user(conn: Connection, name: str) -> User | None:
    row = conn.execute(_USER, {"who": name}).mappings().one_or_none()
    return None if row is None else _user(row)


def find_external(conn: Connection, external: str) -> User | None:
    """Whom the hospital's own sign-in knows by this."""
    row = conn.execute(select(users).where(users.c.external == external)).mappings().one_or_none()
    return None if row is None else _user(row)


def list_users(conn: Connection) -> list[User]:
    return [_user(row) for row in conn.execute(_USERS).mappings()]


def set_password(tx: Connection, name: str, password_hash: str) -> bool:
    """Every session of the user ends. False for an unknown name."""
    return _changed(tx, name, password_hash=password_hash)


def set_disabled(tx: Connection, name: str, *, disabled: bool) -> bool:
    """Every session of the user ends. False for an unknown name."""
    return _changed(tx, name, disabled=int(disabled))


def set_role(tx: Connection, name: str, role: str, scope: Scope) -> bool:
    """Every session of the user ends. False for an unknown name."""
    return _changed(tx, name, role=role, **_scope_row(scope))


def set_second_step(tx: Connection, name: str, sealed: str) -> bool:
    """Every session of the user ends, and no recovery code of before works. False for an unknown name; an empty `sealed`
    takes the second step away.
    """
    tx.execute(delete(recovery_codes).where(recovery_codes.c.user == name))
    return _changed(tx, name, second_step=sealed, used_step=0)


def _changed(tx: Connection, name: str, **values: Any) -> bool:
    close_sessions_of(tx, name)
    return bool(tx.execute(update(users).where(users.c.name == name).values(**values)).rowcount)


def use_step(tx: Connection, name: str, step: int) -> bool:
    """True once for each time step of one-time codes, and for none before it."""
    later = (users.c.name == name) & (users.c.used_step < step)
    return bool(tx.execute(update(users).where(later).values(used_step=step)).rowcount)


def entered(tx: Connection, name: str, now: datetime) -> None:
    tx.execute(update(users).where(users.c.name == name).values(entered=instant(now)))


def _user(row: Any) -> User:
    return User(
        row["name"],
        row["role"],
        row["password_hash"],
        moment(row["created"]),
        bool(row["disabled"]),
        Scope(_listed(row["sites"]), _listed(row["trials"])),
        row["external"],
        row["second_step"],
        _moment(row["entered"]),
    )


def _scope_row(scope: Scope) -> dict[str, str]:
    return {name: _list(getattr(scope, name)) for name in ("sites", "trials")}


def _list(names: frozenset[str] | None) -> str:
    return ALL if names is None else json.dumps(sorted(names))


def _listed(text: str) -> frozenset[str] | None:
    return None if text == ALL else frozenset(json.loads(text))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moment(text)


def open_session(tx: Connection, session: Session) -> None:
    times = {name: instant(getattr(session, name)) for name in ("created", "seen", "expires")}
    words = {name: getattr(session, name) for name in ("token_hash", "csrf", "user", "hint", "provider_session")}
    previous = None if session.previous is None else instant(session.previous)
    tx.execute(insert(sessions), {**words, **times, "previous": previous})


def find_session(conn: Connection, token_hash: str, now: datetime) -> Session | None:
    """`None` when unknown, expired, or its user is disabled. Idle time is the caller's to judge, by `seen`."""
    row = conn.execute(_SESSION, {"token": token_hash, "now": instant(now)}).mappings().one_or_none()
    if row is None:
        return None
    times = {name: moment(row[name]) for name in ("created", "seen", "expires")}
    return Session(
        token_hash,
        row["csrf"],
        row["user"],
        **times,
        previous=_moment(row["previous"]),
        hint=row["hint"],
        provider_session=row["provider_session"],
        proved=_moment(row["proved"]),
    )


def touch_session(tx: Connection, token_hash: str, now: datetime) -> None:
    tx.execute(update(sessions).where(sessions.c.token_hash == token_hash).values(seen=instant(now)))


def prove_session(tx: Connection, token_hash: str, now: datetime) -> None:
    tx.execute(update(sessions).where(sessions.c.token_hash == token_hash).values(proved=instant(now)))


def close_session(tx: Connection, token_hash: str) -> None:
    tx.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


def close_sessions_of(tx: Connection, user: str) -> None:
    tx.execute(delete(sessions).where(sessions.c.user == user))


def close_external(tx: Connection, external: str, provider_session: str) -> int:
    """Sessions begun in one session of the hospital's own sign-in, or all of one person; how many."""
    of = select(users.c.name).where(users.c.external == external) if external else select(users.c.name)
    wanted = delete(sessions).where(sessions.c.user.in_(of.where(users.c.external != "")))
    if provider_session:
        wanted = wanted.where(sessions.c.provider_session == provider_session)
    return int(tx.execute(wanted).rowcount)


def close_oldest(tx: Connection, user: str, keep: int) -> int:
    """All but the `keep` that were begun last; how many."""
    newest = (
        select(sessions.c.token_hash)
        .where(sessions.c.user == user)
        .order_by(sessions.c.created.desc(), sessions.c.token_hash)
    )
    kept = tx.execute(newest.limit(keep)).scalars().all()
    return int(tx.execute(delete(sessions).where(sessions.c.user == user, sessions.c.token_hash.not_in(kept))).rowcount)


def close_expired(tx: Connection, now: datetime, idle: timedelta) -> list[tuple[str, str]]:
    """Sessions that are over, or that nobody used for longer than `idle`: of whom, and in which role."""
    take(tx, Lock.TALLY)  # as a sign-in does: first the audit log, then the sessions
    over = (sessions.c.expires <= instant(now)) | (sessions.c.seen < instant(now - idle))
    names = list(tx.execute(delete(sessions).where(over).returning(sessions.c.user)).scalars())
    roles = {
        row.name: row.role for row in tx.execute(select(users.c.name, users.c.role).where(users.c.name.in_(names)))
    }
    return [(name, roles.get(name, "")) for name in sorted(names)]


def forget_tokens(tx: Connection, now: datetime) -> None:
    """One-time tokens whose time is over."""
    tx.execute(delete(sign_in_tokens).where(sign_in_tokens.c.expires <= instant(now)))


def add_token(tx: Connection, token_hash: str, purpose: str, expires: datetime) -> None:
    """A sign-in that works once; `purpose` is the caller's word (`first-run`, `user:NAME`, …)."""
    tx.execute(insert(sign_in_tokens), {"token_hash": token_hash, "purpose": purpose, "expires": instant(expires)})


def use_token(tx: Connection, token_hash: str, now: datetime) -> str | None:
    """Its purpose, the first time and before it expires; `None` for ever after."""
    used = update(sign_in_tokens).where(_fresh(token_hash, now)).values(used=instant(now))
    return tx.execute(used.returning(sign_in_tokens.c.purpose)).scalar_one_or_none()


def token(conn: Connection, token_hash: str, now: datetime) -> str | None:
    """Its purpose while it can be used; looking uses nothing up."""
    return conn.execute(select(sign_in_tokens.c.purpose).where(_fresh(token_hash, now))).scalar_one_or_none()


def _fresh(token_hash: str, now: datetime) -> ColumnElement[bool]:
    return (
        (sign_in_tokens.c.token_hash == token_hash)
        & sign_in_tokens.c.used.is_(None)
        & (sign_in_tokens.c.expires > instant(now))
    )
