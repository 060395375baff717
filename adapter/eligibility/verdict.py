"""From criteria to verdict, certainty and who is shown (decisions A1, A2)."""

from collections.abc import Iterable, Mapping

from adapter.domain.assessment import Certainty, CriterionResult, Verdict
from adapter.domain.trial import CriterionKind, Needs, Trial
from adapter.domain.truth import Truth
from adapter.eligibility.plan import plan_of


def stands_against(result: CriterionResult) -> bool:
    """An inclusion criterion that is not met, or an exclusion criterion that is."""
    wrong = Truth.NOT_MET if result.kind is CriterionKind.INCLUSION else Truth.MET
    return result.answer is wrong


def verdict_of(trial: Trial, results: Iterable[CriterionResult], *, passed: bool) -> Verdict:
    """The criterion of the clock is read as `expired`, never as `not-candidate`, unless a person answered it."""
    results = tuple(results)
    timed = plan_of(trial).timed
    on_time = {r.id for r in results if r.id in timed and r.determined_by and r.answer is Truth.MET}
    if any(stands_against(r) and (r.id not in timed or r.determined_by) for r in results):
        return Verdict.NOT_CANDIDATE
    if passed and not on_time:
        return Verdict.EXPIRED
    if any(r.answer is Truth.UNKNOWN and r.needs is Needs.DATA for r in results):
        return Verdict.INCOMPLETE
    return Verdict.CANDIDATE


def certainty_of(trial: Trial, results: Mapping[str, CriterionResult]) -> Certainty:
    """Certain if sepsis and stratum hold at every end of their intervals."""
    both = (results[trial.parameters.sepsis_criterion], results[trial.parameters.stratum_criterion])
    certain = all(result.answer is Truth.MET and result.certain for result in both)
    return Certainty.CERTAIN if certain else Certainty.POSSIBLE


def is_shown(trial: Trial, verdict: Verdict, results: Mapping[str, CriterionResult], *, emergency: bool) -> bool:
    """A candidate; or sepsis by the lower bound with a sign of infection: "ask for ferritin and mHLA-DR"."""
    if verdict is Verdict.CANDIDATE:
        return True
    if verdict is not Verdict.INCOMPLETE or results[trial.parameters.sepsis_criterion].answer is not Truth.MET:
        return False
    infection = results.get(trial.parameters.infection_criterion)
    return emergency or (infection is not None and (infection.answer is Truth.MET or bool(infection.evidence)))
