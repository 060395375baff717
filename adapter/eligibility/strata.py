"""The stratum: in order of precedence, from the laboratory the trial asks for (clinical 1.2, decisions B9)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from adapter.domain.assessment import Evidence
from adapter.domain.observation import Laboratory
from adapter.domain.trial import Stratum
from adapter.domain.truth import Truth
from adapter.eligibility.finding import Finding, Reading, earliest, unique
from adapter.eligibility.newest import named
from adapter.eligibility.rules import comparisons, evaluate
from adapter.eligibility.view import View, instant
from adapter.eligibility.words import INDETERMINATE, UNCLASSIFIED
from adapter.scoring.chart import Timed

NEAR_THRESHOLD = "near_threshold"
CENTRAL = "central"


@dataclass(frozen=True, slots=True)
class StratumFinding:
    """`provisional`: local values had a part in it. `reading` is what the criterion that asks for a stratum sees."""

    stratum: str
    provisional: bool
    reading: Reading
    evidence: tuple[Evidence, ...]
    flags: tuple[str, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the precedence stopped: the word, and the finding that decided it."""

    stratum: str
    finding: Finding
    questions: tuple[str, ...] = ()


def classify(view: View) -> StratumFinding:
    """Central values decide where they can; else all values together, provisionally."""
    trial, basis = view.stay.trial, view.stay.plan.strata
    if basis.fleeting:
        return _classified(view)
    return view.remembered(("strata", trial.id), basis.turns, lambda: _classified(view), trial, *basis.given(view))


def _classified(view: View) -> StratumFinding:
    central = _place(View(view.stay, view.at, Laboratory.CENTRAL))
    whole = _place(view)
    decisive = view.stay.trial.stratum_requires == CENTRAL and central.stratum != INDETERMINATE
    place = central if decisive else whole
    local = any(item.laboratory == Laboratory.LOCAL for item in _numbers(view, place.finding.evidence))
    provisional = place.stratum != INDETERMINATE and local
    refused = provisional and view.stay.trial.stratum_requires == CENTRAL
    reading = _reading(view, place, refused=refused)
    changes = earliest((central.finding.changes, whole.finding.changes))
    return StratumFinding(
        stratum=place.stratum,
        provisional=provisional,
        reading=replace(reading, changes=changes),
        evidence=place.finding.evidence,
        flags=unique((*place.finding.flags, *_near(view, place.finding.evidence))),
        questions=place.questions,
    )


def _place(view: View) -> _Place:
    """The first stratum that holds; an unknown one stops the search: what comes after cannot be known either."""
    seen: list[Finding] = []
    for stratum in view.stay.trial.strata:
        finding = evaluate(stratum.met_when, view)
        seen.append(finding)
        if finding.truth is Truth.UNKNOWN:
            return _Place(INDETERMINATE, _together(Truth.UNKNOWN, seen))
        if finding.truth is Truth.MET:
            return _blocked(view, stratum, _together(Truth.MET, seen))
    return _Place(UNCLASSIFIED, _together(Truth.NOT_MET, seen))


def _together(truth: Truth, seen: list[Finding]) -> Finding:
    """The last finding decided; the values looked at on the way stay in evidence."""
    return replace(
        seen[-1],
        truth=truth,
        evidence=unique(item for finding in seen for item in finding.evidence),
        flags=unique(flag for finding in seen for flag in finding.flags),
        changes=earliest(finding.changes for finding in seen),
    )


def _blocked(view: View, stratum: Stratum, finding: Finding) -> _Place:
    """A block is a fact of the patient, whichever laboratory found it; an unknown one is a question, not a block."""
    if stratum.blocked_when is None:
        return _Place(stratum.id, finding)
    block = evaluate(stratum.blocked_when, replace(view, laboratory=None))
    changes = earliest((finding.changes, block.changes))
    if block.truth is Truth.MET:
        blocked = replace(finding, truth=Truth.NOT_MET, evidence=(*finding.evidence, *block.evidence), changes=changes)
        return _Place(stratum.blocked_as, blocked)
    asked = block.evidence if block.truth is Truth.UNKNOWN else ()
    return _Place(stratum.id, replace(finding, evidence=(*finding.evidence, *asked), changes=changes), block.asks)


def _reading(view: View, place: _Place, *, refused: bool) -> Reading:
    """As the fact `stratum.assigned`; while the trial asks for the central laboratory, a local value answers nothing."""
    concepts = view.stay.plan.measured
    if refused:
        ask = f"Ask for central {' and '.join(named(concept) for concept in concepts)}"
        lacking = _unmeasured(replace(view, laboratory=Laboratory.CENTRAL), concepts)
        return Reading(evidence=place.finding.evidence, asks=(ask,), missing=lacking)
    word = None if place.finding.truth is Truth.UNKNOWN else place.finding.truth is Truth.MET
    missing = place.finding.missing
    others = [concept for concept in _unmeasured(view, concepts) if concept not in missing] if missing else []
    asks = (*place.finding.asks, *(f"Ask for {named(concept)}" for concept in others))
    return Reading(word=word, evidence=place.finding.evidence, asks=asks, missing=(*missing, *others))


def _unmeasured(view: View, concepts: tuple[str, ...]) -> tuple[str, ...]:
    """Concepts of which the view holds no result at all: ask for all of them at once."""
    return tuple(concept for concept in concepts if not view.measured(concept))


def _numbers(view: View, evidence: Iterable[Evidence]) -> list[Evidence]:
    concepts = view.stay.plan.measured
    return [item for item in evidence if item.concept in concepts]


def _near(view: View, evidence: tuple[Evidence, ...]) -> tuple[str, ...]:
    """A value within the assay's noise round a threshold (clinical 1.3): the rule stands, a person should look."""
    for stratum in view.stay.trial.strata:
        for rule in comparisons(stratum.met_when):
            values = _values(view, rule.fact.removesuffix(".latest"), evidence)
            if isinstance(rule.value, Fraction) and any(_is_near(view, value, rule.value) for value in values):
                return (NEAR_THRESHOLD,)
    return ()


def _values(view: View, concept: str, evidence: tuple[Evidence, ...]) -> list[Fraction]:
    """Of the results of the concept that are in evidence, whichever laboratory they came from."""
    told = view.stay.chart.series(concept).told
    shown = {(instant(item.effective), item.identity) for item in evidence}
    found = [i.observation for time, identity in shown for i in told.between(time, time) if _is(i, identity)]
    return [o.quantity.value for o in found if o.quantity is not None]


def _is(item: Timed, identity: str) -> bool:
    return item.identity == identity


def _is_near(view: View, value: Fraction, threshold: Fraction) -> bool:
    return abs(value - threshold) <= threshold * view.stay.trial.parameters.near_threshold
