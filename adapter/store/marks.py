"""Facts of the whole store that every process on it must share."""

from datetime import datetime

from sqlalchemy import Connection, select

from adapter.store import codec
from adapter.store.schema import marks
from adapter.store.upsert import insert

SITE_KEY = "site-key"


def agrees(tx: Connection, name: str, value: str) -> bool:
    """Whether this is what the first one said, or this is the first."""
    tx.execute(insert(marks).values(name=name, value=value).on_conflict_do_nothing())
    said: str = tx.execute(select(marks.c.value).where(marks.c.name == name)).scalar_one()
    return said == value


def said(conn: Connection, name: str) -> str:
    """Empty where nothing was."""
    found: str | None = conn.execute(select(marks.c.value).where(marks.c.name == name)).scalar_one_or_none()
    return found or ""


def moment(conn: Connection, name: str) -> datetime | None:
    """Of one that says when."""
    text = said(conn, name)
    return codec.moment(text) if text else None


def put(tx: Connection, name: str, value: str) -> str:
    """Says so from now on; what was said before, empty where nothing was."""
    before = said(tx, name)
    row = insert(marks).values(name=name, value=value)
    tx.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
    return before
