"""One search read page by page: each page stored with its bookmark in one commit, and what its entries refer to fetched."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from adapter.domain.message import MessageKind, RawMessage, Receipt
from adapter.errors import MalformedMessageError
from adapter.fhir.page import BESIDE, Entry, Name, Page, read_page, read_resource, targets
from adapter.fhir.search import KINDS, MANNERS, Bookmark, Manners, Parameters, Search
from adapter.pipeline.origin import Origin
from adapter.pipeline.receive import StoreInbox
from adapter.ports import Clock
from adapter.sources.fhir_client import FhirClient, Got, PollError
from adapter.sources.fhir_links import steady
from adapter.sources.fhir_tally import Tally
from adapter.store import polls
from adapter.store.database import Database, Transaction

AT_ONCE = 50
"""Resources asked for by their ids in one search."""
DEPTH = 2
"""A report's result may have a specimen."""
KEPT = 2000
"""Medications and specimens remembered, so that the next page need not ask again."""
OPTIONAL = frozenset({"forbidden", "gone", "refused"})
"""A server that does not give a referred type at all must not stop what it gives."""
UNREADABLE = "FHIR_PAGE"
LACKING = "|lacking"
"""Behind the version of what was stored without its Patient, which the server did not give: nobody could read it."""


@dataclass(frozen=True, slots=True)
class Server:
    """A source of adapter.toml as the poller needs it."""

    name: str
    site: str
    base: str
    every: float = 60.0
    kinds: Sequence[str] = KINDS
    narrowed: dict[str, Parameters] = field(default_factory=dict)
    manners: Manners = MANNERS["generic"]
    overlap: timedelta = timedelta(minutes=10)
    look_back: timedelta = timedelta(days=7)
    count: int = 100
    max_pages: int = 10_000
    group: str = ""
    reconcile: timedelta = timedelta(hours=24)
    backfill: str = ""
    """`system`, `patient` or `group`: what a Bulk Data export is asked for once; empty: none is."""
    backfill_since: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where pages are stored, and by which clock."""

    inbox: StoreInbox
    database: Database
    clock: Clock


class StoppedError(Exception):
    """Somebody asked the poller to stop, or it was given up: nothing more is stored by this thread."""


class Crawl:
    """For one thread; `stopped` is asked before each request and each commit."""

    def __init__(
        self, server: Server, client: FhirClient, desk: Desk, tally: Tally, stopped: Callable[[], bool]
    ) -> None:
        self.server, self.client, self.desk, self.tally = server, client, desk, tally
        self._stopped = stopped
        self._origin = Origin(server.base)
        self._beside: OrderedDict[Name, Entry] = OrderedDict()
        self.anew = False
        """Whether what lacked its Patient is stored again, where the server gives them now."""

    def poll(self, search: Search) -> None:
        """From the bookmark to the end. Raises PollError; what was stored until then stays, and is not asked for again."""
        with self.desk.database.read() as conn:
            mark = polls.bookmark(conn, self.server.name, search.kind)
        if mark.next:
            try:
                self._pass(search, mark, mark.next)
            except PollError as error:
                if error.kind not in ("gone", "refused", "origin"):
                    raise
                self._save(search, mark.restarted())  # its link has expired: begun again at the watermark
            else:
                return
            mark = mark.restarted()
        since = mark.since(self.desk.clock() - self.server.look_back, self.server.overlap)
        self._pass(search, mark, self._first(search, since))

    def again(self, search: Search, since: datetime, look: Callable[[Page], None] = lambda _page: None) -> None:
        """Everything since then once more, without a bookmark: what was never seen is stored, and all is shown to `look`."""
        self._pass(search, Bookmark(), self._first(search, since), look)

    def _first(self, search: Search, since: datetime) -> Callable[[], Got]:
        parameters = search.parameters(self.server.manners, since, self.server.count)
        return lambda: self.client.search(search.kind, parameters)

    def _pass(
        self,
        search: Search,
        mark: Bookmark,
        start: str | Callable[[], Got],
        look: Callable[[Page], None] | None = None,
    ) -> None:
        """`look` sees the pages of a pass that keeps no bookmark."""
        followed: set[str] = set()
        link = start
        while True:
            self.go_on()
            got = self.client.follow(link) if isinstance(link, str) else link()
            page = self._read(search, got)
            following = steady(page.next, link if isinstance(link, str) else "", len(page.entries))
            trouble = self._trouble(following, mark, followed)
            mark = mark.turned(
                began=self._began(got, page),
                newest=max((one.updated for one in page.entries if one.updated), default=None),
                following=following,
                flawed=page.flawed,
            )
            self._keep(search, (page, got.body), mark.restarted() if trouble else mark, saved=look is None)
            if look is not None:
                look(page)
            if trouble:
                raise trouble
            if not following:
                return
            followed.add(following)
            link = following

    def go_on(self) -> None:
        if self._stopped():
            raise StoppedError

    def _read(self, search: Search, got: Got) -> Page:
        try:
            return read_page(got.body)
        except MalformedMessageError as error:
            if error.code != "BUNDLE" and not self.tally.failing(search.kind, search.patient):
                self.store([self.message(search.kind, got.body, quarantine=UNREADABLE)])
            raise PollError(error.code.lower(), str(error)) from None

    def _trouble(self, following: str, mark: Bookmark, followed: Collection[str]) -> PollError | None:
        """Why a page's link must not be followed (bad-input F03 to F05)."""
        if not following:
            return None
        if not self._origin.holds(following):
            return PollError(
                "origin", "the next page lies at another address — not followed; look at the server's base URL"
            )
        if following in followed or following == mark.next:
            return PollError("loop", "the next page is one that was read already — stopped; ask who keeps the server")
        if mark.pages + 1 >= self.server.max_pages:
            return PollError(
                "pages", "the search has more pages than max_pages — stopped; narrow it, or look back less"
            )
        return None

    def _began(self, got: Got, page: Page) -> datetime:
        """The earliest of what the clocks say: earlier only reads something twice (bad-input F08)."""
        self.tally.clocks(got.at, self.desk.clock())
        return min(one for one in (got.at, page.updated, self.desk.clock()) if one is not None)

    # --- what a page refers to -------------------------------------------------------------------------------------

    def beside(self, fresh: Iterable[Entry], have: Collection[Name] = ()) -> list[Entry]:
        """What new entries refer to: not in the page, and never seen or needed beside them. Raises PollError."""
        have = set(have)
        found: list[Entry] = []
        asking = list(fresh)
        for _ in range(DEPTH):
            wanted = {name for one in asking for name in targets(one, self.server.base)} - have
            asking = self._fetched(wanted)
            have |= wanted
            found += asking
        return found

    def _fetched(self, wanted: set[Name]) -> list[Entry]:
        beside = {name for name in wanted if name[0] in BESIDE}
        with self.desk.database.read() as conn:
            seen = polls.versions(conn, self.server.name, wanted - beside)
        found = [self._beside[name] for name in sorted(beside) if name in self._beside]
        missing = sorted(wanted - seen.keys() - {one.name for one in found})
        for kind in sorted({kind for kind, _ in missing}):
            found += self._by_id(kind, [identity for of, identity in missing if of == kind])
        for one in found:
            self._remember(one)
        self.tally.unresolved(len(wanted) - len(seen) - len(found))
        return found

    def _refresh(self, page: Page) -> None:
        """What is remembered is what was said last."""
        for one in page.entries:
            self._remember(one)

    def _remember(self, entry: Entry) -> None:
        if entry.kind not in BESIDE:
            return
        if entry.at:  # apart from its page, which is long
            entry = read_resource(entry.text().encode()) or entry
        self._beside[entry.name] = entry
        self._beside.move_to_end(entry.name)
        while len(self._beside) > KEPT:
            self._beside.popitem(last=False)

    def _by_id(self, kind: str, identities: Sequence[str]) -> list[Entry]:
        """Whatever the server gives at once: as long as it gives some, it is asked for the others."""
        found: list[Entry] = []
        waiting = list(identities)
        while waiting:
            some, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
            self.go_on()
            try:
                got = self.client.search(kind, (("_id", ",".join(some)), ("_count", str(AT_ONCE))))
                page = read_page(got.body)
            except MalformedMessageError as error:
                raise PollError(error.code.lower(), str(error)) from None
            except PollError as error:
                if error.kind in OPTIONAL:
                    return found
                raise
            came = [one for one in page.entries if one.kind == kind and one.id in some]
            found += came
            if came:
                given = {one.id for one in came}
                waiting = [one for one in some if one not in given] + waiting
        return found

    # --- storing ---------------------------------------------------------------------------------------------------

    def _keep(self, search: Search, read: tuple[Page, bytes], mark: Bookmark, *, saved: bool) -> None:
        """The page if anything in it is new, and how far we are, in one commit."""
        page, came = read
        with self.desk.database.read() as conn:
            seen = polls.versions(conn, self.server.name, {one.name for one in page.entries})
        fresh = [one for one in page.entries if seen.get(one.name, "").removesuffix(LACKING) != one.version]
        waiting = [one for one in page.entries if self.anew and seen.get(one.name) == one.version + LACKING]
        self._refresh(page)
        here = {one.name for one in page.entries}
        found = self.beside([*fresh, *waiting], here)
        here |= {one.name for one in found}
        fresh += [one for one in waiting if self._patients(one) <= here]
        known = [self.noted(one, here) for one in fresh]
        messages = []
        if fresh:
            body = page.with_beside(found, self.server.base).encode() if found else came
            messages.append(self.message(search.kind, body, control=page.id))

        def beside(tx: Transaction, receipts: Sequence[Receipt]) -> None:
            for receipt in receipts:
                polls.note(tx, self.server.name, [*known, *found], receipt.inbox_id, self.desk.clock())
            if saved:
                polls.save(tx, self.server.name, search.kind, mark)

        self.store(messages, beside)
        self.tally.page(search.kind, len(fresh))

    def noted(self, entry: Entry, here: Collection[Name]) -> Entry:
        """As it is remembered, stored beside these."""
        return entry if self._patients(entry) <= set(here) else replace(entry, version=entry.version + LACKING)

    def _patients(self, entry: Entry) -> set[Name]:
        """Whose it is, where that stands on this server."""
        return {name for name in targets(entry, self.server.base) if name[0] == "Patient" != entry.kind}

    def _save(self, search: Search, mark: Bookmark) -> None:
        self.store((), lambda tx, _: polls.save(tx, self.server.name, search.kind, mark))

    def store(
        self,
        messages: Sequence[RawMessage],
        beside: Callable[[Transaction, Sequence[Receipt]], None] = lambda _tx, _receipts: None,
    ) -> None:
        self.go_on()
        self.desk.inbox.keep(messages, beside)

    def message(self, kind: str, body: bytes, *, control: str = "", quarantine: str | None = None) -> RawMessage:
        return RawMessage(
            source=self.server.name,
            site=self.server.site,
            kind=MessageKind.FHIR,
            body=body,
            received=self.desk.clock(),
            control_id=control,
            type=kind,
            quarantine=quarantine,
        )
