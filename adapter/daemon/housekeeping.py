"""What is done now and then, whether or not messages come."""

from adapter.daemon import collector
from adapter.daemon.parts import Parts
from adapter.store import accounts

SECONDS = 600


def keep_house(parts: Parts) -> None:
    """Sessions and links that have expired go; so do the cycles of pages that were set aside."""
    with parts.database.write() as tx:
        accounts.forget_expired(tx, parts.clock())
    collector.everything()
