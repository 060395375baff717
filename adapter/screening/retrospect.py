"""A patient's whole record told again in order of time: what the live rules would have shown of each episode, and when."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from adapter.domain.assessment import Assessment, Verdict
from adapter.domain.events import ClinicalEvent
from adapter.domain.patient import PatientId, PatientState
from adapter.domain.trial import Needs
from adapter.domain.truth import Truth
from adapter.eligibility.evaluate import assess
from adapter.eligibility.verdict import stands_against
from adapter.scoring.chart import Chart
from adapter.screening.rulebook import Rulebook
from adapter.screening.state import apply_all

TURNS = 500
"""So often at most time alone is asked between two messages."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one moment's messages said of a patient."""

    at: datetime
    events: tuple[ClinicalEvent, ...]


@dataclass(slots=True)
class Course:
    """One episode under one trial, by the criterion that starts its clock.

    `telling` is the assessment that says most of it: the first as a candidate; else the last one at which sepsis held and
    the time had not run out; else the last one. `worst` has the highest certain SOFA.
    """

    sepsis: str
    first: Assessment
    last: Assessment
    telling: Assessment
    worst: Assessment
    shown: datetime | None = None
    candidate: datetime | None = None
    met: set[str] = field(default_factory=set)
    """Criteria that were met at any time."""
    sofa: list[tuple[datetime, int, int]] = field(default_factory=list)
    """Since when the total lay between which ends: a step for each change."""

    def note(self, one: Assessment) -> None:
        self.last = one
        if self.candidate is None and (self._holds(one) or not self._holds(self.telling)):
            self.telling = one
        if one.sofa.low > self.worst.sofa.low:
            self.worst = one
        if not self.sofa or self.sofa[-1][1:] != (one.sofa.low, one.sofa.high):
            self.sofa.append((one.at, one.sofa.low, one.sofa.high))
        if one.shown and self.shown is None:
            self.shown = one.at
        if one.verdict is Verdict.CANDIDATE and self.candidate is None:
            self.telling, self.candidate = one, one.at
        self.met |= {result.id for result in one.criteria if result.answer is Truth.MET}

    def _holds(self, one: Assessment) -> bool:
        held = any(result.id == self.sepsis and result.answer is Truth.MET for result in one.criteria)
        return held and one.verdict is not Verdict.EXPIRED

    def row(self) -> dict[str, Any]:
        """Plain values; nothing of it names a person or a visit."""
        telling, sepsis = self.telling, self.last.sepsis
        return {
            "trial": telling.trial,
            "first": self.first.at,
            "last": self.last.at,
            "context": sepsis.context,
            "last_verdict": str(self.last.verdict),
            "judged_at": telling.at,
            "verdict": str(telling.verdict),
            "certainty": str(telling.certainty),
            "stratum": telling.stratum,
            "first_shown": self.shown,
            "first_candidate": self.candidate,
            "sofa_low": self.worst.sofa.low,
            "sofa_high": self.worst.sofa.high,
            "sofa_at": self.worst.at,
            "infection": sepsis.infection,
            "onset": sepsis.onset,
            "deadline": sepsis.deadline,
            "met": sorted(self.met),
            "against": [result.id for result in telling.criteria if stands_against(result)],
            "unknown": [r.id for r in telling.criteria if r.answer is Truth.UNKNOWN and r.needs is Needs.DATA],
            "missing": list(telling.missing),
            "sofa_course": self.sofa if self.shown is not None else [],
        }


def follow(patient: PatientId, told: Iterable[Told], rules: Rulebook) -> list[Course]:
    """By trial and episode, in the order in which they began. The clock is the record's own; it ends with its last message."""
    courses: dict[tuple[str, str], Course] = {}
    sepsis = {trial.id: trial.parameters.sepsis_criterion for trial in rules.trials}
    for one in _assessed(patient, [moment for moment in told if moment.events], rules):
        course = courses.setdefault((one.trial, one.episode), Course(sepsis[one.trial], one, one, one, one))
        course.note(one)
    return list(courses.values())


def _assessed(patient: PatientId, told: Sequence[Told], rules: Rulebook) -> Iterator[Assessment]:
    chart = Chart(PatientState(patient))
    options = rules.scoring_options(patient.site)
    ends = (*(one.at for one in told), None)[1:]
    for now, end in zip(told, ends, strict=True):
        chart = chart.followed_by(apply_all(chart.state, now.events))
        for trial in rules.trials:
            judge = partial(assess, trial, chart, options=options, rulebook=rules.digest)
            yield from islice(_until(judge, now.at, end), TURNS)


def _until(judge: Callable[[datetime], Assessment], at: datetime, end: datetime | None) -> Iterator[Assessment]:
    """At a message, and wherever time alone may change something before the next one."""
    one = judge(at)
    yield one
    while end is not None and one.review_at is not None and one.review_at < end:
        one = judge(one.review_at)
        yield one
