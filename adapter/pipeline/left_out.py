"""Messages of people who want no part: stored and acknowledged as any other, then emptied before anybody hears of them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from adapter.domain.events import RecordsTied
from adapter.domain.ledger import Bucket, Ledger
from adapter.domain.message import MessageState
from adapter.domain.patient import PatientId
from adapter.domain.ties import Merge
from adapter.pipeline.steps import Read
from adapter.screening.interpret import Interpretation
from adapter.screening.named import about, named, stated
from adapter.screening.rulebook import Rulebook
from adapter.store import emptied, opt_outs
from adapter.store.database import Database, Transaction
from adapter.store.emptied import OPTED_OUT
from adapter.store.secret import SiteSecret

Along = tuple[Read, frozenset[PatientId]]
"""A message that makes somebody who wants no part one with a record that is not on the list, and the numbers of both."""


class LeftOut:
    """The list, kept in memory where nobody else changes it."""

    def __init__(self, database: Database, secret: SiteSecret) -> None:
        self._database, self._secret = database, secret
        self._tokens: frozenset[bytes] | None = None

    def forget(self) -> None:
        """The list was changed."""
        self._tokens = None

    def anybody(self) -> bool:
        """Whether there is anybody on it: one statement a batch where others change it, none where nobody does."""
        if self._tokens is None or self._database.many_writers:
            with self._database.read() as conn:
                self._tokens = opt_outs.listed(conn)
        return bool(self._tokens)

    def sifted(self, read: Sequence[Read], rules: Rulebook) -> list[Read]:
        """Without what they say of people who want no part, by the list as `anybody` found it."""
        return [self._sifted(one, rules) for one in read]

    def along(self, read: Sequence[Read]) -> Along | None:
        """The first such message, by the same list: whoever it makes one with a person who wants no part wants none either."""
        for one in read:
            for kept, numbers in _persons(one):
                out = self._whose(numbers)
                if out and not kept <= out:
                    return one, kept | out
        return None

    def _whose(self, people: Collection[PatientId]) -> frozenset[PatientId]:
        tokens = self._tokens or frozenset()
        return frozenset(one for one in people if opt_outs.token(self._secret, one) in tokens)

    def _sifted(self, read: Read, rules: Rulebook) -> Read:
        whole = read.whole
        out = self._whose(named(read.item.message, rules, whole))
        if not out:
            return read
        numbers = frozenset(one.value for one in out)
        kept = tuple(event for event in whole.events if out.isdisjoint(about(Interpretation("", None, (event,)))))
        seen = replace(whole, events=kept, issues=(), patients=(), identifiers=())
        if read.seen is not None and kept:
            return replace(read, ending=replace(read.ending, issues=()), seen=seen, whole=seen, left_out=numbers)
        ledger = Ledger({Bucket.MESSAGE_NOT_USED: whole.ledger.observations}).as_json()
        ending = replace(read.ending, state=MessageState.IGNORED, reason=OPTED_OUT, ledger=ledger, issues=())
        return replace(read, ending=ending, seen=None, whole=replace(seen, events=()), left_out=numbers)


def take_away(tx: Transaction, read: Sequence[Read], now: datetime) -> None:
    """The bytes of those that speak of people who want no part."""
    whose = {one.item.id: one.seen is not None for one in read if one.left_out}
    numbers = frozenset[str]().union(*(one.left_out for one in read))
    emptied.empty(tx, whose, (OPTED_OUT, now), numbers)


def _persons(read: Read) -> Iterator[tuple[frozenset[PatientId], frozenset[PatientId]]]:
    """Of each person the message makes of several numbers: the records that are kept, and all numbers. Of the patients of a batch
    or a page nobody can say whose a number is that the site does not keep them by.
    """
    if read.seen is None:
        return
    whom, said = about(read.seen), stated(read.item.message.site, read.seen)
    for event in read.seen.events:
        if isinstance(event, RecordsTied) and isinstance(event.tie, Merge):
            records = frozenset(event.tie.records)
            yield records, records | said if whom <= records else records
    if len(whom) == 1:
        yield whom, whom | said
