"""A read that may be long: PostgreSQL sends it in portions, and whoever stops early leaves nothing open."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, Select

PORTION = 1000


def streamed(conn: Connection, wanted: Select[Any]) -> Iterator[Row[Any]]:
    with conn.execute(wanted, execution_options={"yield_per": PORTION}) as rows:
        yield from rows


def mapped(conn: Connection, wanted: Select[Any]) -> Iterator[RowMapping]:
    """As `streamed`, by column name."""
    with conn.execute(wanted, execution_options={"yield_per": PORTION}) as rows:
        yield from rows.mappings()


def in_runs(conn: Connection, wanted: Select[Any]) -> Iterator[list[dict[str, Any]]]:
    """Rows as dictionaries, a portion at a time."""
    with conn.execute(wanted, execution_options={"yield_per": PORTION}) as rows:
        for run in rows.mappings().partitions():
            yield [dict(row) for row in run]
