"""Where a person stands in the store: all their records, and the messages that speak of them; a walk through the whole inbox."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from adapter.domain.patient import PatientId
from adapter.errors import MalformedMessageError
from adapter.pipeline.keep import Keeper
from adapter.screening.interpret import Interpretation, interpret, unreadable
from adapter.screening.named import about, holds, speaks_of, stated
from adapter.store import emptied, persons
from adapter.store.database import Database, Snapshot
from adapter.store.inbox import Item

PORTION = 1000
"""Ids of messages looked through in one snapshot: a longer one would keep SQLite's log from being emptied."""
NOBODY = frozenset[PatientId]()


@dataclass(frozen=True, slots=True)
class Found:
    """Whose records are tied to the person; messages that speak of them, and whether of others too; how many of others' merely
    hold the number; the last message looked at.
    """

    records: frozenset[PatientId]
    messages: Mapping[int, bool] = field(default_factory=dict)
    mentions: int = 0
    last: int = 0
    beside: frozenset[PatientId] = NOBODY
    """By what else this site keeps the person, where a number that was asked for only stands beside it."""
    unclear: bool = False
    """It stands beside numbers of several, and nobody can say whose it is."""


class Looking:
    def __init__(self, database: Database, keeper: Keeper) -> None:
        self._database, self._keeper = database, keeper

    def found(self, asked: frozenset[PatientId], before: Found | None = None, *, only: bool = False) -> Found:
        """In any thread: it may take long. Behind what was looked at `before`, of the records known now. `only` these: whoever
        else it leads to is unclear.
        """
        seen = before or Found(NOBODY)
        while True:
            records = self._records(asked | seen.beside)
            if records != seen.records:
                seen = Found(records, beside=seen.beside)
            seen = self._walked(seen, asked)
            if seen.beside <= seen.records:
                return seen
            if only or len({self._records(frozenset({one})) for one in seen.beside}) > 1:
                return replace(seen, beside=NOBODY, unclear=True)

    def _records(self, asked: frozenset[PatientId]) -> frozenset[PatientId]:
        """All that are one person with these."""
        with self._database.read() as conn:
            return asked.union(*(persons.knot(conn, one).person(one).members for one in asked))

    def _walked(self, seen: Found, asked: frozenset[PatientId]) -> Found:
        """To the end of the inbox, in portions with a snapshot each: a message never changes but by being emptied."""
        with self._database.read() as conn:
            end = emptied.last(conn)
        while seen.last < end:
            upto = min(seen.last + PORTION, end)
            with self._database.read() as conn:
                seen = self._portion(conn, seen, asked, upto)
        return seen

    def _portion(self, conn: Snapshot, seen: Found, asked: frozenset[PatientId], upto: int) -> Found:
        messages, mentions, beside, unclear = dict(seen.messages), seen.mentions, set(seen.beside), seen.unclear
        held = emptied.holding(conn, [one.value for one in seen.records], seen.last, upto)
        for item in emptied.bodies(conn, held):
            said = self._said(item)
            whom = about(said)
            if speaks_of(item.message, self._keeper.rules, said, seen.records):
                messages[item.id] = not whom <= seen.records
            else:
                mentions += any(holds(item.message.body, one.value) for one in seen.records)
            if seen.records.isdisjoint(whom) and not asked.isdisjoint(stated(item.message.site, said)):
                beside |= whom if len(whom) == 1 else NOBODY
                unclear = unclear or len(whom) > 1
        return Found(seen.records, messages, mentions, upto, frozenset(beside), unclear)

    def _said(self, item: Item) -> Interpretation:
        try:
            return interpret(item.message, self._keeper.rules, message_id=str(item.id))
        except MalformedMessageError as error:
            return unreadable(item.message.body, error.code)
