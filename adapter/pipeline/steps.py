"""What the processor hands on from reading to keeping: a message with what it says, and what follows for each patient."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adapter.domain.events import ClinicalEvent, RecordsTied
from adapter.domain.message import MessageKind, MessageState
from adapter.domain.patient import PatientId
from adapter.domain.ties import Tie
from adapter.pipeline.knots import Knotted
from adapter.screening.interpret import Interpretation
from adapter.screening.rulebook import Rulebook
from adapter.screening.screen import Outcome
from adapter.store import inbox


@dataclass(frozen=True, slots=True)
class Turn:
    """What holds for messages that are taken together. `later`: they are told, and whom they speak of is judged afterwards."""

    now: datetime
    rules: Rulebook
    ties: Sequence[Tie] = ()
    later: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """A stored message and what it says; `seen` is empty when nobody can read it."""

    item: inbox.Item
    ending: inbox.Ending
    seen: Interpretation | None
    whole: Interpretation
    """What it says where nobody applies it, too."""
    left_out: frozenset[str] = frozenset()
    """Numbers of people it speaks of who want no part: its bytes go."""

    @property
    def patients(self) -> frozenset[PatientId]:
        """Whom it tells of."""
        return frozenset(event.patient for event in self.seen.events) if self.seen else frozenset()

    @property
    def by_hand(self) -> bool:
        """A person's act, who waits to see what becomes of it."""
        return self.item.message.kind is MessageKind.ACTION


@dataclass(frozen=True, slots=True)
class Step:
    """One patient's share of a batch: the outcome and the message that spoke last."""

    outcome: Outcome
    message_id: int | None
    person: str = ""
    knotted: Knotted | None = None
    """The records of a patient that are tied to others."""

    @property
    def records(self) -> frozenset[PatientId]:
        return frozenset(self.knotted.knot.records) if self.knotted else frozenset({self.outcome.state.patient})


def ending_of(seen: Interpretation, now: datetime) -> inbox.Ending:
    """What became of a message, with the ledger of its observations whatever it was."""
    return inbox.Ending(MessageState(seen.disposition), now, seen.reason, seen.ledger.as_json(), seen.issues)


def ties_of(read: Read) -> tuple[Tie, ...]:
    """What the message says of whose record is whose."""
    events = read.seen.events if read.seen else ()
    return tuple(event.tie for event in events if isinstance(event, RecordsTied))


def person_of(event: ClinicalEvent) -> str:
    """Who did it, where a person did."""
    said = getattr(event, "determination", None) or getattr(event, "decision", None)
    return said.by if said is not None else ""
