"""The onset and the time limit: from the first moment the sepsis criterion holds, strictly less than the limit."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from adapter.domain.trial import Clock, Criterion, Trial
from adapter.domain.truth import Truth
from adapter.eligibility.criteria import finding_of
from adapter.eligibility.finding import Finding, Reading, earliest
from adapter.eligibility.view import Stay, View
from adapter.scoring.moments import moments, next_change

ONSET_ASK = "When did sepsis begin? The SOFA criterion has not been seen to hold"


def onset_of(stay: Stay, at: datetime) -> datetime | None:
    """Once met, the criterion stays met for the episode; computed from the state each time, so a correction undoes it."""
    criterion = stay.plan.sepsis
    begun = _begun(stay)
    if criterion is None or criterion.met_when is None or begun is None or begun > at:
        return None

    def search(after: datetime | None) -> datetime | None:
        moments = _moments(stay, begun, at, after)
        return next((m for m in moments if sepsis_found(criterion, View(stay, m)).truth is Truth.MET), None)

    basis, question = stay.plan.criteria[criterion.id], ("onset", stay.trial.id, stay.admitted, View(stay, at).baseline)
    if not basis.timeless:
        return search(None)
    return stay.chart.memory.first(question, at, basis.concepts, search, *_given(stay))


def sepsis_found(criterion: Criterion, view: View) -> Finding:
    """What the criterion that starts the clock says at a moment; the search and the answer often ask for the same."""
    basis, question = view.stay.plan.criteria[criterion.id], ("sepsis", view.stay.trial.id)
    if basis.fleeting:
        return finding_of(criterion, view)
    given = (criterion, view.stay.trial.parameters, *basis.given(view))
    return view.remembered(question, basis.turns, lambda: finding_of(criterion, view), *given)


def _given(stay: Stay) -> tuple[object, ...]:
    """All that the rule may rest on at any moment, beside the SOFA before and the results known by then.

    Of the visit that is how it began, not the bed: a transfer is no reason to search again.
    """
    visit = stay.encounter
    began = visit and (visit.admitted, visit.encounter_class, visit.started_in_emergency)
    return stay.trial, stay.options, began, stay.infection, stay.suspected, stay.person


def _begun(stay: Stay) -> datetime | None:
    """The admission, or the first result where the feed joined later; a sepsis of long before the infection is not its own."""
    if stay.encounter is None:
        return None
    firsts = (stay.chart.series(concept).times[:1] for concept in stay.state.results)
    begun = stay.admitted or min((moment for times in firsts for moment in times), default=None)
    if begun is None or stay.infection is None or stay.suspected is None:
        return begun
    return max(begun, min(stay.suspected, stay.infection - stay.trial.parameters.baseline_before_infection))


def _moments(stay: Stay, begun: datetime, at: datetime, after: datetime | None) -> list[datetime]:
    """Where the score may rise, and where the baseline becomes known: nowhere else can the criterion begin to hold."""
    turns = [turn for turn in turning_points(stay) if begun <= turn <= at]
    rises = moments(stay.chart, begun if after is None else max(begun, after), at, stay.options)
    return sorted(moment for moment in {begun, *turns, *rises} if after is None or moment > after)


def turning_points(stay: Stay) -> tuple[datetime, ...]:
    """When the context or the baseline changes by the passing of time alone."""
    if stay.admitted is None:
        return ()
    parameters = stay.trial.parameters
    return (stay.admitted + parameters.emergency_context, stay.admitted + parameters.hospital_acquired)


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """The clock of an episode; without an onset it does not run."""

    clock: Clock | None
    onset: datetime | None

    @property
    def deadline(self) -> datetime | None:
        return None if self.clock is None or self.onset is None else self.onset + self.clock.limit

    def passed(self, at: datetime) -> bool:
        """Strictly less than the limit is in time: 72 h exactly is too late (clinical D5)."""
        return self.deadline is not None and at >= self.deadline

    def reading(self, at: datetime) -> Reading:
        """As the fact `clock.open`."""
        word = None if self.deadline is None else not self.passed(at)
        return Reading(word=word, asks=(ONSET_ASK,), changes=self.next_mark(at))

    def marks(self) -> tuple[tuple[timedelta, datetime], ...]:
        """Each warning and when it is due, the last one first."""
        if self.deadline is None or self.clock is None:
            return ()
        return tuple((left, self.deadline - left) for left in sorted(self.clock.warn_left))

    def warning(self, at: datetime) -> tuple[str, ...]:
        """The narrowest warning that is due: `less_than_12_h_left`."""
        if self.passed(at):
            return ()
        due = [left for left, mark in self.marks() if mark <= at]
        return tuple(f"less_than_{int(left.total_seconds() // 3600)}_h_left" for left in due[:1])

    def next_mark(self, at: datetime) -> datetime | None:
        coming = [mark for _, mark in self.marks()] + ([self.deadline] if self.deadline else [])
        return earliest(mark for mark in coming if mark > at)


def time_limit_of(trial: Trial, onset: datetime | None) -> TimeLimit:
    return TimeLimit(trial.clocks[0] if trial.clocks else None, onset)


def next_turn(stay: Stay, at: datetime) -> datetime | None:
    """The next moment at which time alone may change the SOFA, its context or its baseline."""
    turns = (turn for turn in turning_points(stay) if turn > at)
    return earliest((next_change(stay.chart, at, stay.options), *turns))
