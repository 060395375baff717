"""The schema's history, run by the program itself; migrations are never edited once released."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from adapter.errors import ConfigError
from adapter.store.locks import Lock, take

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "schema_version"

HEAD = "0021"
"""The newest revision. Known here, so that an ordinary start needs no Alembic; a test holds it to migrations/."""


def migrate(tx: Connection) -> None:
    """To the newest revision inside the caller's transaction: killed half-way, the old schema stands."""
    if current_revision(tx) == HEAD:
        return
    take(tx, Lock.SCHEMA)
    revision = current_revision(tx)
    if revision == HEAD:
        return
    refuse_newer(tx)
    from alembic import command

    command.upgrade(_config(tx), "head")


def refuse_newer(conn: Connection) -> None:
    """Raises ConfigError for a schema that this program does not know."""
    refuse_unknown(current_revision(conn))


def refuse_unknown(revision: str | None) -> None:
    """As `refuse_newer`, of a revision that somebody names."""
    if revision in {None, HEAD}:
        return
    from alembic.script import ScriptDirectory

    known = ScriptDirectory.from_config(_config(None))
    if revision not in {script.revision for script in known.walk_revisions()}:
        raise ConfigError(
            f"the database has schema {revision}, newer than this program — install the newer program, or restore the backup of before (adapter restore)"
        )


def current_revision(conn: Connection) -> str | None:
    """`None` before the first migration."""
    if not inspect(conn).has_table(VERSION_TABLE):
        return None
    return conn.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 — our own constant


def _config(tx: Connection | None) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "adapter.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = tx
    return config
