"""A patient's whole record told again in order of time: what the live rules would have shown of each episode, and when."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
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

NEAREST = (Verdict.NOT_CANDIDATE, Verdict.EXPIRED, Verdict.INCOMPLETE, Verdict.CANDIDATE)
"""From the farthest to the nearest."""
TURNS = 500
"""So often at most time alone is asked between two messages."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one moment's messages said of a patient."""

    at: datetime
    events: tuple[ClinicalEvent, ...]


@dataclass(slots=True)
class Course:
    """One episode under one trial: `best` is the assessment that came nearest, `worst` the one with the highest certain SOFA."""

    first: Assessment
    last: Assessment
    best: Assessment
    worst: Assessment
    shown: datetime | None = None
    candidate: datetime | None = None
    met: set[str] = field(default_factory=set)
    """Criteria that were met at any time."""

    def note(self, one: Assessment) -> None:
        self.last = one
        if _nearness(one) > _nearness(self.best):
            self.best = one
        if one.sofa.low > self.worst.sofa.low:
            self.worst = one
        if one.shown and self.shown is None:
            self.shown = one.at
        if one.verdict is Verdict.CANDIDATE and self.candidate is None:
            self.candidate = one.at
        self.met |= {result.id for result in one.criteria if result.answer is Truth.MET}

    def row(self) -> dict[str, Any]:
        """Plain values; nothing of it names a person or a visit."""
        best, sepsis = self.best, self.last.sepsis
        return {
            "trial": best.trial,
            "first": self.first.at,
            "last": self.last.at,
            "context": sepsis.context,
            "verdict": str(self.last.verdict),
            "nearest_verdict": str(best.verdict),
            "certainty": str(best.certainty),
            "stratum": best.stratum,
            "first_shown": self.shown,
            "first_candidate": self.candidate,
            "sofa_low": self.worst.sofa.low,
            "sofa_high": self.worst.sofa.high,
            "sofa_at": self.worst.at,
            "onset": sepsis.onset,
            "deadline": sepsis.deadline,
            "infection": sepsis.infection,
            "met": sorted(self.met),
            "against": against(best),
            "unknown": [r.id for r in best.criteria if r.answer is Truth.UNKNOWN and r.needs is Needs.DATA],
            "missing": list(best.missing),
        }


def against(one: Assessment) -> list[str]:
    """Criteria that rule the patient out."""
    return [result.id for result in one.criteria if stands_against(result)]


def _nearness(one: Assessment) -> tuple[int, bool, int]:
    return NEAREST.index(one.verdict), one.shown, -len(against(one))


def follow(patient: PatientId, told: Iterable[Told], rules: Rulebook) -> list[Course]:
    """By trial and episode, in the order in which they began. The clock is the record's own; it ends with its last message."""
    courses: dict[tuple[str, str], Course] = {}
    for one in _assessed(patient, [moment for moment in told if moment.events], rules):
        course = courses.setdefault((one.trial, one.episode), Course(one, one, one, one))
        course.note(one)
    return list(courses.values())


def _assessed(patient: PatientId, told: Sequence[Told], rules: Rulebook) -> Iterator[Assessment]:
    chart = Chart(PatientState(patient))
    options = rules.scoring_options(patient.site)
    for now, following in pairwise((*told, None)):
        if now is None:
            return
        chart = chart.followed_by(apply_all(chart.state, now.events))
        for trial in rules.trials:
            at: datetime | None = now.at
            for _ in range(TURNS):
                if at is None:
                    break
                one = assess(trial, chart, at, options=options, rulebook=rules.digest)
                yield one
                at = one.review_at
                if following is None or at is None or at >= following.at:
                    break
