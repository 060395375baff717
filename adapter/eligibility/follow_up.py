"""What a protocol asks for after randomisation: the SOFA of its days, and survival as far as the hospital tells."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, tzinfo

from adapter.domain.encounter import EncounterAction
from adapter.domain.follow_up import DaySofa, DaySurvival, FollowUp, StudyDay, VitalStatus
from adapter.domain.patient import PatientState
from adapter.domain.trial import ON_STUDY, Trial
from adapter.eligibility.episode import visits_of
from adapter.eligibility.view import instant
from adapter.scoring.chart import Chart
from adapter.scoring.daily import day_sofa, study_day
from adapter.scoring.options import ScoringOptions
from adapter.scoring.turns import SCORED

WHOLE_DATE = len("2026-01-31")
ALIVE_BY = frozenset({EncounterAction.ADMIT, EncounterAction.TRANSFER})
"""Movements that only the living make; an A08 or an A03 may follow a death that nobody told us of."""
Death = tuple[datetime, datetime]
"""Between these two moments."""


def randomised(trial: Trial, state: PatientState, episode: str, at: datetime) -> datetime | None:
    """When a person first said so in this episode; what anybody said later takes no knowledge back."""
    return enrolments(trial, state, at).get(episode)


def enrolled_in(trial: Trial, state: PatientState, at: datetime, options: ScoringOptions) -> str | None:
    """The episode of whoever was randomised, until the plan's last day is over: a visit that came since is no new one."""
    plan, zone = trial.follow_up, options.timezone
    last = max((*plan.sofa_days, *plan.survival_days), default=0)
    for episode, began in enrolments(trial, state, at).items():
        if at < study_day(began.astimezone(zone).date(), last, zone).end:
            return episode
    return None


def enrolments(trial: Trial, state: PatientState, at: datetime) -> dict[str, datetime]:
    """When somebody was first randomised in each episode, in order of time."""
    told = (d for d in state.decisions if d.trial == trial.id and d.status == ON_STUDY and d.at <= at)
    found: dict[str, datetime] = {}
    for one in sorted(told, key=lambda d: (d.at, d.digest)):
        found.setdefault(one.episode, one.at)
    return found


def follow_up(trial: Trial, chart: Chart, randomised: datetime, at: datetime, options: ScoringOptions) -> FollowUp:
    """At `at`, by what is known now of days that are over. No ferritin and no mHLA-DR is asked for (clinical 6.3)."""
    plan, zone = trial.follow_up, options.timezone
    first, death = randomised.astimezone(zone).date(), _death(chart, zone)
    days = [study_day(first, number, zone) for number in sorted({*plan.sofa_days, *plan.survival_days})]
    over = [day for day in days if day.end <= at]
    scored = tuple(d for d in over if d.number in plan.sofa_days and not (death and death[1] < d.start))
    return FollowUp(
        randomised=randomised,
        days=_scores(trial, chart, scored, options),
        survival=tuple(_survival(chart, day, death, at) for day in over if day.number in plan.survival_days),
        next_at=next((day.end for day in days if day.end > at), None),
    )


def _scores(trial: Trial, chart: Chart, days: tuple[StudyDay, ...], options: ScoringOptions) -> tuple[DaySofa, ...]:
    """Days that are over stay what they are until a result of theirs comes late or is corrected."""
    if not days:
        return ()
    carry = trial.follow_up.carry_forward

    def scored() -> tuple[DaySofa, ...]:
        return tuple(day_sofa(chart, day, options.timezone, carry, options) for day in days)

    return chart.memory.settled(("follow-up", trial.id), days[-1].end, SCORED, scored, days, carry, options)


def _survival(chart: Chart, day: StudyDay, death: Death | None, at: datetime) -> DaySurvival:
    """Silence is neither life nor death: who was discharged and never seen again stays unknown."""
    if death is not None and death[1] < day.end:
        return DaySurvival(day, VitalStatus.DIED, death[1])
    if death is not None:
        later = death[0] if death[0] >= day.end else None
        return DaySurvival(day, VitalStatus.UNKNOWN if later is None else VitalStatus.ALIVE, later)
    seen = min((moment for moment in _signs_of_life(chart, at) if moment >= day.end), default=None)
    return DaySurvival(day, VitalStatus.UNKNOWN if seen is None else VitalStatus.ALIVE, seen)


def _signs_of_life(chart: Chart, at: datetime) -> Iterator[datetime]:
    """The last measurement of every kind, and movements."""
    for concept in chart.state.results:
        last = chart.series(concept).told.last(at)
        if last is not None:
            yield last.time
    yield from (s.at.astimezone(UTC) for s in chart.state.statements if s.action in ALIVE_BY and s.at <= at)


def _death(chart: Chart, zone: tzinfo) -> Death | None:
    """The first and the last moment at which it can have been, by the precision in which it was told; else the discharge of
    whoever died.
    """
    said = chart.state.demographics.fields.get("died")
    if said is None or not said.value:
        ends = [instant(one.discharged) for one in visits_of(chart) if one.expired and one.discharged is not None]
        return (max(ends), max(ends)) if ends else None
    text, told = said.value, said.at.astimezone(UTC)
    if len(text) > WHOLE_DATE:
        moment = datetime.fromisoformat(text).astimezone(UTC)
        return moment, moment
    if len(text) == WHOLE_DATE:
        day = study_day(date.fromisoformat(text), 1, zone)
        return day.start, day.last
    begins = study_day(date.fromisoformat(f"{text}-01-01"[:WHOLE_DATE]), 1, zone).start
    return begins, max(begins, told)
