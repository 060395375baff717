"""Missed cases in words and numbers: why the machine had not shown them, and of how many enrolled patients it knew."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from adapter.domain.trial import Trial
from adapter.pipeline.why_not import Cause
from adapter.store.missed_cases import MissedCase
from adapter.store.screening_log import Logged
from adapter.web import times, words
from adapter.web.figures import Predictive, predictive
from adapter.web.tongue import english, mark, say

CAUSES = {
    Cause.FLAGGED: mark("It had been shown by then"),
    Cause.FLAGGED_LATER: mark("It was shown, but only afterwards"),
    Cause.NEVER_HEARD: mark("No message about this number ever came"),
    Cause.HELD_BACK: mark("Marked so that nobody is told"),
    Cause.CRITERION: mark("A criterion stood against it"),
    Cause.TIME_OVER: mark("The time limit had passed"),
    Cause.TOLD_LATER: mark(
        "By what is known today it would have been shown: its results came late, or the rules have changed"
    ),
    Cause.MISSING_DATA: mark("Sepsis could not be established: results were missing"),
    Cause.NO_INFECTION: mark("Sepsis held, and nothing spoke of an infection"),
}
FOUND = frozenset({Cause.FLAGGED, Cause.FLAGGED_LATER})


def told(trial: Trial, cases: Sequence[MissedCase], now: datetime) -> list[dict[str, Any]]:
    """As the page lists them; who may not see patients gets no note and no link."""
    return [
        {
            "ago": times.ago(one.at, now),
            "by": one.by,
            "why": say(CAUSES[Cause(one.cause)]),
            "detail": Markup(", ").join(_named_detail(trial, part) for part in one.detail),
            "enrolled": one.enrolled,
            "note": one.note,
            "candidate": one.candidate if Cause(one.cause) in FOUND else "",
        }
        for one in cases
    ]


def _named_detail(trial: Trial, part: str) -> str:
    criterion = trial.criterion(part)
    return english(f"{part} {criterion.short}") if criterion else words.concept(part)


def causes(cases: Sequence[MissedCase]) -> list[tuple[str, int]]:
    counted = Counter(say(CAUSES[Cause(one.cause)]) for one in _each_once(cases))
    return sorted(counted.items(), key=lambda one: (-one[1], one[0]))


def known_enrolled(enrolled: Sequence[Logged], cases: Sequence[MissedCase]) -> Predictive:
    """Of all who were enrolled as far as people here told: how many had been shown."""
    missed = [one for one in _each_once(cases) if one.enrolled and Cause(one.cause) not in FOUND]
    shown = [one.flagged is not None for one in enrolled]
    return predictive(say("Enrolled patients who had been shown"), [*shown, *(False for _ in missed)])


def _each_once(cases: Sequence[MissedCase]) -> list[MissedCase]:
    """Two reports of one candidate are one case; the newest counts. Of people without a candidate nobody can say."""
    by_candidate = {one.candidate or str(number): one for number, one in reversed(list(enumerate(cases)))}
    return list(by_candidate.values())
