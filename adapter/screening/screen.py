"""The whole step for one patient: events in; state, assessments and what people must be told out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from adapter.domain.alert import AlertChange, CandidateAlert
from adapter.domain.assessment import Assessment
from adapter.domain.events import ClinicalEvent
from adapter.domain.patient import PatientState
from adapter.domain.trial import Trial
from adapter.eligibility.evaluate import assess
from adapter.screening.alerts import decide
from adapter.screening.rulebook import Rulebook
from adapter.screening.state import apply_all

Alerts = Mapping[tuple[str, str], CandidateAlert]
"""By (trial, episode): what people were told of one patient, standing or withdrawn."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One trial's assessment of one episode and the change it makes to what people were told."""

    assessment: Assessment
    change: AlertChange | None


@dataclass(frozen=True, slots=True)
class Outcome:
    before: PatientState
    state: PatientState
    judgements: tuple[Judgement, ...]


def screen(
    before: PatientState, events: Iterable[ClinicalEvent], rules: Rulebook, *, alerts: Alerts, now: datetime
) -> Outcome:
    """Cannot fail on data: what is missing stays unknown."""
    state = apply_all(before, events)
    judged = [one for trial in rules.trials for one in _judge(trial, state, rules, alerts, now)]
    return Outcome(before, state, tuple(judged))


def _judge(trial: Trial, state: PatientState, rules: Rulebook, alerts: Alerts, now: datetime) -> list[Judgement]:
    """The present episode, and every other one of which people still believe something."""
    options = rules.scoring_options(state.patient.site)
    present = assess(trial, state, now, options=options, rulebook=rules.digest)
    judged = [Judgement(present, decide(alerts.get((trial.id, present.episode)), present, now))]
    for (of_trial, episode), alert in alerts.items():
        if of_trial == trial.id and alert.standing and episode != present.episode:
            other = assess(trial, state, now, options=options, rulebook=rules.digest, episode=episode)
            judged.append(Judgement(other, decide(alert, other, now)))
    return judged
