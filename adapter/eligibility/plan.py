"""What a protocol page alone determines, worked out once for each page: what every rule of it rests on."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from adapter.domain.trial import Comparison, Criterion, Trial, TrialParameters
from adapter.eligibility.facts import FACTS
from adapter.eligibility.finding import unique
from adapter.eligibility.rules import comparisons
from adapter.eligibility.view import View
from adapter.scoring.turns import AT_ONCE, SCORED, Turns

CLOCK_FACT = "clock.open"
PAGES = 32
"""Trials whose plans are kept; a daemon has a handful."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a rule rests on: results of the concepts of `turns`, time where they turn, and what is `given` beside them.

    `concepts` are all of which a new result may change what the rule says of a moment. `fleeting`: nobody can tell, or it is
    another one at each moment; it is asked each time. `timeless`: of a past moment only results change what it says.
    """

    turns: Turns
    concepts: Collection[str]
    fleeting: bool
    timeless: bool
    _given: tuple[Callable[[View], object], ...]

    def given(self, view: View) -> tuple[object, ...]:
        person = view.stay.person
        return (person, *[seen(view) for seen in self._given]) if self._given else (person,)


@dataclass(frozen=True, slots=True)
class Plan:
    """`measured` are the concepts whose numbers the strata compare, in the order of the page."""

    trial: Trial
    sepsis: Criterion | None
    criteria: Mapping[str, Basis]
    strata: Basis
    measured: tuple[str, ...]
    timed: frozenset[str]
    """The criteria that ask for the clock."""
    unasked: dict[str, Any] = field(default_factory=dict)
    """By criterion without a rule: what it is while no person has answered, the same of every patient."""


_plans: dict[int, Plan] = {}


def plan_of(trial: Trial) -> Plan:
    """By the very object, for a page is long and read once."""
    known = _plans.get(id(trial))
    if known is None or known.trial is not trial:
        if len(_plans) >= PAGES:
            _plans.clear()
        known = _plans[id(trial)] = _made(trial)
    return known


def _made(trial: Trial) -> Plan:
    asked = {c.id: comparisons(c.met_when) if c.met_when else () for c in trial.criteria}
    suggested = {c.id: comparisons(c.suggested_when) if c.suggested_when else () for c in trial.criteria}
    strata = tuple(found for stratum in trial.strata for found in comparisons(stratum.met_when))
    blocks = tuple(found for s in trial.strata if s.blocked_when for found in comparisons(s.blocked_when))
    return Plan(
        trial=trial,
        sepsis=trial.criterion(trial.parameters.sepsis_criterion),
        criteria={i: _basis((*asked[i], *suggested[i]), trial.parameters) for i in asked},
        strata=_basis((*strata, *blocks), trial.parameters),
        measured=unique(rule.fact.removesuffix(".latest") for rule in strata),
        timed=frozenset(i for i, rules in asked.items() if any(rule.fact == CLOCK_FACT for rule in rules)),
    )


def _basis(rules: tuple[Comparison, ...], parameters: TrialParameters) -> Basis:
    turns: dict[str, set[timedelta]] = {}
    for rule in rules:
        fact = FACTS[rule.fact]
        window = parameters.sofa_window if fact.scored else rule.within
        for concept in fact.reads or ():
            turns.setdefault(concept, {AT_ONCE}).update(() if window is None else (window,))
        if rule.paired_with:
            turns.setdefault(rule.paired_with, {AT_ONCE})
    facts = [FACTS[rule.fact] for rule in rules]
    concepts = SCORED.union(turns) if any(fact.scored for fact in facts) else frozenset(turns)
    given = unique(fact.given for fact in facts if fact.given is not None)
    fleeting = any(fact.reads is None for fact in facts)
    timeless = not fleeting and all(fact.scored or fact.given is None for fact in facts)
    return Basis({concept: tuple(delays) for concept, delays in turns.items()}, concepts, fleeting, timeless, given)
