"""Each criterion's answer: a person's where one has answered, else the machine's; unknown is never "no"."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from adapter.domain.assessment import CriterionResult, Evidence
from adapter.domain.patient import Determination, PatientState
from adapter.domain.trial import CONSENTED, ON_STUDY, Criterion, Needs, Trial
from adapter.domain.truth import Truth
from adapter.eligibility.finding import Finding, earliest, unique
from adapter.eligibility.rules import evaluate
from adapter.eligibility.view import View


def determinations_of(
    trial: Trial, state: PatientState, since: datetime | None, at: datetime
) -> Mapping[str, Determination]:
    """The newest answer to each criterion of this trial, given in this episode and not in the future."""
    said = (*state.determinations, *_consents(trial, state))
    told = [d for d in said if d.trial == trial.id and d.at <= at and (since is None or d.at >= since)]
    return {d.criterion: d for d in sorted(told, key=lambda d: (d.at, d.digest))}


def _consents(trial: Trial, state: PatientState) -> Iterator[Determination]:
    """Whoever sets the status says that there is a consent."""
    asked = trial.parameters.consent_criterion
    for one in state.decisions if asked else ():
        if one.status in (CONSENTED, ON_STUDY):
            yield Determination(one.trial, asked, Truth.MET, one.at, one.by, one.note, one.digest)


@dataclass(frozen=True, slots=True)
class Answered:
    """What the machine found of a criterion, and its result with the person's answer over it."""

    finding: Finding
    result: CriterionResult


def answered(criterion: Criterion, view: View, determination: Determination | None) -> Answered:
    """Asked again only when something it rests on has changed; where there is no rule, once for all patients."""
    plan = view.stay.plan
    if determination is None and criterion.id in plan.unasked:
        known: Answered = plan.unasked[criterion.id]
        return known
    basis = plan.criteria[criterion.id]
    if (criterion.met_when is None and criterion.suggested_when is None) or basis.fleeting:
        found = _asked(criterion, view, determination)
        if determination is None and not basis.fleeting:
            plan.unasked[criterion.id] = found
        return found
    given = (criterion, view.stay.trial.parameters, determination, *basis.given(view))
    question = ("criterion", view.stay.trial.id, criterion.id)
    return view.remembered(question, basis.turns, lambda: _asked(criterion, view, determination), *given)


def _asked(criterion: Criterion, view: View, determination: Determination | None) -> Answered:
    return answer_of(criterion, view, finding_of(criterion, view), determination)


def answer_of(criterion: Criterion, view: View, finding: Finding, determination: Determination | None) -> Answered:
    """What is laid before a person is looked at again when it changes, as what answers is."""
    laid = suggestion_of(criterion, view)
    if laid is not None and laid.changes is not None:
        finding = replace(finding, changes=earliest((finding.changes, laid.changes)))
    return Answered(finding, result_of(criterion, finding, determination, laid))


def finding_of(criterion: Criterion, view: View) -> Finding:
    """What the machine may say: met or not met by its own rule, else unknown with what suggests it (decisions A3)."""
    if criterion.met_when is not None:
        return evaluate(criterion.met_when, view)
    if criterion.needs is Needs.NOTHING:
        return Finding(Truth.MET)
    return Finding(Truth.UNKNOWN, person=True)


def suggestion_of(criterion: Criterion, view: View) -> Finding | None:
    """What is laid before whoever answers."""
    return evaluate(criterion.suggested_when, view) if criterion.suggested_when else None


def result_of(
    criterion: Criterion,
    finding: Finding,
    determination: Determination | None,
    suggested: Finding | None,
) -> CriterionResult:
    """`unknown` from a person is "looked, still unknown": it takes an earlier answer back and leaves the machine's."""
    answer = finding.truth
    if determination is not None and determination.answer is not Truth.UNKNOWN:
        answer = determination.answer
    evidence = unique((*finding.evidence, *_laid(suggested)))
    open_question = answer is Truth.UNKNOWN
    return CriterionResult(
        id=criterion.id,
        kind=criterion.kind,
        text=criterion.text,
        answer=answer,
        needs=_needs(criterion, finding) if open_question else Needs.NOTHING,
        ask=_ask(criterion, finding) if open_question else "",
        evidence=evidence,
        certain=not open_question,
        determined_by=determination.by if determination else "",
        note=determination.note if determination else "",
        rule=criterion.rule,
        source=criterion.source,
    )


def _laid(suggested: Finding | None) -> tuple[Evidence, ...]:
    """What suggests it; and what might, were something known that is missing: a dose without a weight is still a dose."""
    if suggested is None or suggested.truth is Truth.NOT_MET:
        return ()
    return suggested.evidence if suggested.truth is Truth.MET or suggested.missing else ()


def _needs(criterion: Criterion, finding: Finding) -> Needs:
    return Needs.PERSON if finding.person or criterion.needs is not Needs.DATA else Needs.DATA


def _ask(criterion: Criterion, finding: Finding) -> str:
    """What the data lack, then the protocol's own question."""
    asks = [*finding.asks, criterion.ask] if criterion.ask else list(finding.asks)
    return "; ".join(dict.fromkeys(ask for ask in asks if ask))
