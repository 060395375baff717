"""The store that the settings name."""

from adapter.settings import Settings
from adapter.store.database import Database


def open_store(settings: Settings, *, read_only: bool = False) -> Database:
    """Raises ConfigError for one that cannot be safe, UnavailableError for one that is away."""
    return Database.open(settings.store_url(), password=settings.store_password(), read_only=read_only)
