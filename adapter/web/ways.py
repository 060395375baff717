"""What each reader searched for, and by which list they came to a patient: beside their session, so that no address holds a name.

It is sealed by the site's secret, in the session's row: every process of this house knows it, a restart forgets nothing, and it
ends with the session. The database alone tells nobody what was searched for.
"""

import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from adapter.store import ways as kept
from adapter.store.database import Snapshot
from adapter.web import filters
from adapter.web.context import WebContext
from adapter.web.sealed import Seal
from adapter.web.sessions import Visitor

PURPOSE = "ways"
SEARCHES, LISTS = "searches", "lists"
MOST = {SEARCHES: 20, LISTS: 50}
"""Of one session; the oldest are forgotten first."""
LONGEST_ID = 64

Known = dict[str, dict[str, str]]


def search(context: WebContext, reader: Visitor, words: str) -> str:
    """What an address may call this search: a random name, which tells nobody else anything."""
    name = secrets.token_hex(4)
    _keep(context, reader, SEARCHES, (name, words))
    return name


def words(context: WebContext, reader: Visitor, name: str) -> str:
    """Empty for one that is no longer known, or that is somebody else's."""
    return _read(context, reader)[SEARCHES].get(name, "") if name else ""


def back(context: WebContext, reader: Visitor, candidate: str, before: str) -> str:
    """The list by which they came here: `before`, where the address of the page before is one; else as they came last."""
    here, listed = candidate[:LONGEST_ID], _list_at(before)
    last = _read(context, reader)[LISTS].get(here, "/")
    if listed and listed != last:
        _keep(context, reader, LISTS, (here, listed))
    return listed or last


def _read(context: WebContext, reader: Visitor) -> Known:
    with context.database.read() as conn:
        return _opened(context, conn, reader)


def _opened(context: WebContext, conn: Snapshot, reader: Visitor) -> Known:
    """Nothing where it was sealed by another key."""
    found = _seal(context).open(kept.read(conn, reader.session), context.clock()) or {}
    return {part: dict(found.get(part, {})) for part in MOST}


def _keep(context: WebContext, reader: Visitor, part: str, entry: tuple[str, str]) -> None:
    """Read again in the transaction that writes: two windows of one session lose nothing of each other's."""
    name, text = entry
    with context.database.write() as tx:
        known = _opened(context, tx, reader)
        known[part].pop(name, None)
        known[part][name] = text
        newest: Mapping[str, dict[str, str]] = {
            one: dict(list(many.items())[-MOST[one] :]) for one, many in known.items()
        }
        kept.keep(tx, reader.session, _seal(context).close(dict(newest), context.clock()))


def _seal(context: WebContext) -> Seal:
    return Seal(context.secret, PURPOSE)


def _list_at(address: str) -> str:
    """The list's address as we write it; empty for any other page."""
    try:
        page = urlsplit(address)
    except ValueError:
        return ""
    return filters.read(dict(parse_qsl(page.query))).here if page.path == "/" else ""
