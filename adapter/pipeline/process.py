"""A batch of messages through the house: interpret and screen first, then one transaction keeps it; a merge or move has its own.

Reading and computing happen outside it: nobody else changes the patients this process keeps (all, or its share: docs/adr/0017),
so what it read stays true, and receiving never waits for scoring (decisions F2).
"""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from adapter import telemetry
from adapter.domain.events import ClinicalEvent
from adapter.domain.message import MessageState
from adapter.domain.patient import PatientId
from adapter.domain.persons import Knot
from adapter.domain.ties import Tie
from adapter.errors import AdapterError, RejectedError, place
from adapter.pipeline import left_out
from adapter.pipeline.ahead import LOOKED_THROUGH, Ahead
from adapter.pipeline.backlog import LOOKED_AT, Backlog
from adapter.pipeline.contradicted import endings
from adapter.pipeline.erasing import Eraser
from adapter.pipeline.keep import Keeper
from adapter.pipeline.knots import Knotted
from adapter.pipeline.rhythms import Rhythms
from adapter.pipeline.steps import Read, Step, Turn, ending_of, person_of, ties_of
from adapter.ports import Clock
from adapter.scoring.chart import Chart
from adapter.screening.interpret import Interpretation, unreadable
from adapter.screening.rulebook import Rulebook
from adapter.screening.screen import Outcome, screen
from adapter.store import analytes, inbox, unjudged, worklist
from adapter.store.database import Database, News
from adapter.store.partitions import ALL, move, partition_of, partitions_of
from adapter.store.unjudged import Unjudged

BATCH = 100
"""Messages that share a transaction where so many wait, 20 ms of writing; a patient of whom several speak is judged once."""
AT_A_TIME = 20
"""Patients whom time alone may have changed."""
TRIES = 3
"""After so many failures of our own a message is quarantined and the feed goes on."""


class Processor:
    """Claims, interprets, screens, keeps. `on_owed` is called after a commit that may have left deliveries."""

    def __init__(
        self, database: Database, rules: Rulebook, keeper: Keeper, clock: Clock, on_owed: Callable[[], None]
    ) -> None:
        self._database, self._shares, self._clock = database, database.shares(rules.digest), clock
        self._rules, self._keeper, self._on_owed = rules, keeper, on_owed
        self._rhythms, self._backlog, self._telling = Rhythms(), Backlog(), False
        self.eraser = Eraser(database, self._shares, keeper, clock)
        self._ahead = Ahead(self._hear, self.eraser.sift)
        self.eraser.forget = (self._ahead.forget, self._backlog.look)
        self.taken = 0  # messages, by the last step
        self.heard: Callable[[str, Iterable[str]], None] = lambda _source, _codes: None
        """Told of each message's source, and the codes of what was odd about it."""

    def adopt(self, rules: Rulebook) -> None:
        """From the next message on; between two steps, by their thread. Raises AdapterError where others go on by the old ones."""
        self._renew()
        if self._shares.held != ALL:
            raise RejectedError("several processes share this store — stop them all, try again, then start them")
        self._shares.under(rules.digest)
        self._rules = self._keeper.rules = rules
        self._ahead.forget()

    def close(self) -> None:
        """Others may have our patients."""
        self._shares.close()

    def step(self) -> int:
        """How many messages were looked at and patients judged whom a backlog had left; 0 when there is nothing to do.

        Raises UnavailableError when the store is away.
        """
        self._renew()
        now, most, self.taken = self._clock(), self._keeper.at_once(BATCH), 0
        with self._database.read() as conn:
            items = inbox.pending(conn, BATCH if most == BATCH else LOOKED_THROUGH, self._shares.held)
            self._telling = self._backlog.is_long(conn, now)
            left = self._backlog.left(conn, most, self._shares.held, now)
        if items:
            self.carry(items, most)
        if left := self._backlog.still(self._database, left, self._shares.held) if items else left:
            self._judge(left, now)
        return len(items) + len(left)

    def _renew(self) -> None:
        """Of patients who changed hands nothing is believed that was remembered."""
        if changed := self._shares.renew():
            self._keeper.forget(changed)
            self._backlog.look()

    def carry(self, items: Sequence[inbox.Item], most: int = sys.maxsize) -> None:
        """Messages that wait, oldest first, of so many patients: together but for those that tie records; after a bug each alone."""
        try:
            self._carry(items, most)
        except AdapterError:
            raise
        except Exception:  # noqa: BLE001 — a bug met by one message must not stop the others: each alone, then three tries
            for item in self._still_waiting(items):
                self._alone(item)

    def _still_waiting(self, items: Sequence[inbox.Item]) -> list[inbox.Item]:
        """What a merge stood behind is finished already; nothing is finished twice."""
        with self._database.read() as conn:
            return [item for item in items if inbox.state(conn, item.id) is MessageState.PENDING]

    def review(self, limit: int = AT_A_TIME) -> int:
        """Screens again whom time alone may have changed (decisions A6); how many."""
        now, limit = self._clock(), self._keeper.at_once(limit)
        self._renew()
        held = self._shares.held
        with self._database.read() as conn:
            due = worklist.due_for_review(conn, now, limit if held == ALL else LOOKED_AT)
        due = [one for one in due if held == ALL or partition_of(one.root or one.patient) in held][:limit]
        steps = self._steps_of(dict.fromkeys(one.patient for one in due), now)
        self._write((), steps, self._turn(now))
        # An episode that is no longer anybody's question (an older visit, a trial taken out) is not asked for ever.
        judged = {
            (s.outcome.state.patient, j.assessment.trial, j.assessment.episode)
            for s in steps
            for j in s.outcome.judgements
        }
        asked = ((one.patient, one.trial, one.episode) for one in due)
        forgotten = [self._keeper.candidate_id(*one) for one in asked if one not in judged]
        if forgotten:
            with self._shares.write() as tx:
                worklist.review_no_more(tx, forgotten)
        return len(due)

    def _carry(self, items: Sequence[inbox.Item], most: int = sys.maxsize) -> None:
        """Messages that tie records stand alone: what follows them must see the persons they make."""
        now = self._clock()
        ours = self._ours(self._ahead.read(items, self._rules, now))
        everything = self._ahead.take(ours, most, lambda patient: self._keeper.root(patient) or patient)
        for (ties, by_hand), run in groupby(everything, key=lambda one: (ties_of(one), one.by_hand)):
            read = list(run)
            turn = self._turn(now, ties, later=self._telling and not ties and not by_hand)
            for together in [[one] for one in read] if ties else [read]:
                self._write(together, self._steps(together, turn), turn)

    def _turn(self, now: datetime, ties: Sequence[Tie] = (), *, later: bool = False) -> Turn:
        """Without trials there is no verdict."""
        return Turn(now, replace(self._rules, trials=()) if later else self._rules, ties, later)

    def _judge(self, left: Sequence[Unjudged], now: datetime) -> None:
        """Whom a backlog was told of. A bug met by one does not stop the others: the next message about that one tries again."""
        try:
            last = {one.patient: one.message for one in left}
            steps = [replace(s, message_id=last.get(s.outcome.state.patient)) for s in self._steps_of(last, now)]
            self._write((), steps, self._turn(now), settled=[one.key for one in left])
        except AdapterError:
            raise
        except Exception as error:  # noqa: BLE001 — each alone, then given up
            for one in left if len(left) > 1 else ():
                self._judge([one], now)
            if len(left) == 1:
                telemetry.warn("judging failed", error=type(error).__name__, where=place(error))
                with self._shares.write() as tx:
                    unjudged.settle(tx, [left[0].key])

    def _ours(self, read: list[Read]) -> list[Read]:
        """Messages of the patients we keep. What is another's is handed on; what belongs to several stands alone."""
        if self._shares.held == ALL:
            return read
        ours: list[Read] = []
        others: dict[int, int] = {}
        for one in read:
            needed = self._needed(one)
            if needed <= self._shares.held:
                ours.append(one)
            elif len(needed) == 1:
                others[one.item.id] = min(needed)
            elif ours or others:
                break  # it is the first of a later step
            else:
                return self._apart(one)
        if others:
            with self._shares.write() as tx:
                move(tx, others)
                self._database.announce(tx, News.STORED)
        return ours

    def _needed(self, one: Read) -> frozenset[int]:
        """The partitions of all persons it touches; none for one that is about nobody."""
        return partitions_of(self._keeper.touched(one.patients, ties_of(one)))

    def _apart(self, one: Read) -> list[Read]:
        """With all its patients in hand. While we waited for them another process may have done it."""
        self._keeper.forget(ALL)
        self._shares.apart(lambda: self._needed(one))
        return [one] if self._still_waiting([one.item]) else []

    def _alone(self, item: inbox.Item) -> None:
        try:
            self._carry([item])
        except AdapterError:
            raise
        except Exception as error:  # noqa: BLE001 — counted, then quarantined under its type
            code = f"INTERNAL {type(error).__name__}"
            telemetry.warn("message failed", inbox_id=item.id, error=type(error).__name__, where=place(error))
            with self._shares.write() as tx:
                if inbox.failed(tx, item.id, code) >= TRIES:
                    inbox.finish(tx, item.id, ending_of(unreadable(item.message.body, code), self._clock()))
                    self.taken += 1

    def _hear(self, item: inbox.Item, seen: Interpretation) -> None:
        self.heard(item.message.source, [seen.reason or "", *[issue.code for issue in seen.issues]])
        self._rhythms.hear(item.message.source, item.message.received, seen.events)

    def _steps(self, read: Sequence[Read], turn: Turn) -> list[Step]:
        """Every patient once, with all that the batch says of them, in the order it was stored; where records are tied
        together, everybody whose they are.
        """
        said = [(event, one.item) for one in read if one.seen for event in one.seen.events]
        knots = self._knots({event.patient for event, _ in said}, turn.ties)
        told: dict[PatientId, list[tuple[ClinicalEvent, inbox.Item]]] = {}
        for event, item in said:
            knot = knots.get(event.patient)
            told.setdefault(knot.root if knot else event.patient, []).append((event, item))
        steps: list[Step] = []
        for patient, what in told.items():
            steps += self._told(patient, knots.get(patient), turn, what)
        return steps

    def _told(
        self,
        patient: PatientId,
        knot: Knot | None,
        turn: Turn,
        what: Sequence[tuple[ClinicalEvent, inbox.Item]],
    ) -> list[Step]:
        events, again = [event for event, _ in what], {str(item.id) for _, item in what if item.again}
        if knot is None:
            found = [self._screened(patient, events, turn, again)]
        else:
            found = list(self._entwined(self._keeper.knotted(knot, turn.ties, events, again), turn))
        last, item = what[-1]
        return [replace(step, message_id=item.id, person=person_of(last)) for step in found]

    def _knots(self, records: Collection[PatientId], ties: Sequence[Tie]) -> dict[PatientId, Knot]:
        """By record, where it is tied to others."""
        tied = {record for record in records if self._keeper.root(record) is not None}
        tied |= {record for tie in ties for record in tie.records}
        return {record: knot for knot in self._keeper.knots(tied, ties) for record in knot.records}

    def _steps_of(self, patients: Iterable[PatientId], now: datetime) -> list[Step]:
        """As time passes: nobody said anything."""
        known, turn = list(patients), self._turn(now)
        knots = self._knots(known, ())
        alone = [self._screened(patient, (), turn) for patient in known if patient not in knots]
        tied = {knots[patient].root: knots[patient] for patient in known if patient in knots}
        return alone + [
            step for knot in tied.values() for step in self._entwined(self._keeper.knotted(knot, (), ()), turn)
        ]

    def _screened(
        self, patient: PatientId, events: Sequence[ClinicalEvent], turn: Turn, again: Collection[str] = ()
    ) -> Step:
        known = self._keeper.known(patient)
        return Step(screen(known.chart, events, turn.rules, alerts=known.alerts, now=turn.now, again=again), None)

    def _entwined(self, found: Knotted, turn: Turn) -> Iterator[Step]:
        """Everybody whose records hang together: what is said of one record may be another person's visit."""
        for life in found.lives:
            outcome = Outcome(life.before, Chart(life.state), ())
            if life.asked:
                outcome = screen(life.state, (), turn.rules, alerts=life.alerts, now=turn.now)
            yield Step(replace(outcome, before=life.before), None, knotted=found)

    def _write(self, read: Sequence[Read], steps: Sequence[Step], turn: Turn, settled: Sequence[int] = ()) -> None:
        """`settled`: whom a backlog had left, by key of their row."""
        if not read and not steps and not settled:
            return
        now = turn.now
        prepared = [self._keeper.prepare(step.outcome, step.message_id, step.person, step.knotted) for step in steps]
        ended, owed = endings(read, steps), any(one.owed for one in prepared)
        with self._keeper.certain(), self._shares.write() as tx:
            keys = self._keeper.keep(tx, prepared, now)
            if turn.later:
                self._backlog.mark(tx, steps, keys)
            unjudged.settle(tx, settled)
            inbox.finish_many(tx, ended)
            left_out.take_away(tx, read, now)
            analytes.add(tx, heard := self._rhythms.due(now))
            if owed:
                self._database.announce(tx, News.OWED)
        self.taken += len(read)
        self._ahead.written(read)
        self._rhythms.written(heard, now)
        self._keeper.remember(prepared, keys)
        if owed:
            self._on_owed()
