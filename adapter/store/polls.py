"""What a poller knows: how far each search has been read, and which version of each resource is stored where."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Connection, Index, Table, delete, select
from sqlalchemy import Text as LongText

from adapter.fhir.page import Entry, Name
from adapter.fhir.search import Bookmark
from adapter.store.codec import instant, instant_or_none, moment_or_none, storable
from adapter.store.columns import NUMBER, WORDS, metadata
from adapter.store.upsert import insert

bookmarks = Table(
    "poll_bookmarks",
    metadata,
    Column("source", WORDS, primary_key=True),
    Column("search", WORDS, primary_key=True),
    Column("watermark", WORDS),
    Column("next", LongText, nullable=False, server_default=""),
    Column("began", WORDS),
    Column("newest", WORDS),
    Column("pages", NUMBER, nullable=False, server_default="0"),
    Column("flawed", NUMBER, nullable=False, server_default="0"),
)

resources = Table(
    "poll_resources",
    metadata,
    Column("source", WORDS, primary_key=True),
    Column("kind", WORDS, primary_key=True),
    Column("id", WORDS, primary_key=True),
    Column("version", WORDS, nullable=False),
    # The server's own lastUpdated; where it says none, when it came.
    Column("updated", WORDS, nullable=False),
    Column("came", WORDS, nullable=False),
    # The inbox message that holds this version.
    Column("message", NUMBER, nullable=False),
    Index("poll_resources_updated", "source", "kind", "updated"),
)


@dataclass(frozen=True, slots=True)
class Held:
    """A resource as it was last seen, and the message of the inbox that holds it."""

    kind: str
    id: str
    message: int


def bookmark(conn: Connection, source: str, search: str) -> Bookmark:
    """Of a search that was never made: an empty one."""
    row = conn.execute(
        select(bookmarks).where(bookmarks.c.source == source, bookmarks.c.search == search)
    ).one_or_none()
    if row is None:
        return Bookmark()
    return Bookmark(
        watermark=moment_or_none(row.watermark),
        next=row.next,
        began=moment_or_none(row.began),
        newest=moment_or_none(row.newest),
        pages=row.pages,
        flawed=bool(row.flawed),
    )


def save(tx: Connection, source: str, search: str, mark: Bookmark) -> None:
    values = {
        "watermark": instant_or_none(mark.watermark),
        "next": mark.next,
        "began": instant_or_none(mark.began),
        "newest": instant_or_none(mark.newest),
        "pages": mark.pages,
        "flawed": int(mark.flawed),
    }
    put = insert(bookmarks).values(source=source, search=search, **values)
    tx.execute(put.on_conflict_do_update(index_elements=["source", "search"], set_=values))


def versions(conn: Connection, source: str, names: Collection[Name]) -> dict[Name, str]:
    """The version of each of these that is stored; of one never seen, nothing."""
    by_kind: dict[str, list[str]] = {}
    for kind, identity in names:
        by_kind.setdefault(kind, []).append(storable(identity))
    return {
        (kind, identity): version
        for kind, identities in by_kind.items()
        for identity, version in conn.execute(
            # Not pairs in a list of pairs: SQLite finds none of them by an index, and goes through all of the source's.
            select(resources.c.id, resources.c.version).where(
                resources.c.source == source, resources.c.kind == kind, resources.c.id.in_(identities)
            )
        )
    }


def note(tx: Connection, source: str, entries: Iterable[Entry], message: int, came: datetime) -> None:
    """These versions stand in this message."""
    rows = [
        {
            "source": source,
            "kind": storable(one.kind),
            "id": storable(one.id),
            "version": storable(one.version),
            "updated": instant(one.updated or came),
            "came": instant(came),
            "message": message,
        }
        for one in entries
    ]
    if rows:
        put = insert(resources)
        changed = {name: put.excluded[name] for name in ("version", "updated", "came", "message")}
        tx.execute(put.on_conflict_do_update(index_elements=["source", "kind", "id"], set_=changed), rows)


def held_since(conn: Connection, source: str, kind: str, since: datetime) -> list[Held]:
    """What was changed since then, as far as we know."""
    rows = conn.execute(
        select(resources.c.id, resources.c.message).where(
            resources.c.source == source, resources.c.kind == kind, resources.c.updated >= instant(since)
        )
    )
    return [Held(kind, identity, message) for identity, message in rows]


def forget(tx: Connection, source: str, names: Collection[Name]) -> None:
    for kind, identity in names:
        tx.execute(
            delete(resources).where(
                resources.c.source == source, resources.c.kind == kind, resources.c.id == storable(identity)
            )
        )


def forget_before(tx: Connection, source: str, moment: datetime) -> None:
    """What no search asks for any more; seen again, it is stored again, which changes nothing."""
    tx.execute(delete(resources).where(resources.c.source == source, resources.c.came < instant(moment)))
