"""What is done now and then, whether or not messages come."""

from datetime import timedelta

from adapter.daemon import collector
from adapter.daemon.parts import Parts
from adapter.store import accounts
from adapter.web import sessions

SECONDS = 600


def keep_house(parts: Parts) -> None:
    """Sessions and links that have expired go; so do the cycles of pages that were set aside."""
    now, idle = parts.clock(), timedelta(minutes=parts.settings.web.idle_minutes)
    with parts.database.write() as tx:
        sessions.expire(tx, now, idle)
        accounts.forget_tokens(tx, now)
    collector.everything()
