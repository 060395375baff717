"""A candidate over time: the score every few hours, every ferritin and mHLA-DR, and what corrections did to the score."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from adapter.domain.assessment import SofaScore
from adapter.domain.observation import Observation, Result, ResultStatus
from adapter.domain.patient import PatientState
from adapter.domain.trial import Trial
from adapter.eligibility.follow_up import enrolled_in, enrolments
from adapter.scoring.chart import Chart
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import score
from adapter.scoring.thresholds import WINDOW
from adapter.scoring.turns import SCORED

SPAN = timedelta(days=7)
MOST_SCORES = 24
STEPS = tuple(timedelta(hours=hours) for hours in (1, 2, 3, 4, 6, 8))
"""Between two scores: the shortest one that fits."""
MARKERS = ("ferritin", "mhladr")
"""What a stratum is made of."""
MARKER_SPAN = timedelta(days=14)
MOST_CORRECTIONS = 20


@dataclass(frozen=True, slots=True)
class Correction:
    """`after` is nothing where the result was withdrawn; the scores are those of the moment people learned of it."""

    at: datetime
    before: Observation
    after: Observation | None
    message: str
    was: SofaScore | None = None
    now: SofaScore | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """Up to `until`, the oldest first; by what is known today."""

    until: datetime
    scores: tuple[SofaScore, ...]
    markers: Mapping[str, tuple[Observation, ...]]
    corrections: tuple[Correction, ...]


@dataclass(frozen=True, slots=True)
class _Changed:
    """The statement that made something else of a result."""

    result: Result
    index: int
    correction: Correction


def visible_until(
    trial: Trial, trials: Iterable[Trial], state: PatientState, whose: tuple[str, datetime], options: ScoringOptions
) -> datetime:
    """Nothing later than this is shown: what came after randomisation could tell the treatment, in this trial or in another
    one that goes on (reliability P11). `whose`: the episode, and now.
    """
    episode, now = whose
    began = [enrolments(trial, state, now).get(episode)]
    for other in trials:
        named = enrolled_in(other, state, now, options)
        began.append(enrolments(other, state, now)[named] if named is not None else None)
    return min((moment for moment in began if moment is not None), default=now)


def course(chart: Chart, until: datetime, options: ScoringOptions) -> Course:
    until = until.astimezone(UTC)
    return Course(
        until=until,
        scores=tuple(score(chart, at, options) for at in _moments(chart, until)),
        markers={name: _marker(chart, name, until) for name in MARKERS},
        corrections=tuple(_scored(chart, one, until, options) for one in _newest(chart.state, until)),
    )


def _moments(chart: Chart, until: datetime) -> Sequence[datetime]:
    """Back from `until` in even steps, as far as anything was measured."""
    measured = (chart.series(name).between(until - SPAN, until) for name in SCORED & chart.state.results.keys())
    first = min((items[0].time for items in measured if items), default=None)
    if first is None:
        return ()
    step = next((one for one in STEPS if one * (MOST_SCORES - 1) >= until - first), STEPS[-1])
    steps = (until - first) // step
    return [until - step * back for back in range(steps, -1, -1)]


def _marker(chart: Chart, name: str, until: datetime) -> tuple[Observation, ...]:
    return tuple(item.observation for item in chart.series(name).between(until - MARKER_SPAN, until))


def _newest(state: PatientState, until: datetime) -> list[_Changed]:
    found = (one for results in state.results.values() for result in results for one in _changes(result))
    seen = [one for one in found if one.correction.before.effective <= until]
    return sorted(seen, key=lambda one: (one.correction.at, one.result.identity))[-MOST_CORRECTIONS:]


def _changes(result: Result) -> Iterator[_Changed]:
    """Every statement after which a value that counted was another one, or none."""
    for index in range(1, len(result.versions)):
        before, after = (Result(result.versions[:end]).usable for end in (index, index + 1))
        said = result.versions[index]
        if before is None or (after is None and said.status is not ResultStatus.WITHDRAWN):
            continue
        if after is None or (after.quantity, after.code) != (before.quantity, before.code):
            at = (said.issued or said.sender_time or said.effective).astimezone(UTC)
            yield _Changed(result, index, Correction(at, before, after, said.message))


def _scored(chart: Chart, one: _Changed, until: datetime, options: ScoringOptions) -> Correction:
    """With the score before and after, where the result is one that is scored."""
    found = one.correction
    if found.before.concept not in SCORED:
        return found
    effective = found.before.effective.astimezone(UTC)
    at = min(max(found.at, effective), effective + WINDOW - timedelta.resolution, until)
    was, now = (
        score(chart.followed_by(_with(chart.state, one, end)), at, options) for end in (one.index, one.index + 1)
    )
    return replace(found, was=was, now=now)


def _with(state: PatientState, one: _Changed, end: int) -> PatientState:
    """The state, had nothing more been said of this result."""
    if end == len(one.result.versions):
        return state
    concept = one.correction.before.concept
    told = tuple(Result(r.versions[:end]) if r.identity == one.result.identity else r for r in state.results[concept])
    return replace(state, results={**state.results, concept: told})
