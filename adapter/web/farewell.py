"""Signing out of the hospital's own session too: on a shared computer the next person must not come in by it."""

from datetime import datetime

from adapter.web.context import WebContext
from adapter.web.sealed import Seal

PURPOSE = "sign-out-elsewhere"


def keepsake(context: WebContext, token: str, now: datetime) -> str:
    """The provider's proof of a sign-in as the store may keep it; the provider asks for it when somebody leaves."""
    return Seal(context.secret, PURPOSE).close({"token": token}, now)


def farewell(context: WebContext, hint: str) -> str:
    """Where to sign out there; empty for one who signed in here."""
    opened = Seal(context.secret, PURPOSE).open(hint, context.clock()) if hint else None
    if context.hospital is None or opened is None:
        return ""
    return context.hospital.provider.farewell(opened["token"], f"{context.base_url}/sign-in")
