"""What one patient's outcome leaves behind: state, worklist row, history, deliveries owed, audit; and a memory of it."""

import hashlib
import hmac
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from adapter import telemetry
from adapter.domain.patient import Decision, PatientId, PatientState
from adapter.domain.persons import Merge
from adapter.eligibility.episode import NEWER_VISIT
from adapter.eligibility.explain import as_json
from adapter.pipeline.joining import Joining, joining_of
from adapter.pipeline.outgoing import Occasion, Outlet, Owed, SinkOutlet, owed
from adapter.pipeline.remembered import Known, Remembered
from adapter.scoring.chart import Chart
from adapter.screening.rulebook import Rulebook
from adapter.screening.screen import Judgement, Outcome
from adapter.screening.snapshot import as_decided
from adapter.store import audit, outbox, patients, persons, screening_ids, worklist
from adapter.store.database import Database, Snapshot, Transaction
from adapter.store.partitions import partition_of
from adapter.store.secret import SiteSecret

WHICH_NUMBER = "screening-id"
"""The question a person answers when two records with a screening id each turn out to be one person."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One judgement ready to be kept. `rivals` are the screening ids of a person who has more than one."""

    candidate: str
    judgement: Judgement
    screening_id: str = ""
    owed: tuple[Owed, ...] = ()
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    outcome: Outcome
    entries: tuple[Entry, ...]
    message_id: int | None
    person: str
    joining: Joining | None = None

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
    _memory: Remembered = field(default_factory=Remembered)

    def known(self, patient: PatientId) -> Known:
        found = self._memory.get(patient)
        if found is None:
            with self.database.read() as conn:
                found = Known(Chart(patients.load(conn, patient)), worklist.alerts(conn, patient))
            self._memory.put(patient, found)
        return found

    def name(self, patient: PatientId) -> PatientId:
        """The identifier a person goes by."""
        if patient in self._memory:
            return patient
        with self.database.read() as conn:
            return persons.resolve(conn, patient)

    def joinings(self, merges: tuple[Merge, ...]) -> list[Joining]:
        """The persons that these merges, with all on record, make."""
        with self.database.read() as conn:
            found = {persons.person(conn, merge.survivor, *merges) for merge in merges}
            return [joining_of(conn, person, merges) for person in sorted(found, key=lambda p: p.name)]

    def prepare(
        self, outcome: Outcome, message_id: int | None, person: str, joining: Joining | None = None
    ) -> Prepared:
        """Everything that costs time: ids, the explanation, bundles."""
        merges = joining.merges if joining else ()
        entries = tuple(self._entry(outcome, judgement, merges) for judgement in outcome.judgements)
        return Prepared(outcome, entries, message_id, person, joining)

    def keep(self, tx: Transaction, prepared: Sequence[Prepared], now: datetime) -> dict[PatientId, int]:
        """In the one transaction of the batch; everybody's rows together, because every statement costs. The keys of the
        patients written come back.
        """
        for one in prepared:
            if one.joining is not None:
                self._join(tx, one.joining, one.message_id or 0, now)
        remembered = {who: known.key for who, known in self._those_known(prepared) if known.key is not None}
        changes = [(one.outcome.before, one.outcome.state) for one in prepared]
        keys = remembered | patients.save_many(tx, changes, remembered)
        for one in prepared:
            self._forget_superseded(tx, one)
        sightings = [self._sighting(one, entry) for one in prepared for entry in one.entries]
        worklist.record_many(tx, sightings, keys)
        for one in prepared:
            self._owe(tx, one, now)
        return keys

    def _those_known(self, prepared: Sequence[Prepared]) -> Iterator[tuple[PatientId, Known]]:
        for one in prepared:
            who = one.outcome.state.patient
            known = self._memory.get(who)
            if known is not None:
                yield who, known

    def _owe(self, tx: Transaction, prepared: Prepared, now: datetime) -> None:
        """What follows from the rows: ids, deliveries, audit."""
        for entry in prepared.entries:
            if entry.screening_id:
                who, trial = prepared.outcome.state.patient, entry.judgement.assessment.trial
                screening_ids.allocate(tx, self.secret, trial, who, entry.screening_id)
            for delivery in entry.owed:
                outbox.add(tx, delivery, now)
            if entry.judgement.change is not None:
                audit.append(tx, _act(entry), now)
            if entry.rivals and prepared.joining is not None:
                audit.append(tx, audit.Act("adapter", "system", "identity-conflict", "candidate", entry.candidate), now)
                telemetry.warn("identity conflict", candidate=entry.candidate)

    def forget(self, partitions: frozenset[int]) -> None:
        """Patients of these partitions are, or were, somebody else's: what is remembered of them may be old."""
        if partitions:
            self._memory.drop(lambda patient: partition_of(patient) in partitions)

    def touched(self, patients: Collection[PatientId], merges: tuple[Merge, ...]) -> frozenset[PatientId]:
        """The persons a message speaks of by the names they go by, and all records of those it makes one."""
        named = {self.name(patient) for patient in patients}
        if merges:
            with self.database.read() as conn:
                for merge in merges:
                    named |= persons.person(conn, merge.survivor, *merges).members
        return frozenset(named)

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
            for gone in one.joining.person.members if one.joining else ():
                self._memory.forget(gone)
            alerts = dict(one.joining.alerts if one.joining else self.known(patient).alerts)
            for entry in one.entries:
                change = entry.judgement.change
                if change is not None:
                    alerts[change.alert.trial, change.alert.episode] = change.alert
            self._memory.put(patient, Known(one.outcome.chart, alerts, one.judged, keys.get(patient)))

    def _join(self, tx: Transaction, joining: Joining, message_id: int, now: datetime) -> None:
        for merge in joining.merges:
            persons.record(tx, merge, message_id)
        name = joining.person.name
        for other in sorted(joining.person.members - {name}):
            patients.clear(tx, other)
        for row in joining.former:
            worklist.adopt(tx, row.id, self.candidate_id(name, row.trial, row.episode), name)
        detail = {"records": len(joining.person.members), "circle": joining.person.cycle}
        audit.append(tx, audit.Act("adapter", "system", "records-joined", "message", str(message_id), detail), now)

    def _forget_superseded(self, tx: Transaction, prepared: Prepared) -> None:
        """Results before their admission open an episode that is nobody's question once the visit is known: gone, unless
        people were told of it. So the worklist and its counts do not depend on which message came first.
        """
        who = prepared.outcome.state.patient
        known = self._memory.get(who)
        if prepared.joining is None and known is not None and known.judged == prepared.judged:
            return
        trials = {entry.judgement.assessment.trial for entry in prepared.entries}
        worklist.forget_untold(tx, who, sorted(trials), prepared.judged)

    def _entry(self, outcome: Outcome, judgement: Judgement, merges: tuple[Merge, ...]) -> Entry:
        assessment = judgement.assessment
        candidate = self.candidate_id(outcome.state.patient, assessment.trial, assessment.episode)
        acts = _acts(outcome.state, assessment.trial, assessment.episode)
        decided = acts != _acts(outcome.before, assessment.trial, assessment.episode)
        if judgement.change is None and not decided and not assessment.shown:
            return Entry(candidate, judgement)
        with self.database.read() as conn:
            numbers = self._numbers(conn, outcome.state, assessment.trial, merges)
            known = numbers[0] if numbers else ""
            pushed = outbox.newest_contents(conn, known) if known else {}
        if len(numbers) > 1:  # asked once, at the present episode
            return Entry(candidate, judgement, rivals=() if NEWER_VISIT in assessment.flags else numbers)
        screening_id = known or (screening_ids.new_screening_id() if assessment.shown else "")
        decisions = _decisions(outcome.state, assessment.trial, assessment.episode)
        occasion = Occasion(
            candidate=candidate,
            screening_id=screening_id,
            link=self.links + candidate,
            decided=decided,
            reason=self._reason(assessment.trial, decisions[-1]) if decisions else "",
            pushed=pushed,
            earlier=tuple(d.status for d in decisions[:-1]),
        )
        outlets = self.outlets if screening_id else ()
        pushing = any(isinstance(outlet, SinkOutlet) for outlet in outlets)
        shown = as_decided(assessment, outcome.chart, self.rules) if pushing else assessment
        due = owed(judgement.change, shown, outlets, occasion)
        return Entry(candidate, judgement, "" if known else screening_id, due)

    def _numbers(self, conn: Snapshot, state: PatientState, trial: str, merges: tuple[Merge, ...]) -> tuple[str, ...]:
        """The screening ids of one person; more than one until somebody says which of them counts (decisions A4)."""
        person = persons.person(conn, state.patient, *merges)
        found = {screening_ids.find(conn, self.secret, trial, member) for member in person.members} - {None}
        numbers = sorted(number for number in found if number)
        chosen = [d.note for d in state.determinations if d.trial == trial and d.criterion == WHICH_NUMBER]
        return (chosen[-1],) if chosen and chosen[-1] in numbers else tuple(numbers)

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
        explained = as_json(assessment, patient=entry.candidate, software=self.rules.software) if told else {}
        if entry.rivals:
            explained["screening_ids"] = list(entry.rivals)
        state = prepared.outcome.state
        return worklist.Sighting(
            entry.candidate, assessment, explained, change, prepared.message_id, state.demographics, prepared.person
        )


def _acts(state: PatientState, trial: str, episode: str) -> tuple[str, ...]:
    answers = tuple(d.digest for d in state.determinations if d.trial == trial)
    return (*answers, *(d.digest for d in _decisions(state, trial, episode)))


def _decisions(state: PatientState, trial: str, episode: str) -> tuple[Decision, ...]:
    return tuple(d for d in state.decisions if d.trial == trial and d.episode == episode)


def _act(entry: Entry) -> audit.Act:
    assessment, change = entry.judgement.assessment, entry.judgement.change
    kind = str(change.kind) if change is not None else ""
    detail = {"trial": assessment.trial, "verdict": str(assessment.verdict), "rulebook": assessment.rulebook}
    return audit.Act("adapter", "system", f"alert-{kind}", "candidate", entry.candidate, detail)
