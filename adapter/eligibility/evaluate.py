"""A trial against a patient at a moment: the assessment with everything it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from adapter.domain.assessment import Assessment, CriterionResult, Evidence, Sepsis, evidence_of
from adapter.domain.encounter import EncounterAction
from adapter.domain.follow_up import FollowUp
from adapter.domain.onset import Onset
from adapter.domain.overlay import POSSIBLE_OVERLAY, overlaid
from adapter.domain.patient import Decision, Determination, PatientState
from adapter.domain.trial import Criterion, Needs, Trial
from adapter.domain.truth import Truth
from adapter.eligibility.chronic import chronic_flag
from adapter.eligibility.clock import TimeLimit, next_turn, sepsis_found, time_limit_of
from adapter.eligibility.criteria import Answered, answer_of, answered, determinations_of, finding_of
from adapter.eligibility.deciding import deciding_tests
from adapter.eligibility.episode import (
    NEWER_VISIT,
    NO_VISIT,
    encounter_named,
    encounter_of,
    ended,
    episode_of,
    spoken_of,
)
from adapter.eligibility.finding import Finding, earliest, unique
from adapter.eligibility.follow_up import enrolled_in, follow_up, randomised
from adapter.eligibility.infection import infection_of
from adapter.eligibility.onset import onset_by, recorded, with_onset
from adapter.eligibility.plan import plan_of
from adapter.eligibility.sepsis import missing_inputs
from adapter.eligibility.strata import StratumFinding, classify
from adapter.eligibility.verdict import certainty_of, is_shown, verdict_of
from adapter.eligibility.view import Stay, View, instant
from adapter.scoring.chart import Chart, Timed, chart_of
from adapter.scoring.options import ScoringOptions

BESIDE_THE_VERDICT = (
    *("ferritin", "mhladr", "neutrophils", "lactate", "crp", "procalcitonin"),
    *("sars-cov-2", "culture-organism", "pregnancy-test", "code-status"),
)
"""Concepts a reader wants to see whatever the verdict."""
MARKS = {"test": "test-patient", "opt_out": "opt-out"}
"""What a patient's description says → flag of the assessment."""
AS_RANDOMISED = "as-of-randomisation"
"""The flag of an assessment that looks no further."""
DELETED = "record-deleted"
"""The flag of a patient whose record the hospital deleted (A29) and of whom nobody has spoken anew."""


def assess(  # noqa: PLR0913 — one call says all an assessment rests on
    trial: Trial,
    source: PatientState | Chart,
    at: datetime,
    *,
    options: ScoringOptions,
    rulebook: str,
    episode: str | None = None,
) -> Assessment:
    """Cannot fail on data: what is missing stays unknown. No result, answer or decision dated after `at` is used.

    `episode` names a visit other than the present one: one that people were told of and that may have ended since. Of whom
    was randomised all is as it was then: what came later could tell the treatment (reliability P11); but for `follow_up`.
    """
    chart = chart_of(source)
    named = episode or enrolled_in(trial, chart.state, at, options) or episode_of(encounter_of(chart, instant(at)))
    began = randomised(trial, chart.state, named, at)
    seen_at = began or at
    blinded = seen_at < at
    case = _case(trial, chart, instant(seen_at), options, named if blinded and named != NO_VISIT else episode)
    over = case.over or _over(case.view.stay, instant(at))
    after = None if began is None else follow_up(trial, chart, began, instant(at), options)
    decision = _decision(trial, chart.state, named, at)
    verdict = verdict_of(trial, case.results.values(), passed=case.limit.passed(seen_at))
    return Assessment(
        patient=chart.state.patient,
        trial=trial.id,
        episode=named,
        at=at,
        verdict=verdict,
        certainty=certainty_of(trial, case.results),
        stratum=case.stratum.stratum,
        shown=not over and is_shown(trial, verdict, case.results, emergency=case.emergency),
        sofa=case.view.sofa,
        sepsis=_sepsis(case),
        criteria=tuple(case.results.values()),
        missing=_missing(case),
        questions=_questions(case),
        rulebook=rulebook,
        provisional=case.stratum.provisional,
        flags=_flags(case, trial, seen_at, blinded=blinded),
        stratum_evidence=case.stratum.evidence,
        encounter=case.view.stay.encounter,
        status=decision.status if decision else "",
        decided_at=decision.at if decision else None,
        review_at=_next_look(None if over or blinded else _review_at(case), after),
        deciding=deciding_tests(trial, case.view, case.results, case.findings),
        facts=_facts(case.view),
        follow_up=after,
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """What was found on the way to a verdict."""

    view: View
    onset: Onset
    limit: TimeLimit
    stratum: StratumFinding
    findings: Mapping[str, Finding]
    results: Mapping[str, CriterionResult]
    marks: tuple[str, ...]
    """`test-patient`, `opt-out` by the site's rule (the latter closes every gate to an EDC), `record-deleted`, `newer-visit`."""
    over: bool

    @property
    def emergency(self) -> bool:
        encounter = self.view.stay.encounter
        return encounter is not None and encounter.started_in_emergency


def _case(trial: Trial, chart: Chart, at: datetime, options: ScoringOptions, episode: str | None) -> _Case:
    state = chart.state
    encounter = encounter_of(chart, at) if episode is None else encounter_named(chart, episode, at)
    told = with_onset(trial, determinations_of(trial, state, encounter.admitted if encounter else None, at))
    stay = Stay(trial, plan_of(trial), chart, options, encounter, None)
    infection = infection_of(View(stay, at), recorded(trial, told))
    if infection is not None:
        stay = replace(stay, infection=infection.at, infection_basis=infection.basis, suspected=infection.since)
    onset = onset_by(stay, told, at)
    limit = time_limit_of(trial, onset.at)
    stratum = classify(View(stay, at))
    view = View(stay, at, stratum=stratum.reading, time_limit=limit.reading(at))
    answers = {c.id: _answered(c, view, limit.onset, told.get(c.id)) for c in trial.criteria}
    findings = {criterion: answer.finding for criterion, answer in answers.items()}
    results = {criterion: answer.result for criterion, answer in answers.items()}
    marks = _marks(stay, superseded=episode is not None and _superseded(stay, at))
    return _Case(view, onset, limit, stratum, findings, results, marks, over=bool(marks) or _over(stay, at))


def _flags(case: _Case, trial: Trial, seen_at: datetime, *, blinded: bool) -> tuple[str, ...]:
    warnings, doubts = case.limit.warning(seen_at), _doubts(trial, case.view.stay.state)
    as_then = (AS_RANDOMISED,) if blinded else ()
    return unique((*case.stratum.flags, *warnings, *case.marks, *as_then, *doubts, *chronic_flag(case.view)))


def _doubts(trial: Trial, state: PatientState) -> tuple[str, ...]:
    """Two persons may stand under one number."""
    answers = (said for said in state.determinations if said.trial == trial.id)
    return (POSSIBLE_OVERLAY,) if overlaid(state.demographics, answers) else ()


def _marks(stay: Stay, *, superseded: bool) -> tuple[str, ...]:
    """What takes a patient out of the search whatever the record says (reliability C19, C20)."""
    said = stay.state.demographics
    marked = sorted(flag for name, flag in MARKS.items() if said.get(name) == "yes")
    return (*marked, *[DELETED] * _deleted(stay.state), *[NEWER_VISIT] * superseded)


def _deleted(state: PatientState) -> bool:
    """An admission told later speaks of the person again (A01, A04; A28 and A31 state it)."""
    said = state.demographics.fields.get("deleted")
    if said is None or said.value != "yes":
        return False
    admitted = (one.sender_time for one in state.statements if one.action is EncounterAction.ADMIT)
    return not any(at is not None and at > said.at for at in admitted)


def _superseded(stay: Stay, at: datetime) -> bool:
    """Another visit is the present one: a patient lies in one bed, whether or not the discharge from the other was told."""
    present = encounter_of(stay.chart, at)
    return stay.encounter is not None and present is not None and present.visit != stay.encounter.visit


def _over(stay: Stay, at: datetime) -> bool:
    """Discharged, died, never admitted after all, or known by now under a visit: nobody is left to be asked."""
    if stay.state.demographics.get("died"):
        return True
    if stay.encounter is None:
        return spoken_of(stay.chart, at)
    return stay.encounter.cancelled or ended(stay.encounter, at)


def _answered(criterion: Criterion, view: View, onset: datetime | None, told: Determination | None) -> Answered:
    """Sepsis once found stays found for the episode: its evidence is that of the onset, of which time alone changes nothing."""
    if criterion.id != view.stay.trial.parameters.sepsis_criterion or criterion.met_when is None:
        return answered(criterion, view, told)
    began = _begun(criterion, view.stay, onset) if onset is not None else None
    if began is not None and began.truth is Truth.MET:
        found = replace(began, changes=None)
    else:
        found = sepsis_found(criterion, view)
    return answer_of(criterion, view, found, told)


def _begun(criterion: Criterion, stay: Stay, onset: datetime) -> Finding:
    """What the criterion found at the onset; results of that time or before may change it, later ones may not."""
    began, basis = View(stay, onset, kept=True), stay.plan.criteria[criterion.id]
    if basis.fleeting:
        return finding_of(criterion, began)
    question, given = ("began", stay.trial.id, stay.admitted), (criterion, stay.trial.parameters, *basis.given(began))
    return stay.chart.memory.settled(question, onset, basis.concepts, lambda: finding_of(criterion, began), *given)


def _sepsis(case: _Case) -> Sepsis:
    """Context and baseline as they were when sepsis began; the increase is today's."""
    view, onset = case.view, case.limit.onset
    began = view if onset is None else View(view.stay, onset, kept=True)
    before = began.baseline
    return Sepsis(
        context=began.context,
        baseline=before,
        increase_low=None if before is None else view.sofa.low - before.high,
        increase_high=None if before is None else view.sofa.high - before.low,
        infection=view.stay.infection,
        onset=onset,
        onset_computed=case.onset.computed,
        onset_by=case.onset.by,
        onset_reason=case.onset.reason,
        deadline=case.limit.deadline,
        infection_basis=view.stay.infection_basis,
        provisional=view.stay.infection is None,
        onset_low=None if onset is None else began.sofa.low,
        onset_high=None if onset is None else began.sofa.high,
    )


def _missing(case: _Case) -> tuple[str, ...]:
    """Concepts that would settle what is unknown: the stratum's first, then those of organs without a score."""
    parameters = case.view.stay.trial.parameters
    first = (parameters.stratum_criterion, *case.results)
    wanted = (case.findings[i] for i in first if case.results[i].needs is Needs.DATA)
    return unique((*(concept for finding in wanted for concept in finding.missing), *missing_inputs(case.view)))


def _questions(case: _Case) -> tuple[str, ...]:
    """What data would settle, then what the record suggests, then what only a person knows."""
    still = [result for result in case.results.values() if result.answer is Truth.UNKNOWN and result.ask]
    ordered = sorted(still, key=lambda r: (r.needs is not Needs.DATA, not r.evidence))
    asked = [f"{result.id}: {result.ask}" for result in ordered]
    return unique((*asked, *case.stratum.questions))


def _decision(trial: Trial, state: PatientState, episode: str, at: datetime) -> Decision | None:
    """What a person decided last."""
    known = [decision for decision in state.decided(trial.id, episode) if decision.at <= at]
    return known[-1] if known else None


def _next_look(review_at: datetime | None, after: FollowUp | None) -> datetime | None:
    """A study day ends whether or not the patient is still in the house."""
    return earliest((review_at, None if after is None else after.next_at))


def _review_at(case: _Case) -> datetime | None:
    """The next moment at which time alone may change anything here."""
    stay, at = case.view.stay, case.view.at
    dated = (
        *(statement.at for statement in stay.state.statements),
        *(determination.at for determination in stay.state.determinations),
        *(decision.at for decision in stay.state.decisions),
        *(condition.at for condition in stay.state.conditions),
    )
    return earliest(
        (
            *(finding.changes for finding in case.findings.values()),
            *(moment for moment in dated if moment > at),
            case.stratum.reading.changes,
            case.limit.next_mark(at),
            next_turn(stay, at),
        )
    )


def _facts(view: View) -> Mapping[str, Evidence]:
    told = {concept: view.stay.chart.series(concept).told.last(view.at) for concept in BESIDE_THE_VERDICT}
    return {concept: item.said("evidence", _shown) for concept, item in told.items() if item is not None}


def _shown(item: Timed) -> Evidence:
    return evidence_of(item.observation)
