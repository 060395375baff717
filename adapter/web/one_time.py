"""One-time codes of a phone (TOTP, RFC 6238): the secret to scan, and which codes are right, each of them once."""

from datetime import datetime
from secrets import compare_digest

import pyotp
import segno

from adapter.store import accounts
from adapter.store.accounts import User
from adapter.store.database import Transaction
from adapter.web.context import WebContext
from adapter.web.sealed import Seal

PURPOSE = "second-step"
ISSUER = "Screening worklist"
DRIFT = 1
"""Half-minutes a phone's clock may be off, either way."""


def new() -> str:
    return pyotp.random_base32()


def address(name: str, secret: str) -> str:
    """What an authenticator program opens: who reads this page on that very phone cannot scan it."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER))


def picture(address: str) -> str:
    """The square a phone scans, as SVG; the page takes it as it is, for it is of our own making."""
    return str(segno.make(address, error="m").svg_inline(scale=5, light="white"))


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The half-minute a code belongs to; None for a wrong one."""
    codes, present = pyotp.TOTP(secret), pyotp.TOTP(secret).timecode(now)
    given = code.replace(" ", "")
    steps = range(present - DRIFT, present + DRIFT + 1)
    return next((step for step in steps if compare_digest(codes.generate_otp(step).encode(), given.encode())), None)


def use(tx: Transaction, context: WebContext, user: User, code: str) -> bool:
    """Whether it is right and was not used before."""
    opened = Seal(context.secret, PURPOSE).open(user.second_step, context.clock())
    step = step_of(opened["secret"], code, context.clock()) if opened else None
    return step is not None and accounts.use_step(tx, user.name, step)


def keep(tx: Transaction, context: WebContext, name: str, secret: str, code: str) -> bool:
    """From now on asked for; every session of the account ends. False, and nothing changed, for a wrong code."""
    now = context.clock()
    step = step_of(secret, code, now)
    if step is None:
        return False
    accounts.set_second_step(tx, name, Seal(context.secret, PURPOSE).close({"secret": secret}, now))
    return accounts.use_step(tx, name, step)
