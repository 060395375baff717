"""A protocol page (`profiles/<trial>/trial.yaml`) read into a Trial, with errors a trialist can act on."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from adapter.domain.document import Document
from adapter.domain.trial import (
    Clock,
    Code,
    Criterion,
    CriterionKind,
    FollowUpPlan,
    Needs,
    Rule,
    Stratum,
    Trial,
    TrialParameters,
    Vocabulary,
)
from adapter.eligibility.answers import COVID
from adapter.eligibility.chronic import PREFIX
from adapter.eligibility.facts import SCORE_FACTS
from adapter.eligibility.language import read_rule
from adapter.eligibility.phrases import rule_words
from adapter.eligibility.place import Place, text_or
from adapter.eligibility.rules import comparisons
from adapter.eligibility.words import INDETERMINATE, STATUSES, UNCLASSIFIED
from adapter.scoring.thresholds import WINDOW

KEYS = (
    *("trial", "extends", "title", "registry", "protocol_version", "stratum_requires", "parameters"),
    *("inclusion", "exclusion", "strata", "clocks", "statuses", "follow_up"),
)
PARAMETERS = (
    *("sepsis_criterion", "stratum_criterion", "infection_criterion", "consent_criterion", "sofa_window"),
    *("emergency_context", "infection_sets"),
    *("hospital_acquired", "baseline_window", "baseline_before_infection", "near_threshold", "pair_within"),
)
CRITERION = ("id", "text", "short", "source", "needs", "ask", "met_when", "suggested_when")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LABORATORIES = ("central", "any")
COMMENSALS = "skin-commensal"
"""The set of mappings/codesets/conditions.csv."""


def extends(document: Document) -> str | None:
    """The trial whose page this one starts from, if it says so."""
    page = Place(document, (), document.data).only(KEYS)
    found = page.get("extends")
    return None if found is None else _slug(found)


def read_trial(document: Document, vocabulary: Vocabulary, parent: Document | None = None) -> Trial:
    """Raises ConfigError naming file, line and the nearest known word. A key this page has replaces the parent's whole."""
    page = _Page(document, parent)
    criteria = (
        *_criteria(page.need("inclusion"), CriterionKind.INCLUSION, vocabulary),
        *_criteria(page.need("exclusion"), CriterionKind.EXCLUSION, vocabulary),
    )
    _once(page.need("inclusion"), [criterion.id for criterion in criteria])
    parameters = _parameters(page.need("parameters"), criteria, vocabulary)
    strata = _strata(page.need("strata"), vocabulary)
    clocks = _clocks(page.need("clocks"), parameters)
    trial = Trial(
        id=_slug(page.own("trial")),
        title=page.need("title").text(),
        registry=page.need("registry").text(),
        protocol_version=page.need("protocol_version").text(),
        stratum_requires=page.need("stratum_requires").word(LABORATORIES),
        criteria=tuple(replace(criterion, rule=rule_words(criterion, strata, clocks)) for criterion in criteria),
        strata=strata,
        clocks=clocks,
        parameters=parameters,
        statuses=_statuses(page.need("statuses")),
        follow_up=_follow_up(page.get("follow_up")),
    )
    _windows_agree(page, trial)
    return trial


@dataclass(frozen=True, slots=True)
class _Page:
    """A page over its parent: every place keeps the file it stands in."""

    document: Document
    parent: Document | None

    def own(self, key: str) -> Place:
        return Place(self.document, (), self.document.data).only(KEYS).need(key)

    def get(self, key: str) -> Place | None:
        """Where this page or its parent has it."""
        pages = [one for one in (self.document, self.parent) if one is not None]
        return next((found for page in pages if (found := Place(page, (), page.data).get(key)) is not None), None)

    def need(self, key: str) -> Place:
        child = Place(self.document, (), self.document.data).only(KEYS)
        if self.parent is None or child.get(key) is not None:
            return child.need(key)
        upper = Place(self.parent, (), self.parent.data).only(KEYS)
        if upper.get("extends") is not None:
            raise upper.need("extends").error("a page that others extend may not extend another")
        return upper.need(key)


def _slug(place: Place) -> str:
    text = place.text()
    if SLUG.fullmatch(text) is None:
        raise place.error(f"'{place.name}' must be small letters, digits and hyphens, such as 'immunosep'")
    return text


def _criteria(group: Place, kind: CriterionKind, vocabulary: Vocabulary) -> tuple[Criterion, ...]:
    return tuple(_criterion(place.only(CRITERION), kind, vocabulary) for place in group.items())


def _criterion(place: Place, kind: CriterionKind, vocabulary: Vocabulary) -> Criterion:
    met_when = _rule(place, "met_when", vocabulary)
    needs = place.get("needs")
    if needs is None and met_when is None:
        raise place.error("a criterion without 'met_when' says who answers it: needs: person (or nothing)")
    settled_by = Needs.DATA if needs is None else Needs(needs.word(tuple(str(word) for word in Needs)))
    if settled_by is Needs.PERSON and place.get("ask") is None:
        raise place.error("a criterion that a person answers has an 'ask': the question for the bedside")
    return Criterion(
        id=place.need("id").text(),
        kind=kind,
        text=place.need("text").text(),
        needs=settled_by,
        met_when=met_when,
        ask=text_or(place, "ask", ""),
        source=text_or(place, "source", ""),
        short=text_or(place, "short", ""),
        suggested_when=_rule(place, "suggested_when", vocabulary),
    )


def _rule(place: Place, key: str, vocabulary: Vocabulary) -> Rule | None:
    found = place.get(key)
    return None if found is None else read_rule(found, vocabulary)


def _once(place: Place, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise place.error(f"the id '{name}' stands twice")
        seen.add(name)


def _parameters(place: Place, criteria: tuple[Criterion, ...], vocabulary: Vocabulary) -> TrialParameters:
    place.only(PARAMETERS)
    inclusion = tuple(c.id for c in criteria if c.kind is CriterionKind.INCLUSION)
    near, window, consent = place.need("near_threshold"), place.need("sofa_window"), place.get("consent_criterion")
    if window.duration() != WINDOW:
        raise window.error(f"SOFA is scored over {WINDOW // timedelta(hours=1)} h, no other window")
    if not 0 <= near.number() < 1:
        raise near.error("'near_threshold' is a share between 0 and 1, such as 0.15")
    return TrialParameters(
        sepsis_criterion=place.need("sepsis_criterion").word(inclusion),
        stratum_criterion=place.need("stratum_criterion").word(inclusion),
        sofa_window=window.duration(),
        emergency_context=place.need("emergency_context").duration(),
        baseline_window=place.need("baseline_window").duration(),
        near_threshold=near.number(),
        pair_within=place.need("pair_within").duration(),
        consent_criterion="" if consent is None else consent.word(inclusion),
        infection_criterion=place.need("infection_criterion").word(inclusion),
        infection_codes=_codes(place.get("infection_sets"), vocabulary),
        commensal_codes=vocabulary.sets.get(COMMENSALS, ()),
        covid_codes=vocabulary.sets.get(COVID, ()),
        chronic_codes={name: codes for name, codes in vocabulary.sets.items() if name.startswith(PREFIX)},
        hospital_acquired=place.need("hospital_acquired").duration(),
        baseline_before_infection=place.need("baseline_before_infection").duration(),
    )


def _codes(place: Place | None, vocabulary: Vocabulary) -> tuple[Code, ...]:
    named = [] if place is None else [one.word(sorted(vocabulary.sets)) for one in place.items()]
    return tuple(code for name in named for code in vocabulary.sets[name])


def _strata(group: Place, vocabulary: Vocabulary) -> tuple[Stratum, ...]:
    strata = tuple(_stratum(place, vocabulary) for place in group.items())
    _once(group, [name for s in strata for name in (s.id, s.blocked_as) if name])
    return strata


def _stratum(place: Place, vocabulary: Vocabulary) -> Stratum:
    place.only(("id", "met_when", "blocked_when", "blocked_as"))
    blocked_when = _rule(place, "blocked_when", vocabulary)
    blocked_as = _slug(place.need("blocked_as")) if blocked_when is not None else ""
    name = _slug(place.need("id"))
    if {name, blocked_as} & {INDETERMINATE, UNCLASSIFIED}:
        raise place.need("id").error(f"'{INDETERMINATE}' and '{UNCLASSIFIED}' are what is found when no stratum is")
    return Stratum(name, read_rule(place.need("met_when"), vocabulary), blocked_when, blocked_as)


def _clocks(group: Place, parameters: TrialParameters) -> tuple[Clock, ...]:
    found = group.items()
    if len(found) > 1:
        raise found[1].error("a trial has one clock: a second one would never run")
    return tuple(_clock(place, parameters) for place in found)


def _clock(place: Place, parameters: TrialParameters) -> Clock:
    place.only(("id", "from", "limit", "warn_left"))
    limit = place.need("limit").duration()
    warn = place.get("warn_left")
    marks = [] if warn is None else warn.items()
    for mark in marks:
        if mark.duration() >= limit:
            raise mark.error("a warning comes before the limit")
    starts = place.need("from").word((parameters.sepsis_criterion,))
    return Clock(_slug(place.need("id")), starts, limit, tuple(mark.duration() for mark in marks))


def _statuses(place: Place) -> tuple[tuple[str, tuple[str, ...]], ...]:
    place.only(STATUSES)
    reasons = {key: place.need(key) if place.value[key] else None for key in place.value}
    return tuple(
        (key, () if listed is None else tuple(_slug(reason) for reason in listed.items()))
        for key, listed in reasons.items()
    )


def _follow_up(place: Place | None) -> FollowUpPlan:
    """No follow-up where the page has none."""
    if place is None:
        return FollowUpPlan()
    place.only(("sofa_days", "survival_days", "carry_forward"))
    carry = place.get("carry_forward")
    return FollowUpPlan(
        sofa_days=_days(place.get("sofa_days")),
        survival_days=_days(place.get("survival_days")),
        carry_forward=timedelta(0) if carry is None else carry.duration(),
    )


def _days(place: Place | None) -> tuple[int, ...]:
    found = [] if place is None else [(day, day.number()) for day in place.items()]
    for day, number in found:
        if number.denominator != 1 or number < 1:
            raise day.error("a study day is a whole number from 1: the calendar day of randomisation")
    return tuple(sorted({int(number) for _, number in found}))


def _windows_agree(page: _Page, trial: Trial) -> None:
    """The SOFA has one window; a rule that names another would be read as something it is not."""
    known = {criterion.id: criterion for criterion in trial.criteria}
    for group in ("inclusion", "exclusion"):
        for place in page.need(group).items():
            for key, rule in _rules_of(known[place.need("id").text()]):
                for found in comparisons(rule):
                    if found.fact in SCORE_FACTS and found.within not in {None, trial.parameters.sofa_window}:
                        raise place.need(key).error(f"'{found.fact}' looks back over sofa_window, no other time")


def _rules_of(criterion: Criterion) -> Iterable[tuple[str, Rule]]:
    for key, rule in (("met_when", criterion.met_when), ("suggested_when", criterion.suggested_when)):
        if rule is not None:
            yield key, rule
