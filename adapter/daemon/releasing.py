"""What a person sees before they let a restored store speak again."""

from typing import Any

from adapter.daemon.on_backups import NOTHING_HELD, since_the_restore
from adapter.daemon.opening import open_store
from adapter.errors import RejectedError
from adapter.settings import Settings
from adapter.store import hold


def standing(settings: Settings) -> dict[str, Any]:
    """What came since the restore. Raises RejectedError where nothing is held, ConfigError where there is no store."""
    database = open_store(settings, read_only=True)
    try:
        with database.read() as conn:
            held = hold.read(conn)
            if held is None:
                raise RejectedError(NOTHING_HELD)
            return since_the_restore(conn, held)
    finally:
        database.close()
