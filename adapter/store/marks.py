"""Facts of the whole store that every process on it must share."""

from sqlalchemy import Connection, select

from adapter.store.schema import marks
from adapter.store.upsert import insert

SITE_KEY = "site-key"


def agrees(tx: Connection, name: str, value: str) -> bool:
    """Whether this is what the first one said, or this is the first."""
    tx.execute(insert(marks).values(name=name, value=value).on_conflict_do_nothing())
    said: str = tx.execute(select(marks.c.value).where(marks.c.name == name)).scalar_one()
    return said == value
