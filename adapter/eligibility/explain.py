"""An assessment as the `explain` object (interfaces 4): why this patient is or is not a candidate."""

from datetime import datetime
from typing import Any

from adapter.domain.assessment import (
    Assessment,
    CriterionResult,
    DecidingTest,
    Evidence,
    OrganScore,
    Sepsis,
    SofaScore,
)
from adapter.domain.follow_up import DaySofa, FollowUp
from adapter.domain.quantity import decimal_text
from adapter.eligibility.telling import otherwise, says, would_change

SHOWN_ONLY = "shown beside SOFA; no criterion rests on it"


def as_json(assessment: Assessment, *, patient: str, software: str, sofa2: SofaScore | None = None) -> dict[str, Any]:
    """`patient` is a screening or worklist id, never a hospital's number; visit numbers are left out too.

    `sofa2` is SOFA-2 of the same moment: to be looked at, never asked by a criterion.
    """
    return {
        "patient": patient,
        "trial": assessment.trial,
        "at": assessment.at.isoformat(),
        "verdict": str(assessment.verdict),
        "certainty": str(assessment.certainty),
        "shown": assessment.shown,
        "status": assessment.status,
        "stratum": assessment.stratum,
        "stratum_provisional": assessment.provisional,
        "stratum_evidence": [evidence_json(item) for item in assessment.stratum_evidence],
        "sofa": _sofa(assessment),
        "sofa2": _sofa2(sofa2),
        "sepsis": _sepsis(assessment.sepsis, assessment.at),
        "criteria": [_criterion(result) for result in assessment.criteria],
        "missing": list(assessment.missing),
        "questions": list(assessment.questions),
        "deciding": [_deciding(test) for test in assessment.deciding],
        "flags": list(assessment.flags),
        "facts": {concept: evidence_json(item) for concept, item in assessment.facts.items()},
        "follow_up": _follow_up(assessment.follow_up),
        "encounter": _encounter(assessment),
        "review_at": _time(assessment.review_at),
        "rulebook": assessment.rulebook,
        "software": software,
    }


def evidence_json(item: Evidence) -> dict[str, Any]:
    """The canonical value, and what the source wrote."""
    return {
        "concept": item.concept,
        "value": item.value,
        "unit": item.unit,
        "effective": item.effective.isoformat(),
        "message": item.message,
        "original": {"value": item.original_value, "unit": item.original_unit},
        "laboratory": item.laboratory,
        "identity": item.identity,
        "note": item.note,
        "status": item.status,
    }


def _sofa(assessment: Assessment) -> dict[str, Any]:
    sofa = assessment.sofa
    return {
        "low": sofa.low,
        "high": sofa.high,
        "window_hours": sofa.window_hours,
        "norepinephrine_equivalent": None if sofa.equivalent is None else decimal_text(sofa.equivalent),
        "components": {name: _organ(name, organ) for name, organ in sofa.organs.items()},
    }


def _sofa2(sofa: SofaScore | None) -> dict[str, Any] | None:
    """Points and rules; the values are those of the first score."""
    if sofa is None:
        return None
    components = {
        name: {"score": o.score, "low": o.low, "high": o.high, "flags": list(o.flags), "rule": o.rule}
        for name, o in sofa.organs.items()
    }
    return {"low": sofa.low, "high": sofa.high, "use": SHOWN_ONLY, "components": components}


def _deciding(test: DecidingTest) -> dict[str, Any]:
    return {
        "criterion": test.criterion,
        "test": test.test,
        "always": test.always,
        "alone": test.alone,
        "says": test.says,
    }


def _organ(name: str, organ: OrganScore) -> dict[str, Any]:
    return {
        "score": organ.score,
        "low": organ.low,
        "high": organ.high,
        "status": str(organ.status),
        "flags": list(organ.flags),
        "evidence": [evidence_json(item) for item in organ.evidence],
        "rule": organ.rule,
        "says": says(name, organ),
        "otherwise": otherwise(name, organ),
    }


def _sepsis(sepsis: Sepsis, at: datetime) -> dict[str, Any]:
    before, left = sepsis.baseline, sepsis.hours_left(at)
    return {
        "context": sepsis.context,
        "baseline": None if before is None else {"low": before.low, "high": before.high, "source": before.source},
        "increase": None if before is None else {"low": sepsis.increase_low, "high": sepsis.increase_high},
        "infection": _time(sepsis.infection),
        "infection_basis": sepsis.infection_basis,
        "onset": _time(sepsis.onset),
        "onset_computed": _time(sepsis.onset_computed),
        "onset_by": sepsis.onset_by,
        "onset_reason": sepsis.onset_reason,
        "provisional": sepsis.provisional,
        "sofa_at_onset": _onset_sofa(sepsis),
        "deadline": _time(sepsis.deadline),
        "hours_left": None if left is None else round(left, 2),
    }


def _onset_sofa(sepsis: Sepsis) -> dict[str, Any] | None:
    return None if sepsis.onset_low is None else {"low": sepsis.onset_low, "high": sepsis.onset_high}


def _criterion(result: CriterionResult) -> dict[str, Any]:
    return {
        "id": result.id,
        "kind": str(result.kind),
        "text": result.text,
        "answer": str(result.answer),
        "needs": str(result.needs),
        "ask": result.ask,
        "evidence": [evidence_json(item) for item in result.evidence],
        "certain": result.certain,
        "determined_by": result.determined_by,
        "note": result.note,
        "rule": result.rule,
        "source": result.source,
        "otherwise": would_change(result),
    }


def _follow_up(after: FollowUp | None) -> dict[str, Any] | None:
    """Of somebody who was randomised: study days that are over."""
    if after is None:
        return None
    return {
        "randomised": after.randomised.isoformat(),
        "days": [_day(one) for one in after.days],
        "survival": [
            {
                "day": s.day.number,
                "date": s.day.date.isoformat(),
                "status": str(s.status),
                "known_by": _time(s.known_by),
            }
            for s in after.survival
        ],
        "next": _time(after.next_at),
    }


def _day(one: DaySofa) -> dict[str, Any]:
    organs = {name: _organ(name, organ) for name, organ in one.organs.items()}
    day, sofa = one.day, one.sofa
    ends = {"low": sofa.low, "high": sofa.high, "missing": list(sofa.missing), "carried": list(one.carried)}
    return {"day": day.number, "date": day.date.isoformat(), **ends, "components": organs}


def _encounter(assessment: Assessment) -> dict[str, Any] | None:
    visit = assessment.encounter
    if visit is None:
        return None
    return {
        "class": str(visit.encounter_class) if visit.encounter_class else None,
        "ward": visit.ward,
        "bed": visit.bed,
        "admitted": _time(visit.admitted),
        "discharged": _time(visit.discharged),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
