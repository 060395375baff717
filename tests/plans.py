"""Which statements a run of the house issues, and how the database means to find their rows: what is walked whole, and why."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from sqlalchemy import Connection, Engine, event

from adapter import store

VERBS = re.compile(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\b", re.IGNORECASE)
WALK = re.compile(r"^SCAN (?!(?:\d+ )?CONSTANT ROW)(?P<table>\S+)(?: USING (?:COVERING )?INDEX (?P<index>\S+))?")
NAMED = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+\"?(\w+)\"?(?:\s+AS\s+(?!\()(\w+))?", re.IGNORECASE)
HEARD = re.compile(r"{|%\(|%s|:[a-z]")
"""Templates, parameters by name, casts of PostgreSQL: such SQL goes through SQLAlchemy, or to another database."""
MOST_PARAMETERS = 1000


@dataclass(slots=True)
class Issued:
    """Statements as the driver was given them, each with the parameters it came with first."""

    statements: dict[str, Any] = field(default_factory=dict)

    def hear(self, _conn: object, _cursor: object, statement: str, parameters: Any, *more: Any) -> None:
        if VERBS.match(statement):
            many = more[-1]
            self.statements.setdefault(statement, parameters[0] if many else parameters)


@contextmanager
def listening() -> Iterator[Issued]:
    """Whatever goes through SQLAlchemy while the block runs, of every engine."""
    issued = Issued()
    event.listen(Engine, "before_cursor_execute", issued.hear)
    try:
        yield issued
    finally:
        event.remove(Engine, "before_cursor_execute", issued.hear)


def written_out() -> set[str]:
    """Plain SQL of the store's modules that goes to the driver's own cursor, where nobody listens."""
    modules = [import_module(f"{store.__name__}.{one.name}") for one in iter_modules(store.__path__)]
    values = [value for module in modules for name, value in vars(module).items() if not name.startswith("__")]
    texts = [*values, *(text for value in values if isinstance(value, dict) for text in value.values())]
    return {text for text in texts if isinstance(text, str) and VERBS.match(text) and not HEARD.search(text)}


@dataclass(frozen=True, slots=True)
class Walk:
    """A table that a statement goes through from one end; `index` where it walks an index instead."""

    statement: str
    table: str
    index: str

    def __str__(self) -> str:
        return f"{self.table}{' by ' if self.index else ''}{self.index}: {' '.join(self.statement.split())}"


class SqliteDesk:
    """Plans of a SQLite store. Another database needs `walks` alone: the rest asks for nothing of SQLite."""

    def __init__(self, conn: Connection) -> None:
        self._driver: sqlite3.Connection = conn.connection.driver_connection  # type: ignore[assignment]

    def walks(self, statement: str, parameters: Any = None) -> list[Walk]:
        """Tables, and indexes, that are gone through from one end; also where a LIMIT ends it soon."""
        names = {alias or table: table for table, alias in NAMED.findall(statement)}
        found = (WALK.match(line) for line in self._plan(statement, parameters))
        return [
            Walk(statement, names.get(one["table"], one["table"]), one["index"] or "")
            for one in found
            if one and not one["table"].startswith(("anon_", "(subquery"))
        ]

    def _plan(self, statement: str, parameters: Any) -> list[str]:
        explain = f"EXPLAIN QUERY PLAN {statement}"
        if parameters is not None:
            return [row[3] for row in self._driver.execute(explain, parameters)]
        for number in range(MOST_PARAMETERS):
            with suppress(sqlite3.ProgrammingError):
                return [row[3] for row in self._driver.execute(explain, (None,) * number)]
        raise AssertionError(f"no number of parameters fits {statement}")

    def unfound_children(self) -> set[tuple[str, str]]:
        """(table, column) of foreign keys that no index begins with: deleting or changing a parent walks such a table."""
        tables = [name for (name,) in self._driver.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            (table, row[3])
            for table in tables
            for row in self._driver.execute(f"PRAGMA foreign_key_list({table})")
            if row[3] not in self._leading(table)
        }

    def _leading(self, table: str) -> set[str]:
        """The first column of every index and of the primary key."""
        columns = self._driver.execute(f"PRAGMA table_info({table})")
        first = {name for _, name, _, _, _, place in columns if place == 1}
        for index in self._driver.execute(f"PRAGMA index_list({table})").fetchall():
            first |= {row[2] for row in self._driver.execute(f"PRAGMA index_info({index[1]})") if row[0] == 0}
        return first
