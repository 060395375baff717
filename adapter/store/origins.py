"""Where stored messages came from: the name of the source and the type, for a reader who is shown an inbox id."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from adapter.store.schema import inbox

AT_ONCE = 500
"""Ids of one query: SQLite takes no more than some thousand."""


@dataclass(frozen=True, slots=True)
class Origin:
    source: str
    type: str


def with_origins(conn: Connection, explained: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of an `explain` object, as JSON reads it; every piece of evidence gets `source` and `type`, null where the message
    is not stored here.
    """
    evidence: list[dict[str, Any]] = []
    copy = {name: _copied(value, evidence) for name, value in explained.items()}
    known = origins(conn, (str(one["message"]) for one in evidence))
    for one in evidence:
        origin = known.get(str(one["message"]))
        one["source"], one["type"] = (origin.source, origin.type) if origin else (None, None)
    return copy


def _copied(value: Any, evidence: list[dict[str, Any]]) -> Any:
    if isinstance(value, dict):
        if "message" in value and "concept" in value:
            evidence.append(made := value.copy())
            return made
        return {name: _copied(inner, evidence) for name, inner in value.items()}
    return [_copied(inner, evidence) for inner in value] if isinstance(value, list) else value


def origins(conn: Connection, messages: Iterable[str]) -> Mapping[str, Origin]:
    """By inbox id as evidence names it; what is no id, or not stored any more, is left out."""
    ids = sorted({int(one) for one in messages if one.isascii() and one.isdigit()})
    found: dict[str, Origin] = {}
    for first in range(0, len(ids), AT_ONCE):
        wanted = select(inbox.c.id, inbox.c.source, inbox.c.type).where(inbox.c.id.in_(ids[first : first + AT_ONCE]))
        found |= {str(row.id): Origin(row.source, row.type) for row in conn.execute(wanted)}
    return found
