"""What stands on a candidate's page beside the assessment: the course, the story, who has them in hand, other trials."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from adapter.domain.patient import PatientState
from adapter.domain.trial import Trial
from adapter.scoring.chart import chart_of
from adapter.screening.course import Course, course, visible_until
from adapter.store.candidate_rows import CandidateRow
from adapter.store.teamwork import SAID, Note
from adapter.web import board, charts, conflicts, listing, story, times
from adapter.web.charts import MarkerChart, ScoreChart
from adapter.web.conflicts import Question
from adapter.web.context import WebContext
from adapter.web.dossier import Dossier
from adapter.web.sessions import Visitor
from adapter.web.story import About, Moment


@dataclass(frozen=True, slots=True)
class Around:
    """`renewed`: what is new since somebody decided, where that took the candidate off the list."""

    scores: ScoreChart | None
    markers: tuple[MarkerChart, ...]
    story: tuple[tuple[str, Moment], ...]
    """With its time as the site reads it."""
    said: tuple[str, Moment] | None
    """What a colleague wrote last."""
    decided: str
    renewed: bool
    holder: str
    since: str
    mine: bool
    colleagues: tuple[str, ...]
    others: tuple[tuple[str, str], ...]
    """Id and words, of trials the reader works for."""
    doubts: Mapping[str, Question]
    """By question."""


def around(context: WebContext, known: Dossier, trial: Trial, reader: Visitor) -> Around:
    row, claim = known.row, known.claim
    zone, seen = board.zone_of(context, row.patient.site), _course(context, known.state, trial, row)
    told = story.story(About(trial, row.episode, known.state, seen, zone), (known.history, known.notes, known.proposed))
    decision = story.decision(known.state, row.trial, row.episode)
    return Around(
        scores=charts.scores(seen, _onset(row), zone),
        markers=charts.markers(seen, trial, zone),
        story=tuple((times.local(one.at, zone), one) for one in told),
        said=next(((times.local(one.at, zone), story.noted(one)) for one in reversed(known.notes) if _says(one)), None),
        decided=f"{story.reasoned(decision)} ({decision.by}, {times.local(decision.at, zone)})" if decision else "",
        renewed=listing.renewed(row, trial),
        holder=claim.holder if claim else "",
        since=times.local(claim.since, zone) if claim else "",
        mine=claim is not None and claim.holder == reader.name,
        colleagues=tuple(name for name in known.colleagues if not claim or name != claim.holder),
        others=tuple((o.id, listing.elsewhere(o)) for o in known.others if reader.scope.trial(o.trial)),
        doubts=conflicts.questions(row, known.proposed, reader, known.approvers, zone),
    )


def _says(one: Note) -> bool:
    return one.kind in SAID and bool(one.text)


def _course(context: WebContext, state: PatientState, trial: Trial, row: CandidateRow) -> Course:
    options, now = context.bench.rules().scoring_options(row.patient.site), context.clock()
    until = visible_until(trial, context.trials, state, (row.episode, now), options)
    return course(chart_of(state), until, options)


def _onset(row: CandidateRow) -> datetime | None:
    said = (row.assessment.get("sepsis") or {}).get("onset")
    return datetime.fromisoformat(said) if said else None
