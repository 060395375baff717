"""What a session's reader searched for and by which lists they came to whom: sealed text beside the session, gone with it."""

from sqlalchemy import Connection, select, update

from adapter.store.people import sessions


def read(conn: Connection, session: str) -> str:
    """Empty where nothing was kept, or the session is over."""
    return conn.execute(select(sessions.c.ways).where(sessions.c.token_hash == session)).scalar_one_or_none() or ""


def keep(tx: Connection, session: str, sealed: str) -> None:
    tx.execute(update(sessions).where(sessions.c.token_hash == session).values(ways=sealed))
