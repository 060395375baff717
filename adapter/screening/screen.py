"""The whole step for one patient: events in; state, assessments and what people must be told out."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from adapter.domain.alert import AlertChange, CandidateAlert
from adapter.domain.assessment import Assessment
from adapter.domain.events import ClinicalEvent
from adapter.domain.patient import PatientState
from adapter.domain.trial import Trial
from adapter.eligibility.evaluate import assess
from adapter.eligibility.follow_up import enrolments
from adapter.scoring.chart import Chart, chart_of
from adapter.screening.alerts import decide
from adapter.screening.rulebook import Rulebook
from adapter.screening.state import told_again

Alerts = Mapping[tuple[str, str], CandidateAlert]
"""By (trial, episode): what people were told of one patient, standing or withdrawn."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One trial's assessment of one episode and the change it makes to what people were told, `told` if ever before."""

    assessment: Assessment
    change: AlertChange | None
    told: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """`chart`: the state laid out for scoring, for whoever screens this patient next."""

    before: PatientState
    chart: Chart
    judgements: tuple[Judgement, ...]

    @property
    def state(self) -> PatientState:
        return self.chart.state


def screen(  # noqa: PLR0913 — what one step needs, by name
    before: PatientState | Chart,
    events: Iterable[ClinicalEvent],
    rules: Rulebook,
    *,
    alerts: Alerts,
    now: datetime,
    again: Collection[str] = (),
) -> Outcome:
    """Cannot fail on data: what is missing stays unknown. Given the last chart of the patient, less is computed again.

    `again` are messages, by inbox id, that were read before: what they say now takes the place of what they said.
    """
    known = chart_of(before)
    chart = known.followed_by(told_again(known.state, events, again))
    judged = [one for trial in rules.trials for one in _judge(trial, chart, rules, alerts, now)]
    return Outcome(known.state, chart, tuple(judged))


def _judge(trial: Trial, chart: Chart, rules: Rulebook, alerts: Alerts, now: datetime) -> list[Judgement]:
    """Every other episode of which people still believe something or in which they follow a trial, then the present one.

    In this order, because an EDC knows one subject of them all: what holds now must be what it hears last.
    """
    options = rules.scoring_options(chart.state.patient.site)
    present = assess(trial, chart, now, options=options, rulebook=rules.digest)
    known = alerts.get((trial.id, present.episode))
    judged = []
    believed = [episode for (of, episode), alert in alerts.items() if of == trial.id and alert.standing]
    for episode in dict.fromkeys((*believed, *enrolments(trial, chart.state, now))):
        if episode != present.episode:
            other = assess(trial, chart, now, options=options, rulebook=rules.digest, episode=episode)
            alert = alerts.get((trial.id, episode))
            judged.append(Judgement(other, decide(alert, other, now), told=True))
    return [*judged, Judgement(present, decide(known, present, now), known is not None)]
