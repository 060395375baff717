"""What a page was drawn upon: a colleague's decision or answer is not replaced by somebody who has not seen it.

It is looked for twice: before, so that the page can say it at once, and again in the transaction that stores the act, among what
was stored since; two who send at the same moment are one after the other there (`store/locks.py`), and the second is told.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from adapter.domain.events import CriterionDetermined, StatusDecided
from adapter.domain.onset import ONSET, stated
from adapter.domain.patient import Decision, Determination, PatientId, PatientState
from adapter.pipeline.knots import state_of
from adapter.screening.actions import read_action
from adapter.screening.rulebook import Rulebook
from adapter.store import by_hand, persons
from adapter.store.database import Snapshot, Transaction
from adapter.store.inbox import Item
from adapter.store.worklist import CandidateRow
from adapter.web import board, story, times
from adapter.web.context import WebContext
from adapter.web.tongue import say
from adapter.web.wishes import Asked, RefusedError

NOTHING = "nothing"
LENGTH = 12
Said = Decision | Determination


@dataclass(frozen=True, slots=True)
class Wanted:
    """`said`: the answer to `criterion`, or the status where that is empty, as `_said` tells it. `drawn`: upon what the form was."""

    criterion: str
    said: str
    drawn: str


@dataclass(slots=True)
class Watch:
    """Over one act, from before it is stored until it is."""

    context: WebContext
    asked: Asked
    wanted: Wanted
    _seen: int = 0
    _records: frozenset[PatientId] = field(default_factory=frozenset)

    def look(self) -> None:
        """Raises RefusedError where a colleague decided otherwise since the form was drawn."""
        patient = self.asked.row.patient
        with self.context.database.read() as conn:
            self._seen = by_hand.newest(conn)
            self._records = _records(conn, patient)
            said = [_last(state_of(conn, patient), self.asked.row, self.wanted.criterion)]
            said += self._among(by_hand.waiting(conn))
        self._refuse([one for one in said if one is not None])

    def again(self, tx: Transaction, message: int) -> None:
        """The same of what was stored meanwhile, by whichever process."""
        self._refuse(list(self._among(by_hand.since(tx, self._seen, message))))

    def _among(self, items: Iterable[Item]) -> Iterator[Said]:
        rules, row = self.context.bench.rules(), self.asked.row
        for item in items:
            for event in read_action(item.message, rules, message_id=str(item.id)).events:
                if event.patient not in self._records:
                    continue
                if isinstance(event, StatusDecided) and not self.wanted.criterion:
                    made = event.decision
                    if (made.trial, made.episode) == (row.trial, row.episode):
                        yield made
                elif isinstance(event, CriterionDetermined) and self.wanted.criterion:
                    answer = event.determination
                    if (answer.trial, answer.criterion) == (row.trial, self.wanted.criterion):
                        yield answer

    def _refuse(self, said: list[Said]) -> None:
        last = max(said, key=lambda one: (one.at, one.digest), default=None)
        if last is None or _mark(last) == self.wanted.drawn or last.by == self.asked.by:
            return
        if _said(last) == self.wanted.said:
            return
        zone = board.zone_of(self.context, self.asked.row.patient.site)
        raise RefusedError(
            say(
                "%(name)s decided otherwise at %(time)s, after this page was opened: “%(what)s”. Nothing was saved; "
                "send it again to replace that.",
                name=last.by,
                time=times.local(last.at, zone),
                what=_told(last, zone),
            ),
            upon=_mark(last),
        )


def acted(tx: Transaction, rules: Rulebook, patient: PatientId, but: int) -> bool:
    """Whether somebody's act about this patient waits to take effect, other than message `but`."""
    records, waiting = _records(tx, patient), (item for item in by_hand.waiting(tx) if item.id != but)
    said = (event for one in waiting for event in read_action(one.message, rules, message_id=str(one.id)).events)
    return any(event.patient in records for event in said)


def upon(state: PatientState, row: CandidateRow, criterion: str = "") -> str:
    """What a form says that it was drawn upon: the answer to its criterion, or the status."""
    return _mark(_last(state, row, criterion))


def _records(conn: Snapshot, patient: PatientId) -> frozenset[PatientId]:
    """All that hang together with theirs."""
    tied = persons.root(conn, patient) is not None
    return frozenset(persons.knot(conn, patient).records) if tied else frozenset({patient})


def _last(state: PatientState, row: CandidateRow, criterion: str) -> Said | None:
    if not criterion:
        return story.decision(state, row.trial, row.episode)
    mine = (one for one in state.determinations if (one.trial, one.criterion) == (row.trial, criterion))
    return max(mine, key=lambda one: (one.at, one.digest), default=None)


def _mark(last: Said | None) -> str:
    return last.digest[:LENGTH] if last else NOTHING


def _said(last: Said) -> str:
    """As a form sends it; an onset as its moment, empty where it was taken back."""
    if isinstance(last, Decision):
        return f"{last.status}|{last.reason}" if last.reason else last.status
    if last.criterion == ONSET:
        onset = stated(last)
        return onset_as_asked(onset.at if onset else None)
    return str(last.answer)


def onset_as_asked(began: datetime | None) -> str:
    return str(began.astimezone(UTC)) if began else ""


def _told(last: Said, zone: tzinfo) -> str:
    if isinstance(last, Decision):
        return story.reasoned(last)
    if last.criterion != ONSET:
        return story.answered(last)
    onset = stated(last)
    when, why = (times.local(onset.at, zone), onset.reason) if onset else (say("as computed"), last.note)
    return f"{say('Onset')} {when}: {why}"
