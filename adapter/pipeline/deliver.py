"""Carries what is owed from the outbox to sinks and notifiers: in order per subject, until it is settled."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping

from adapter import telemetry
from adapter.domain.message import Delivery, RemoteResource
from adapter.errors import AdapterError, StorageFailedError, UnavailableError
from adapter.pipeline import on_record
from adapter.pipeline.recall import recall
from adapter.pipeline.retry import after
from adapter.ports import Clock, Notifier, Sink
from adapter.store import audit, hold, outbox
from adapter.store.database import Database, Transaction

BATCH = 50
"""Subjects of one outlet in one round."""
PATIENCE = 3
"""Unanswered deliveries in a row after which the outlet is left alone until the next round."""

TAKEN = LookupError("another process delivers it")
"""No failure: it is simply not ours."""

Outlets = Mapping[str, Sink | Notifier]


async def deliver_next(
    database: Database,
    outlets: Outlets,
    clock: Clock,
    *,
    metrics: telemetry.Metrics | None = None,
    shadow: Collection[str] = (),
) -> int:
    """One round of every outlet, side by side; the number of deliveries that arrived. Nothing of trials in `shadow` leaves.

    A peer's failure is settled in the outbox; only the store's own failure is raised.
    """
    desk = _Desk(database, clock, metrics, shadow)
    rounds = [desk.round(name, outlet) for name, outlet in outlets.items()]
    done = await asyncio.gather(*rounds, return_exceptions=True)
    for result in done:
        if isinstance(result, BaseException):
            raise result
    return sum(number for number in done if isinstance(number, int))


class _Desk:
    """Where deliveries are taken from and settled."""

    def __init__(
        self, database: Database, clock: Clock, metrics: telemetry.Metrics | None, shadow: Collection[str]
    ) -> None:
        self._database, self._clock, self._metrics, self._shadow = database, clock, metrics, shadow

    async def round(self, name: str, outlet: Sink | Notifier) -> int:
        if await asyncio.to_thread(self._on_hold):
            return 0
        await recall(self._database, name, outlet, self._clock)
        arrived, unanswered = 0, 0
        for delivery in await asyncio.to_thread(self._due, name):
            if self._database.many_writers:
                error = await self._claimed(outlet, delivery)
            else:
                error = await self._deliver(outlet, delivery)
            arrived += error is None
            unanswered = unanswered + 1 if isinstance(error, UnavailableError) else 0
            if unanswered >= PATIENCE:
                break
        return arrived

    async def _claimed(self, outlet: Sink | Notifier, delivery: Delivery) -> Exception | None:
        """Its row is held while it goes out: no other process sends it too, and one that dies lets go at once."""
        async with self._held() as tx:
            if not await asyncio.to_thread(outbox.claim, tx, delivery):
                return TAKEN
            return await self._deliver(outlet, delivery, tx)

    @contextlib.asynccontextmanager
    async def _held(self) -> AsyncIterator[Transaction]:
        """A transaction open while the loop goes on, each step of it in a thread; what fails inside takes it back."""
        transaction = self._database.write()
        tx = await asyncio.to_thread(transaction.__enter__)
        try:
            yield tx
        except BaseException as error:
            await asyncio.to_thread(transaction.__exit__, type(error), error, error.__traceback__)
            raise
        await asyncio.to_thread(transaction.__exit__, None, None, None)

    async def _deliver(
        self, outlet: Sink | Notifier, delivery: Delivery, tx: Transaction | None = None
    ) -> Exception | None:
        try:
            remote = await outlet.deliver(delivery)
        except Exception as error:  # noqa: BLE001 — a bug in one outlet is settled as a failure, not spread to the others
            await asyncio.to_thread(self._failed, delivery, error, tx)
            return error
        await asyncio.to_thread(self._arrived, delivery, remote, tx)
        return None

    def _settling(self, tx: Transaction | None) -> contextlib.AbstractContextManager[Transaction]:
        return self._database.write() if tx is None else contextlib.nullcontext(tx)

    def _on_hold(self) -> bool:
        """After a restore nothing leaves, and nobody is asked, until a person says so."""
        with self._database.read() as conn:
            return hold.stands(conn)

    def _due(self, name: str) -> list[Delivery]:
        with self._database.read() as conn:
            return outbox.due(conn, name, self._clock(), BATCH, shadow=self._shadow)

    def _arrived(self, delivery: Delivery, remote: RemoteResource | None, held: Transaction | None) -> None:
        with self._settling(held) as tx:
            outbox.delivered(tx, delivery.id, remote, now := self._clock())
            audit.append(tx, on_record.sent(delivery, remote), now)
        telemetry.log("delivered", outlet=delivery.outlet, kind=delivery.kind, attempts=delivery.attempts + 1)
        self._count(delivery, "delivered")

    def _failed(self, delivery: Delivery, error: Exception, held: Transaction | None) -> None:
        if isinstance(error, StorageFailedError):
            raise error
        now, attempts = self._clock(), delivery.attempts + 1
        again = after(attempts, error, now, key=delivery.key)
        text = _words(error)
        with self._settling(held) as tx:
            if again is None:
                outbox.dead(tx, delivery.id, text, now)
                audit.append(tx, on_record.refused(delivery, text), now)
            else:
                outbox.postponed(tx, delivery.id, text, again)
        outcome = "refused" if again is None else "postponed"
        telemetry.warn(f"delivery {outcome}", outlet=delivery.outlet, kind=delivery.kind, attempts=attempts, text=text)
        self._count(delivery, outcome)

    def _count(self, delivery: Delivery, outcome: str) -> None:
        if self._metrics is not None:
            self._metrics.deliveries.labels(outlet=delivery.outlet, outcome=outcome).inc()


def _words(error: Exception) -> str:
    """Our own errors hold no data in their texts; those of a bug may, so only its type is kept."""
    return str(error) if isinstance(error, AdapterError) else type(error).__name__
