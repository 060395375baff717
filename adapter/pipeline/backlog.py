"""A long backlog is told first and judged afterwards, whoever was spoken of last first (reliability P7).

After a day without us, what a patient's first messages say is old news by their last: judged on the way, people would be told
of what is over, and a patient of now would wait behind everybody's yesterday. So while thousands of messages wait, what they
say is kept without a verdict and the patient is marked, in the same transaction. Once few wait, the marked are judged.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from adapter.domain.patient import PatientId
from adapter.pipeline.steps import Step
from adapter.store import inbox, unjudged
from adapter.store.database import Database, Snapshot, Transaction
from adapter.store.partitions import ALL, partition_of
from adapter.store.unjudged import Unjudged

LONG = 5000
"""Messages that wait: ten seconds of work. What is shorter is judged as it comes."""
PATIENCE = timedelta(minutes=15)
"""A backlog that lasts longer than that is judged on the way all the same: more comes than can be told."""
LOOKED_AT = 1000
"""Of so many who are to be judged, those of our own patients are; the others' are theirs."""


class Backlog:
    """Of one processor; used by its thread alone."""

    def __init__(self) -> None:
        self._began: datetime | None = None
        self._left = True

    def look(self) -> None:
        """Marks may be there that another process left, whose patients are ours now."""
        self._left = True

    def is_long(self, conn: Snapshot, now: datetime) -> bool:
        """Whether so many messages wait that they are told without a verdict."""
        if not inbox.more_wait_than(conn, LONG):
            self._began = None
            return False
        self._began = self._began or now
        return True

    def mark(self, tx: Transaction, steps: Sequence[Step], keys: Mapping[PatientId, int]) -> None:
        """In the transaction that keeps what was told; `keys` of the patients' rows, as it knows them."""
        unjudged.mark(tx, {keys[who]: step.message_id or 0 for step in steps for who in step.records if who in keys})
        self._left = True

    def left(self, conn: Snapshot, limit: int, held: frozenset[int], now: datetime) -> list[Unjudged]:
        """Whose turn it is to be judged; nobody while a backlog is being told."""
        if not self._left or (self._began is not None and now - self._began <= PATIENCE):
            return []
        found = unjudged.newest(conn, limit if held == ALL else LOOKED_AT)
        self._left = bool(found)
        return [one for one in found if held == ALL or partition_of(one.root) in held][:limit]

    def still(self, database: Database, left: Sequence[Unjudged], held: frozenset[int]) -> list[Unjudged]:
        """Without those whom a message took out of the store since they were asked for, or who were given up for a merge."""
        ours = [one for one in left if held == ALL or partition_of(one.root) in held]
        if not ours:
            return []
        with database.read() as conn:
            there = unjudged.there(conn, [one.key for one in ours])
        return [one for one in ours if one.key in there]
