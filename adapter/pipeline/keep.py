"""What one patient's outcome leaves behind: state, worklist row, history, deliveries owed, audit; and a memory of it."""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from adapter.domain.alert import CandidateAlert
from adapter.domain.patient import Decision, PatientId, PatientState
from adapter.eligibility.explain import as_json
from adapter.pipeline.outgoing import Occasion, Outlet, Owed, owed
from adapter.screening.rulebook import Rulebook
from adapter.screening.screen import Judgement, Outcome
from adapter.store import audit, outbox, patients, screening_ids, worklist
from adapter.store.database import Database, Transaction
from adapter.store.secret import SiteSecret

REMEMBERED = 2000
"""Patients whose state stays in memory; the others are read again when they are spoken of."""

Alerts = Mapping[tuple[str, str], CandidateAlert]


@dataclass(frozen=True, slots=True)
class Known:
    """What the store holds of a patient: the state, and what people were told of each episode."""

    state: PatientState
    alerts: Alerts


@dataclass(frozen=True, slots=True)
class Entry:
    """One judgement ready to be kept."""

    candidate: str
    judgement: Judgement
    screening_id: str
    owed: tuple[Owed, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    outcome: Outcome
    entries: tuple[Entry, ...]
    message_id: int | None
    person: str

    @property
    def owed(self) -> bool:
        return any(entry.owed for entry in self.entries)


@dataclass(slots=True)
class Keeper:
    """Prepares outside the transaction, keeps inside it. `links` is the worklist's address (`https://…/c/`)."""

    database: Database
    rules: Rulebook
    secret: SiteSecret
    outlets: Sequence[Outlet]
    links: str
    _memory: OrderedDict[PatientId, Known] = field(default_factory=OrderedDict)

    def known(self, patient: PatientId) -> Known:
        if patient in self._memory:
            self._memory.move_to_end(patient)
            return self._memory[patient]
        with self.database.read() as conn:
            return Known(patients.load(conn, patient), worklist.alerts(conn, patient))

    def prepare(self, outcome: Outcome, message_id: int | None, person: str) -> Prepared:
        """Everything that costs time: ids, the explanation, bundles."""
        entries = tuple(self._entry(outcome, judgement) for judgement in outcome.judgements)
        return Prepared(outcome, entries, message_id, person)

    def keep(self, tx: Transaction, prepared: Prepared, now: datetime) -> None:
        """In the one transaction of the batch."""
        outcome = prepared.outcome
        patients.save(tx, outcome.before, outcome.state)
        for entry in prepared.entries:
            self._record(tx, prepared, entry)
            if entry.screening_id:
                who, trial = outcome.state.patient, entry.judgement.assessment.trial
                screening_ids.allocate(tx, self.secret, trial, who, entry.screening_id)
            for delivery in entry.owed:
                outbox.add(tx, delivery, now)
            if entry.judgement.change is not None:
                audit.append(tx, _act(entry), now)

    def remember(self, prepared: Sequence[Prepared]) -> None:
        """After the commit only: memory never runs ahead of the disk."""
        for one in prepared:
            state = one.outcome.state
            alerts = dict(self.known(state.patient).alerts)
            for entry in one.entries:
                change = entry.judgement.change
                if change is not None:
                    alerts[change.alert.trial, change.alert.episode] = change.alert
            self._memory[state.patient] = Known(state, alerts)
            self._memory.move_to_end(state.patient)
        while len(self._memory) > REMEMBERED:
            self._memory.popitem(last=False)

    def _entry(self, outcome: Outcome, judgement: Judgement) -> Entry:
        assessment = judgement.assessment
        candidate = self.candidate_id(outcome.state.patient, assessment.trial, assessment.episode)
        acts = _acts(outcome.state, assessment.trial, assessment.episode)
        decided = acts != _acts(outcome.before, assessment.trial, assessment.episode)
        if judgement.change is None and not decided and not assessment.shown:
            return Entry(candidate, judgement, "", ())
        with self.database.read() as conn:
            known = screening_ids.find(conn, self.secret, assessment.trial, outcome.state.patient)
            pushed = outbox.outlets_of(conn, known) if known else frozenset()
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
        return Entry(candidate, judgement, screening_id, owed(judgement.change, assessment, outlets, occasion))

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

    def _record(self, tx: Transaction, prepared: Prepared, entry: Entry) -> None:
        assessment, change = entry.judgement.assessment, entry.judgement.change
        told = assessment.shown or change is not None or bool(assessment.status)
        explained = as_json(assessment, patient=entry.candidate, software=self.rules.software) if told else {}
        state = prepared.outcome.state
        sighting = worklist.Sighting(
            entry.candidate, assessment, explained, change, prepared.message_id, state.demographics, prepared.person
        )
        worklist.record(tx, sighting)


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
