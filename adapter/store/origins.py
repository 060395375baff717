"""Where stored messages came from: the name of the source and the type, for a reader who is shown an inbox id."""

from collections.abc import Iterable, Iterator, Mapping
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
    """A copy of an `explain` object; every piece of evidence gets `source` and `type`, null where the message is not stored here."""
    found = origins(conn, _messages(explained))
    return {name: _told(value, found) for name, value in explained.items()}


def _is_evidence(value: Any) -> bool:
    return isinstance(value, Mapping) and "message" in value and "concept" in value


def _messages(value: Any) -> Iterator[str]:
    if _is_evidence(value):
        yield str(value["message"])
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _messages(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _messages(inner)


def _told(value: Any, found: Mapping[str, Origin]) -> Any:
    if _is_evidence(value):
        origin = found.get(str(value["message"]))
        return {**value, "source": origin and origin.source, "type": origin and origin.type}
    if isinstance(value, Mapping):
        return {name: _told(inner, found) for name, inner in value.items()}
    return [_told(inner, found) for inner in value] if isinstance(value, list) else value


def origins(conn: Connection, messages: Iterable[str]) -> Mapping[str, Origin]:
    """By inbox id as evidence names it; what is no id, or not stored any more, is left out."""
    ids = sorted({int(one) for one in messages if one.isascii() and one.isdigit()})
    found: dict[str, Origin] = {}
    for first in range(0, len(ids), AT_ONCE):
        wanted = select(inbox.c.id, inbox.c.source, inbox.c.type).where(inbox.c.id.in_(ids[first : first + AT_ONCE]))
        found |= {str(row.id): Origin(row.source, row.type) for row in conn.execute(wanted)}
    return found
