"""A house small enough for a test: a real store and processor, a clock one can set, messages put by hand."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from adapter.assets import load_rulebook
from adapter.domain.message import MessageKind, Receipt
from adapter.pipeline.keep import Keeper
from adapter.pipeline.outgoing import NotifierOutlet, Outlet
from adapter.pipeline.process import Processor
from adapter.screening.rulebook import Rulebook
from adapter.store import inbox, outbox, worklist
from adapter.store.candidate_rows import CandidateRow, HistoryRow
from adapter.store.database import Database
from adapter.store.secret import SiteSecret
from tests import stores
from tests.builders import RECEIVED, raw

NOW = datetime(2026, 1, 2, 8, tzinfo=UTC)
"""Five hours after the results of `builders.oru`."""


@dataclass
class House:
    database: Database
    processor: Processor
    keeper: Keeper
    now: datetime

    def put(self, *bodies: bytes, kind: MessageKind = MessageKind.HL7V2, control: str = "") -> list[Receipt]:
        received = max(self.now, RECEIVED)
        messages = [raw(body, kind=kind, control_id=control, received=received) for body in bodies]
        with self.database.write() as tx:
            return inbox.put_many(tx, messages)

    def tell(self, *bodies: bytes, kind: MessageKind = MessageKind.HL7V2) -> None:
        """Store, then process until the inbox is empty."""
        self.put(*bodies, kind=kind)
        self.work()

    def work(self) -> None:
        while self.processor.step():
            pass

    def later(self, **hours: float) -> None:
        self.now += timedelta(**hours)
        while self.processor.review():
            pass

    @property
    def rows(self) -> list[CandidateRow]:
        with self.database.read() as conn:
            return worklist.shown(conn, self.now)

    @property
    def row(self) -> CandidateRow:
        (row,) = self.rows
        return row

    def history(self, candidate: str) -> list[HistoryRow]:
        with self.database.read() as conn:
            return worklist.history(conn, candidate)

    def counts(self) -> inbox.InboxCounts:
        with self.database.read() as conn:
            return inbox.counts(conn)

    def owed(self, outlet: str) -> list[str]:
        """Kinds waiting, oldest first: settles each so that the next of the subject comes up."""
        kinds: list[str] = []
        while True:
            with self.database.read() as conn:
                due = outbox.due(conn, outlet, self.now + timedelta(days=400), 50)
            if not due:
                return kinds
            kinds += [delivery.kind for delivery in due]
            with self.database.write() as tx:
                for delivery in due:
                    outbox.delivered(tx, delivery.id, None, self.now)


@cache
def rulebook(*trials: str) -> Rulebook:
    """The shipped one, read once in a process: it is a value."""
    return load_rulebook(None, trials=trials)


def open_house(
    folder: Path,
    *,
    trials: Iterable[str] = ("immunosep-demo",),
    outlets: tuple[Outlet, ...] = (NotifierOutlet("mail"),),
) -> House:
    database = stores.opened(folder)
    rules = rulebook(*trials)
    secret = SiteSecret.load_or_create(folder / "secret.key")
    keeper = Keeper(database, rules, secret, outlets, "https://worklist.example/c/")
    house = House(database, None, keeper, NOW)  # type: ignore[arg-type] — the processor needs the house's clock
    house.processor = Processor(database, rules, keeper, lambda: house.now, lambda: None)
    return house


__all__ = ["NOW", "House", "open_house"]
