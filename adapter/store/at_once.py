"""Many short rows as one, for those who read beside others that compute."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, select


def all_at_once(conn: Connection, wanted: Select[Any]) -> Iterable[Sequence[Any]]:
    """Rows of texts and whole numbers, in order.

    Python's driver of SQLite lets the interpreter go before each row and waits to have it again: beside a thread that computes
    ten thousand rows took two seconds, where they take fifty milliseconds alone. As one JSON array they are one row.
    """
    if conn.dialect.name != "sqlite":
        return conn.execute(wanted)
    rows = wanted.subquery()
    found: list[list[Any]] = json.loads(
        conn.execute(select(func.json_group_array(func.json_array(*rows.c)))).scalar_one()
    )
    return found
