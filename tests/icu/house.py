"""The feed through the real pipeline: stored, processed, screened by the feed's own clock; what is believed at the end."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from adapter.assets import load_rulebook
from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.patient import PatientId, PatientState
from adapter.pipeline.keep import Keeper
from adapter.pipeline.process import Processor
from adapter.screening.rulebook import Rulebook
from adapter.store import inbox, patients
from adapter.store.database import Database
from adapter.store.secret import SiteSecret
from tests.icu.feed import Told

SITE = "mimic"
TRIAL = "immunosep"
ASSETS = Path(__file__).parent
TOGETHER = 20
"""Messages of one patient that wait when the next step is made."""


def rulebook() -> Rulebook:
    return load_rulebook(ASSETS, trials=[TRIAL])


@dataclass
class House:
    """A real store in `folder`; its clock is the time of the last message told."""

    folder: Path
    rules: Rulebook = field(default_factory=rulebook)
    now: datetime = datetime(2100, 1, 1, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.database = Database.open(f"sqlite:///{self.folder}/icu.db")
        self.database.migrate()
        keeper = Keeper(self.database, self.rules, SiteSecret.load_or_create(self.folder / "secret.key"), (), "")
        self._processor = Processor(self.database, self.rules, keeper, lambda: self.now, lambda: None)

    def tell(self, feed: Iterable[Told]) -> None:
        for batch in _batches(feed):
            self.now = batch[-1].at
            with self.database.write() as tx:
                inbox.put_many(tx, [raw(one) for one in batch])
            while self._processor.step():
                pass

    def state(self, subject: str) -> PatientState:
        with self.database.read() as conn:
            return patients.load(conn, PatientId(SITE, "MIMIC", subject))

    def counts(self) -> inbox.InboxCounts:
        with self.database.read() as conn:
            return inbox.counts(conn)


def raw(one: Told) -> RawMessage:
    return RawMessage("icu", SITE, MessageKind.HL7V2, one.body, one.at, sender="MIMIC|MIMIC", control_id=_control(one))


def _control(one: Told) -> str:
    return one.body.split(b"|", 10)[9].decode()


def _batches(feed: Iterable[Told]) -> Iterator[list[Told]]:
    """One patient's at a time, so that the clock is theirs."""
    for _, told in groupby(feed, key=lambda one: one.subject):
        batch: list[Told] = []
        for one in told:
            batch.append(one)
            if len(batch) == TOGETHER:
                yield batch
                batch = []
        if batch:
            yield batch
