"""Once a day everything of the open window is read again: what was missed is stored, what was deleted is taken back."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial

from adapter.domain.message import RawMessage, Receipt
from adapter.errors import MalformedMessageError
from adapter.fhir.page import Entry, Name, Page, bundle_of, read_page, read_resource
from adapter.fhir.search import Bookmark, Search
from adapter.fhir.withdraw import MEANT, withdrawn
from adapter.sources.fhir_crawl import Crawl
from adapter.store import inbox, marks, polls
from adapter.store.database import Transaction
from adapter.store.polls import Held

DAILY = "reconcile"
"""The bookmark that tells when it was done last."""
CHECKED = 500
"""Resources of one type asked for one by one in a night: more that vanish at once are a server's trouble, not deletions. Where
only those who are here are asked for, whatever was said of everybody else is missing: the next night goes on behind the last.
"""

Attempt = Callable[[Search, Callable[[], object]], bool]
"""Makes a search; whether it came through."""


def due(crawl: Crawl) -> bool:
    """Not on the first day: everything has just been read."""
    desk, name = crawl.desk, crawl.server.name
    with desk.database.read() as conn:
        last = polls.bookmark(conn, name, DAILY).watermark
    if last is None:
        done(crawl)
        return False
    return desk.clock() - last >= crawl.server.reconcile


def done(crawl: Crawl) -> None:
    """Remembered; and what lies before any window is forgotten."""
    now, name = crawl.desk.clock(), crawl.server.name

    def beside(tx: Transaction, _receipts: Sequence[Receipt]) -> None:
        polls.save(tx, name, DAILY, Bookmark(now))
        polls.forget_before(tx, name, now - 2 * crawl.server.look_back)

    crawl.store((), beside)


def reconcile(crawl: Crawl, searches: Sequence[Search], attempt: Attempt) -> bool:
    """Whether all came through; of a type with a search that did not, nothing is believed deleted."""
    since = crawl.desk.clock() - crawl.server.look_back
    crawl.anew = True
    # Also where nobody is here to be asked for.
    there: dict[str, set[Name]] = {kind: set() for kind in crawl.server.kinds}
    broken = {
        search.kind
        for search in searches
        if not attempt(search, partial(crawl.again, search, since, _noting(there[search.kind])))
    }
    for kind in sorted(there.keys() - broken):
        look = partial(_look_for_deleted, crawl, kind, since, there[kind])
        if not attempt(Search(kind, timeless=True), look):
            broken.add(kind)
    done(crawl)
    return not broken


def _noting(names: set[Name]) -> Callable[[Page], None]:
    return lambda page: names.update(one.name for one in page.entries)


def look_at_server(crawl: Crawl) -> None:
    """A server that was updated may answer otherwise (bad-input F38)."""
    said = crawl.client.capability()
    before = ""

    def beside(tx: Transaction, _receipts: Sequence[Receipt]) -> None:
        nonlocal before
        before = marks.put(tx, f"fhir-server:{crawl.server.name}", said)

    if said:
        crawl.store((), beside)
    if before not in ("", said):
        crawl.tally.odd("version")


def _look_for_deleted(crawl: Crawl, kind: str, since: datetime, there: Collection[Name]) -> None:
    """What we hold and the server did not name is asked for by itself: only its own 404 or 410 says deleted."""
    place = f"fhir-checked:{crawl.server.name}:{kind}"
    with crawl.desk.database.read() as conn:
        held, last = polls.held_since(conn, crawl.server.name, kind, since), marks.said(conn, place)
    missing = sorted((one for one in held if (one.kind, one.id) not in there), key=lambda one: (one.id <= last, one.id))
    tonight = missing[:CHECKED]
    for one in tonight:
        crawl.go_on()
        got = crawl.client.read(kind, one.id)
        if got is None:
            _take_back(crawl, one)
        elif entry := read_resource(got.body):
            _catch_up(crawl, entry)
    if last or len(tonight) < len(missing):
        _go_on_behind(crawl, place, tonight[-1].id if tonight else "")


def _go_on_behind(crawl: Crawl, place: str, identity: str) -> None:
    def beside(tx: Transaction, _receipts: Sequence[Receipt]) -> None:
        marks.put(tx, place, identity)

    crawl.store((), beside)


def _catch_up(crawl: Crawl, entry: Entry) -> None:
    """It is there after all, perhaps in a version no search showed, or with the Patient it lacked."""
    name = crawl.server.name
    with crawl.desk.database.read() as conn:
        known = polls.versions(conn, name, [entry.name]).get(entry.name)
    if known == entry.version:
        return
    beside = crawl.beside([entry])
    noted = crawl.noted(entry, {one.name for one in beside})
    if known == noted.version:
        return
    message = _alone(crawl, [entry, *beside], "collection")
    crawl.store([message], lambda tx, receipts: polls.note(tx, name, [noted], receipts[0].inbox_id, crawl.desk.clock()))


def _alone(crawl: Crawl, entries: Sequence[Entry], kind: str) -> RawMessage:
    """One with what it refers to: who the patient is stands elsewhere."""
    return crawl.message(entries[0].kind, bundle_of(entries, kind, crawl.server.base).encode())


def _take_back(crawl: Crawl, held: Held) -> None:
    name = (held.kind, held.id)
    entry = _last_text(crawl, held)
    error = withdrawn(entry, crawl.desk.clock()) if entry is not None and held.kind in MEANT else None
    messages = [] if error is None else [_alone(crawl, [error, *crawl.beside([error])], "history")]
    crawl.store(messages, lambda tx, _: polls.forget(tx, crawl.server.name, [name]))
    crawl.tally.deleted(held.kind)


def _last_text(crawl: Crawl, held: Held) -> Entry | None:
    """From the message that brought it; None where that is gone by retention."""
    try:
        with crawl.desk.database.read() as conn:
            body = inbox.raw(conn, held.message)
        found = read_page(body).entries
    except MalformedMessageError:
        single = read_resource(body)
        found = (single,) if single is not None else ()
    except LookupError:
        found = ()
    return next((one for one in found if one.name == (held.kind, held.id)), None)
