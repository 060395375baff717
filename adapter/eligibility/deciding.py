"""The deciding test: which single result would settle a criterion that waits for data, and at which value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from adapter.domain.assessment import Baseline, CriterionResult, DecidingTest, OrganScore, SofaScore
from adapter.domain.trial import Comparison, Criterion, Needs, Operator, Stratum, Trial
from adapter.domain.truth import Truth
from adapter.eligibility.finding import Finding
from adapter.eligibility.newest import named
from adapter.eligibility.phrases import in_words
from adapter.eligibility.rules import comparisons
from adapter.eligibility.sepsis import INPUTS
from adapter.eligibility.view import View
from adapter.scoring.ladder import Ladder
from adapter.scoring.thresholds import BILIRUBIN, CREATININE, GCS, MAP, PF, PLATELETS

TESTS: dict[str, Ladder] = {
    "coagulation": PLATELETS,
    "liver": BILIRUBIN.conventional,
    "renal": CREATININE.conventional,
    "cardiovascular": MAP,
    "cns": GCS,
    "respiration": PF.conventional,
}
"""The usual test of each organ; what is drawn or looked up sooner stands first."""
SOONER_ASKED = {
    "weight_missing": "weight",
    "creatinine_missing": "creatinine",
    "fio2_missing": "fio2",
    "respiratory_support_unknown": "respiratory-support",
}
"""What an organ with a score still waits for, by its flag."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What is compared with the protocol's points: the total, or its increase."""

    low: int
    high: int
    wanted: Fraction

    def settled(self, organ: OrganScore, points: int) -> Truth:
        """If the organ's points turned out to be these."""
        if self.low - organ.low + points >= self.wanted:
            return Truth.MET
        return Truth.NOT_MET if self.high - organ.high + points < self.wanted else Truth.UNKNOWN


def deciding_tests(
    trial: Trial, view: View, results: Mapping[str, CriterionResult], findings: Mapping[str, Finding]
) -> tuple[DecidingTest, ...]:
    """Of each criterion that waits for data; those that settle it whatever they say come first."""
    waiting = [r.id for r in results.values() if r.answer is Truth.UNKNOWN and r.needs is Needs.DATA]
    found: list[DecidingTest] = []
    for name in waiting:
        criterion, alone = trial.criterion(name), len(waiting) == 1
        if criterion is not None and name == trial.parameters.sepsis_criterion:
            found += _of_sepsis(criterion, view, alone=alone)
        else:
            found += _of_result(trial, name, findings[name].missing, alone=alone)
    return tuple(sorted(found, key=lambda test: not test.always))


def _of_result(trial: Trial, name: str, missing: tuple[str, ...], *, alone: bool) -> Iterator[DecidingTest]:
    """The only one missing settles it; the first of several may, by a rule that asks for nothing else."""
    told = _capital(named(missing[0])) if missing else ""
    if len(missing) == 1:
        yield DecidingTest(name, missing[0], always=True, alone=alone, says=f"{told} would settle {name}.")
    elif missing:
        how = _by_itself(trial, missing[0]) if name == trial.parameters.stratum_criterion else ""
        yield DecidingTest(name, missing[0], always=False, alone=alone, says=f"{told} may settle {name}{how}.")


def _by_itself(trial: Trial, concept: str) -> str:
    found = (s for s in trial.strata if _asks_only(s, concept))
    return next((f": {stratum.id} where {in_words(stratum.met_when)}" for stratum in found), "")


def _asks_only(stratum: Stratum, concept: str) -> bool:
    return {rule.fact for rule in comparisons(stratum.met_when)} == {f"{concept}.latest"}


def _of_sepsis(criterion: Criterion, view: View, *, alone: bool) -> Iterator[DecidingTest]:
    rules = comparisons(criterion.met_when) if criterion.met_when is not None else ()
    sums = [one for rule in rules if (one := _sum(rule, view.sofa, view.baseline, view.context)) is not None]
    if len(sums) != 1:
        return
    for organ, ladder in TESTS.items():
        stated = view.sofa.organs[organ]
        waits = next((SOONER_ASKED[flag] for flag in stated.flags if flag in SOONER_ASKED), None)
        possible = [p for p in sorted(ladder.words) if stated.low <= p <= stated.high]
        points = possible if waits is None else range(stated.low, stated.high + 1)
        truths = {p: sums[0].settled(stated, p) for p in points} if stated.low < stated.high else {}
        met = next((p for p, truth in truths.items() if truth is Truth.MET), None)
        always = bool(truths) and Truth.UNKNOWN not in truths.values()
        if met is not None or always:
            says = _says(criterion.id, ladder, met, always=always) if waits is None else _waited(criterion.id, waits)
            yield DecidingTest(criterion.id, waits or INPUTS[organ][0], always=always, alone=alone, says=says)


def _sum(rule: Comparison, sofa: SofaScore, before: Baseline | None, context: str) -> Sum | None:
    """The comparison that applies in this context, where its numbers are known."""
    applies = rule.operator is Operator.AT_LEAST and rule.context in {None, context}
    if not applies or not isinstance(rule.value, Fraction):
        return None
    if rule.fact == "sofa.total":
        return Sum(sofa.low, sofa.high, rule.value)
    if rule.fact == "sofa.increase" and before is not None:
        return Sum(sofa.low - before.high, sofa.high - before.low, rule.value)
    return None


def _waited(name: str, test: str) -> str:
    return f"{_capital(named(test))} is what the points already possible wait for: it may settle {name}."


def _says(name: str, ladder: Ladder, met: int | None, *, always: bool) -> str:
    if met is None:
        return f"{ladder.name} would settle {name} as not met, whatever it says."
    rest = "; any other settles it as not met" if always else ""
    return f"{ladder.rule(met)} would settle {name} as met{rest}."


def _capital(text: str) -> str:
    """Names that begin small by their own spelling (mHLA-DR) stay so."""
    return f"{text[:1].upper()}{text[1:]}" if text[:2].islower() else text
