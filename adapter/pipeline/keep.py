"""What one patient's outcome leaves behind: state, worklist row, history, deliveries owed, audit; and a memory of it."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from adapter import telemetry
from adapter.domain.events import ClinicalEvent
from adapter.domain.patient import Decision, PatientId, PatientState
from adapter.domain.persons import Knot, Person
from adapter.domain.ties import Tie
from adapter.eligibility.episode import NEWER_VISIT
from adapter.pipeline import on_record
from adapter.pipeline.knots import Knotted, knotted
from adapter.pipeline.numbers import Numbers, Register
from adapter.pipeline.outgoing import Occasion, Outlet, Owed, SinkOutlet, owed, withheld
from adapter.pipeline.remembered import Known, Remembered, read
from adapter.pipeline.silence import SPOKEN, Silence
from adapter.pipeline.taken_back import taken_back
from adapter.screening.actions import acts_on
from adapter.screening.rulebook import Rulebook
from adapter.screening.screen import Judgement, Outcome
from adapter.screening.snapshot import as_decided, explained
from adapter.store import audit, contested, outbox, patients, persons, screening_ids, worklist
from adapter.store.database import Database, Snapshot, Transaction
from adapter.store.partitions import partition_of
from adapter.store.secret import SiteSecret

NONE = Numbers()


@dataclass(frozen=True, slots=True)
class Entry:
    """One judgement ready to be kept. `screening_id` is a new one, or one that was disputed and is this person's now; of
    those in `withheld` nothing goes out.
    """

    candidate: str
    judgement: Judgement
    screening_id: str = ""
    owed: tuple[Owed, ...] = ()
    numbers: Numbers = NONE
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    outcome: Outcome
    entries: tuple[Entry, ...]
    message_id: int | None
    person: str
    knotted: Knotted | None = None
    """The records it rests on, where they are tied to others; what was said of them is kept with the first of its persons."""

    @property
    def owed(self) -> bool:
        return any(entry.owed for entry in self.entries)

    @property
    def judged(self) -> frozenset[str]:
        return frozenset(entry.candidate for entry in self.entries)


@dataclass(slots=True)
class Keeper:
    """Prepares outside the transaction, keeps inside it. `links` is the worklist's address (`https://…/c/`)."""

    database: Database
    rules: Rulebook
    secret: SiteSecret
    outlets: Sequence[Outlet]
    links: str
    silence: Silence = SPOKEN
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Judgements that were kept, by trial and verdict."""
    _memory: Remembered = field(default_factory=Remembered)

    def known(self, patient: PatientId) -> Known:
        """Of a record that stands alone."""
        found = self._memory.get(patient)
        if found is None:
            sketch = self._memory.glimpse(patient)
            with self.database.read() as conn:
                found = sketch.filled(patients.load(conn, patient)) if sketch else read(conn, patient)
            self._memory.put(patient, found)
        return found

    def at_once(self, most: int) -> int:
        """How many patients a step may take up."""
        return self._memory.at_once(most)

    def root(self, patient: PatientId) -> PatientId | None:
        """What the records tied to this one are kept by; `None` for one that stands alone."""
        if patient in self._memory:
            return None
        with self.database.read() as conn:
            return persons.root(conn, patient)

    def knots(self, records: Collection[PatientId], ties: Collection[Tie]) -> list[Knot]:
        """What hangs together with these records, by all ties on record and these."""
        found: list[Knot] = []
        left = set(records)
        with self.database.read() as conn:
            while left:
                found.append(persons.knot(conn, min(left), *ties))
                left -= set(found[-1].records)
        return found

    def knotted(
        self, knot: Knot, ties: Sequence[Tie], events: Sequence[ClinicalEvent], again: Collection[str] = ()
    ) -> Knotted:
        new = tuple(tie for tie in ties if set(knot.records).issuperset(tie.records))
        with self.database.read() as conn:
            found = knotted(conn, knot, new, events, again)
            registers = [Register(conn, self.secret, trial.id) for trial in self.rules.trials]
            contests = tuple(c for one in registers for torn in found.torn for c in one.contests(torn))
        return replace(found, contests=contests)

    def prepare(
        self, outcome: Outcome, message_id: int | None, person: str, knotted: Knotted | None = None
    ) -> Prepared:
        """Everything that costs time: ids, the explanation, bundles."""
        entries = tuple(self._entry(outcome, judgement, knotted) for judgement in outcome.judgements)
        return Prepared(outcome, entries, message_id, person, knotted)

    def keep(self, tx: Transaction, prepared: Sequence[Prepared], now: datetime) -> dict[PatientId, int]:
        """In the one transaction of the batch; everybody's rows together, because every statement costs. The keys of the
        patients written come back.
        """
        knots = {id(one.knotted): (one.knotted, one.message_id or 0) for one in prepared if one.knotted is not None}
        for found, message in knots.values():
            self._tie(tx, found, message, now)
        remembered = {who: known.key for who, known in self._those_known(prepared) if known.key is not None}
        changes = [(one.outcome.before, one.outcome.state) for one in prepared if one.knotted is None]
        changes += [change for found, _ in knots.values() for change in found.changes]
        keys = remembered | patients.save_many(tx, changes, remembered)
        for one in prepared:
            self._forget_superseded(tx, one)
        mine = [entry.candidate for one in prepared if one.knotted is not None for entry in one.entries]
        if mine:
            worklist.nobodys(tx, mine)
        sightings = [self._sighting(one, entry) for one in prepared for entry in one.entries]
        worklist.record_many(tx, sightings, keys)
        for one in prepared:
            self._owe(tx, one, now)
        return keys

    def _those_known(self, prepared: Sequence[Prepared]) -> Iterator[tuple[PatientId, Known]]:
        for one in prepared:
            who = one.outcome.state.patient
            known = self._memory.glimpse(who)
            if known is not None:
                yield who, known

    def _owe(self, tx: Transaction, prepared: Prepared, now: datetime) -> None:
        """What follows from the rows: ids, deliveries, audit."""
        for entry in prepared.entries:
            who, trial = prepared.outcome.state.patient, entry.judgement.assessment.trial
            if entry.numbers.won:
                contested.hand_over(tx, self.secret, trial, entry.numbers.own, who)
            elif entry.screening_id:
                screening_ids.allocate(tx, self.secret, trial, who, entry.screening_id)
            for delivery in entry.owed:
                outbox.add(tx, delivery, now)
            if entry.withheld:
                outbox.withhold(tx, entry.withheld, now)
            if entry.judgement.change is not None:
                audit.append(tx, on_record.told(entry.candidate, entry.judgement), now)
            if entry.numbers.rivals and prepared.knotted is not None and prepared.knotted.ties:
                audit.append(tx, audit.Act("adapter", "system", "identity-conflict", "candidate", entry.candidate), now)
                telemetry.warn("identity conflict", candidate=entry.candidate)

    def forget(self, partitions: frozenset[int]) -> None:
        """Patients of these partitions are, or were, somebody else's: what is remembered of them may be old."""
        if partitions:
            self._memory.drop(lambda patient: partition_of(patient) in partitions)

    def touched(self, records: Collection[PatientId], ties: Sequence[Tie]) -> frozenset[PatientId]:
        """What the persons a message speaks of are kept by, before it and after it."""
        tied = {record for tie in ties for record in tie.records}
        before = {self.root(record) or record for record in {*records, *tied}}
        return frozenset(before | {knot.root for knot in self.knots(tied, ties)})

    @contextmanager
    def certain(self) -> Iterator[None]:
        """Round a transaction: where it fails nobody knows whether it was kept (the reply to a COMMIT may be lost), so
        everybody is read again.
        """
        try:
            yield
        except BaseException:
            self._memory.clear()
            raise

    def remember(self, prepared: Sequence[Prepared], keys: Mapping[PatientId, int]) -> None:
        """After the commit only: memory never runs ahead of the disk. `keys` as `keep` found them."""
        for one in prepared:
            patient = one.outcome.state.patient
            for judged in one.outcome.judgements:
                self.verdicts[judged.assessment.trial, judged.assessment.verdict] += 1
            if one.knotted is not None:  # whoever speaks of one of them may change the others: read anew each time
                for record in one.knotted.knot.records:
                    self._memory.forget(record)
                continue
            alerts = dict((self._memory.glimpse(patient) or self.known(patient)).alerts)
            for entry in one.entries:
                change = entry.judgement.change
                if change is not None:
                    alerts[change.alert.trial, change.alert.episode] = change.alert
            self._memory.put(patient, Known(one.outcome.chart, alerts, one.judged, keys.get(patient)))

    def _tie(self, tx: Transaction, found: Knotted, message_id: int, now: datetime) -> None:
        if found.ties:
            persons.record(tx, found.knot, found.ties, message_id)
            audit.append(tx, on_record.tied(found, message_id), now)
        for one in found.adopted:
            candidate = self.candidate_id(one.patient, one.row.trial, one.episode)
            worklist.adopt(tx, one.row.id, candidate, one.patient, one.episode)
        for contest in found.contests:
            contested.contest(tx, self.secret, contest.number, (contest.trial, contest.records), now)

    def _forget_superseded(self, tx: Transaction, prepared: Prepared) -> None:
        """Results before their admission open an episode that is nobody's question once the visit is known: gone, unless
        people were told of it. So the worklist and its counts do not depend on which message came first.
        """
        who = prepared.outcome.state.patient
        known = self._memory.glimpse(who)
        if prepared.knotted is None and known is not None and known.judged == prepared.judged:
            return
        trials = {entry.judgement.assessment.trial for entry in prepared.entries}
        worklist.forget_untold(tx, who, sorted(trials), prepared.judged)

    def _entry(self, outcome: Outcome, judgement: Judgement, knotted: Knotted | None) -> Entry:
        assessment = judgement.assessment
        candidate = self.candidate_id(outcome.state.patient, assessment.trial, assessment.episode)
        acts = acts_on(outcome.state, assessment.trial, assessment.episode)
        decided = acts != acts_on(outcome.before, assessment.trial, assessment.episode)
        # Study days are followed to the last one, whether or not somebody is still in the house.
        followed, held = assessment.follow_up is not None, withheld(assessment)
        if judgement.change is None and not (decided or assessment.shown or followed or held):
            return Entry(candidate, judgement)
        with self.database.read() as conn:
            numbers = self._numbers(conn, outcome.state, assessment.trial, knotted)
            known = numbers.own
            pushed = outbox.newest_contents(conn, known) if known else {}
            withdrawn = taken_back(conn, outcome.state, self.outlets, assessment.trial, known)
        stopped = numbers.all if held or numbers.rivals else ()
        if numbers.rivals:  # asked once, at the present episode
            return Entry(candidate, judgement, "", (), NONE if NEWER_VISIT in assessment.flags else numbers, stopped)
        screening_id = known or (screening_ids.new_screening_id() if assessment.shown else "")
        decisions = outcome.state.decided(assessment.trial, assessment.episode)
        occasion = Occasion(
            candidate=candidate,
            screening_id=screening_id,
            link=self.links + candidate,
            decided=decided,
            reason=self._reason(assessment.trial, decisions[-1]) if decisions else "",
            pushed=pushed,
            withdrawn=withdrawn,
            earlier=tuple(d.status for d in decisions[:-1]),
        )
        heard = self.silence.left(self.outlets, (assessment.trial, decisions), judgement.change, pushed)
        outlets = heard if screening_id else ()
        pushing = any(isinstance(outlet, SinkOutlet) for outlet in outlets)
        shown = as_decided(assessment, outcome.chart, self.rules) if pushing else assessment
        due = owed(judgement.change, shown, outlets, occasion)
        return Entry(candidate, judgement, "" if known else screening_id, due, numbers, stopped)

    def _numbers(self, conn: Snapshot, state: PatientState, trial: str, knotted: Knotted | None) -> Numbers:
        register = Register(conn, self.secret, trial)
        if knotted is None:
            return register.of(Person(state.patient, frozenset({state.patient})), [state])
        return register.of(knotted.knot.person(state.patient), knotted.states, knotted.contests)

    def _reason(self, trial_id: str, decision: Decision) -> str:
        """Only a reason code of the trial leaves the house; whatever else a person wrote stays `other`."""
        trial = next((t for t in self.rules.trials if t.id == trial_id), None)
        codes = dict(trial.statuses).get(decision.status, ()) if trial else ()
        return decision.reason if decision.reason in codes else "other" * bool(decision.reason)

    def candidate_id(self, patient: PatientId, trial: str, episode: str) -> str:
        """The worklist id: opaque, and the same again on replay."""
        text = f"{patient.site}\x1f{patient.authority}\x1f{patient.value}\x1f{trial}\x1f{episode}"
        key, said = self.secret.derive("worklist-id"), text.encode("utf-8", "surrogateescape")
        return hmac.new(key, said, hashlib.sha256).hexdigest()[:20]

    def _sighting(self, prepared: Prepared, entry: Entry) -> worklist.Sighting:
        assessment, change = entry.judgement.assessment, entry.judgement.change
        told = entry.judgement.told or assessment.shown or change is not None or bool(assessment.status)
        chart, state = prepared.outcome.chart, prepared.outcome.state
        seen = explained(assessment, chart, self.rules, known_as=entry.candidate) if told else {}
        if entry.numbers.rivals:
            seen["screening_ids"] = list(entry.numbers.rivals)
        return worklist.Sighting(
            entry.candidate, assessment, seen, change, prepared.message_id, state.demographics, prepared.person
        )
