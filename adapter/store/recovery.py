"""Recovery codes of an account, as keyed hashes: each stands once for a code of the phone."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from adapter.store.codec import instant
from adapter.store.people import recovery_codes

_CODES = recovery_codes.c


def replace(tx: Connection, user: str, codes: Iterable[str], now: datetime) -> None:
    """Those of before count no more; with none given there are none."""
    tx.execute(delete(recovery_codes).where(_CODES.user == user))
    rows = [{"user": user, "code": code, "made": instant(now)} for code in codes]
    if rows:
        tx.execute(insert(recovery_codes), rows)


def use(tx: Connection, user: str, code: str, now: datetime) -> bool:
    """True the first time, for one of theirs."""
    fresh = (_CODES.user == user) & (_CODES.code == code) & _CODES.used.is_(None)
    return bool(tx.execute(update(recovery_codes).where(fresh).values(used=instant(now))).rowcount)


def left(conn: Connection, user: str) -> int:
    unused = (_CODES.user == user) & _CODES.used.is_(None)
    return int(conn.execute(select(func.count()).select_from(recovery_codes).where(unused)).scalar_one())
