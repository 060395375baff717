"""A batch of messages through the house: interpret and screen first, then one transaction keeps all of it or nothing.

Reading and computing happen outside the transaction: this is the only process that changes patients, so what it read
stays true, and receiving never waits for scoring (decisions F2).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapter import telemetry
from adapter.domain.events import ClinicalEvent, PatientMerged
from adapter.domain.message import MessageState
from adapter.domain.patient import PatientId
from adapter.errors import AdapterError, MalformedMessageError
from adapter.pipeline.keep import Keeper
from adapter.ports import Clock
from adapter.screening.interpret import Interpretation, interpret
from adapter.screening.rulebook import Rulebook
from adapter.screening.screen import Outcome, screen
from adapter.store import inbox, worklist
from adapter.store.database import Database

BATCH = 20
"""Messages that share a transaction: a few milliseconds of writing."""
TRIES = 3
"""After so many failures of our own a message is quarantined and the feed goes on."""


@dataclass(frozen=True, slots=True)
class Read:
    """A stored message and what it says; `seen` is empty when nobody can read it."""

    item: inbox.Item
    ending: inbox.Ending
    seen: Interpretation | None


@dataclass(frozen=True, slots=True)
class Step:
    """One patient's share of a batch: the outcome and the message that spoke last."""

    outcome: Outcome
    message_id: int | None
    person: str


class Processor:
    """Claims, interprets, screens, keeps. `on_owed` is called after a commit that may have left deliveries."""

    def __init__(
        self, database: Database, rules: Rulebook, keeper: Keeper, clock: Clock, on_owed: Callable[[], None]
    ) -> None:
        self._database = database
        self._rules = rules
        self._keeper = keeper
        self._clock = clock
        self._on_owed = on_owed

    def step(self) -> int:
        """How many messages were taken; 0 when the inbox is empty. Raises UnavailableError when the store is away."""
        with self._database.read() as conn:
            items = inbox.pending(conn, BATCH)
        if not items:
            return 0
        try:
            self._carry(items)
        except AdapterError:
            raise
        except Exception:  # noqa: BLE001 — a bug met by one message must not stop the others: each alone, then three tries
            for item in items:
                self._alone(item)
        return len(items)

    def review(self, limit: int = BATCH) -> int:
        """Screens again whom time alone may have changed (decisions A6); how many."""
        now = self._clock()
        with self._database.read() as conn:
            due = worklist.due_for_review(conn, now, limit)
        steps = [self._screened(patient, (), now, None, "") for patient in dict.fromkeys(who for who, _, _ in due)]
        self._write((), steps, now)
        return len(steps)

    def _carry(self, items: Sequence[inbox.Item]) -> None:
        now = self._clock()
        read = [self._read(item, now) for item in items]
        self._write(read, self._steps(read, now), now)

    def _alone(self, item: inbox.Item) -> None:
        try:
            self._carry([item])
        except AdapterError:
            raise
        except Exception as error:  # noqa: BLE001 — counted, then quarantined under its type
            code = f"INTERNAL {type(error).__name__}"
            telemetry.warn(
                "message failed", inbox_id=item.id, error=type(error).__name__, where=telemetry.location(error)
            )
            with self._database.write() as tx:
                if inbox.failed(tx, item.id, code) >= TRIES:
                    inbox.finish(tx, item.id, inbox.Ending(MessageState.QUARANTINED, self._clock(), code))

    def _read(self, item: inbox.Item, now: datetime) -> Read:
        message = item.message
        if message.quarantine is not None:
            return Read(item, inbox.Ending(MessageState.QUARANTINED, now, message.quarantine), None)
        try:
            seen = interpret(message, self._rules, message_id=str(item.id))
        except MalformedMessageError as error:
            return Read(item, inbox.Ending(MessageState.QUARANTINED, now, error.code), None)
        state, reason = MessageState(seen.disposition), seen.reason
        if any(isinstance(event, PatientMerged) for event in seen.events):
            state, reason = MessageState.QUARANTINED, "MERGE"
        ending = inbox.Ending(state, now, reason, seen.ledger.as_json(), seen.issues)
        return Read(item, ending, seen if state is MessageState.APPLIED else None)

    def _steps(self, read: Sequence[Read], now: datetime) -> list[Step]:
        """Every patient once, with all that the batch says of them, in the order it was stored."""
        said: dict[PatientId, list[tuple[ClinicalEvent, inbox.Item]]] = {}
        for one in read:
            for event in one.seen.events if one.seen else ():
                said.setdefault(event.patient, []).append((event, one.item))
        return [
            self._screened(patient, [event for event, _ in what], now, what[-1][1].id, person_of(what[-1][0]))
            for patient, what in said.items()
        ]

    def _screened(
        self, patient: PatientId, events: Sequence[ClinicalEvent], now: datetime, message_id: int | None, person: str
    ) -> Step:
        known = self._keeper.known(patient)
        outcome = screen(known.state, events, self._rules, alerts=known.alerts, now=now)
        return Step(outcome, message_id, person)

    def _write(self, read: Sequence[Read], steps: Sequence[Step], now: datetime) -> None:
        if not read and not steps:
            return
        prepared = [self._keeper.prepare(step.outcome, step.message_id, step.person) for step in steps]
        with self._database.write() as tx:
            for one in prepared:
                self._keeper.keep(tx, one, now)
            for message in read:
                inbox.finish(tx, message.item.id, message.ending)
        self._keeper.remember(prepared)
        if any(one.owed for one in prepared):
            self._on_owed()


def person_of(event: ClinicalEvent) -> str:
    """Who did it, where a person did."""
    said = getattr(event, "determination", None) or getattr(event, "decision", None)
    return said.by if said is not None else ""
