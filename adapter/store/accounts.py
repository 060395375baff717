"""People who may sign in, their sessions, and the one-time tokens of a first sign-in. Secrets come here hashed."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from adapter.store.codec import instant, moment
from adapter.store.people import sessions, sign_in_tokens, users
from adapter.store.upsert import insert


@dataclass(frozen=True, slots=True)
class User:
    name: str
    role: str
    password_hash: str = field(repr=False)
    created: datetime
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    token_hash: str = field(repr=False)
    csrf: str = field(repr=False)
    user: str
    created: datetime
    seen: datetime
    expires: datetime


def add_user(tx: Connection, user: User) -> bool:
    """False when the name is taken."""
    row = asdict(user) | {"created": instant(user.created), "disabled": int(user.disabled)}
    made = insert(users).values(**row).on_conflict_do_nothing().returning(users.c.name)
    return tx.execute(made).scalar_one_or_none() is not None


def find_user(conn: Connection, name: str) -> User | None:
    row = conn.execute(select(users).where(users.c.name == name)).mappings().one_or_none()
    return None if row is None else _user(row)


def list_users(conn: Connection) -> list[User]:
    return [_user(row) for row in conn.execute(select(users).order_by(users.c.name)).mappings()]


def set_password(tx: Connection, name: str, password_hash: str) -> bool:
    """Every session of the user ends. False for an unknown name."""
    close_sessions_of(tx, name)
    return bool(tx.execute(update(users).where(users.c.name == name).values(password_hash=password_hash)).rowcount)


def set_disabled(tx: Connection, name: str, *, disabled: bool) -> bool:
    """Every session of the user ends. False for an unknown name."""
    close_sessions_of(tx, name)
    return bool(tx.execute(update(users).where(users.c.name == name).values(disabled=int(disabled))).rowcount)


def _user(row: Any) -> User:
    return User(row["name"], row["role"], row["password_hash"], moment(row["created"]), bool(row["disabled"]))


def open_session(tx: Connection, session: Session) -> None:
    times = {name: instant(getattr(session, name)) for name in ("created", "seen", "expires")}
    tx.execute(insert(sessions), asdict(session) | times)


def find_session(conn: Connection, token_hash: str, now: datetime) -> Session | None:
    """`None` when unknown, expired, or its user is disabled. Idle time is the caller's to judge, by `seen`."""
    wanted = (
        select(sessions)
        .join(users, users.c.name == sessions.c.user)
        .where(sessions.c.token_hash == token_hash, sessions.c.expires > instant(now), users.c.disabled == 0)
    )
    row = conn.execute(wanted).mappings().one_or_none()
    if row is None:
        return None
    times = {name: moment(row[name]) for name in ("created", "seen", "expires")}
    return Session(token_hash=token_hash, csrf=row["csrf"], user=row["user"], **times)


def touch_session(tx: Connection, token_hash: str, now: datetime) -> None:
    tx.execute(update(sessions).where(sessions.c.token_hash == token_hash).values(seen=instant(now)))


def close_session(tx: Connection, token_hash: str) -> None:
    tx.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


def close_sessions_of(tx: Connection, user: str) -> None:
    tx.execute(delete(sessions).where(sessions.c.user == user))


def forget_expired(tx: Connection, now: datetime) -> None:
    """Sessions and one-time tokens whose time is over."""
    tx.execute(delete(sessions).where(sessions.c.expires <= instant(now)))
    tx.execute(delete(sign_in_tokens).where(sign_in_tokens.c.expires <= instant(now)))


def add_token(tx: Connection, token_hash: str, purpose: str, expires: datetime) -> None:
    """A sign-in that works once; `purpose` is the caller's word (`first-run`, `user:NAME`, …)."""
    tx.execute(insert(sign_in_tokens), {"token_hash": token_hash, "purpose": purpose, "expires": instant(expires)})


def use_token(tx: Connection, token_hash: str, now: datetime) -> str | None:
    """Its purpose, the first time and before it expires; `None` for ever after."""
    fresh = (
        (sign_in_tokens.c.token_hash == token_hash)
        & sign_in_tokens.c.used.is_(None)
        & (sign_in_tokens.c.expires > instant(now))
    )
    used = update(sign_in_tokens).where(fresh).values(used=instant(now)).returning(sign_in_tokens.c.purpose)
    return tx.execute(used).scalar_one_or_none()
