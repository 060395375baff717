"""Organs that may have failed long before: a diagnosis on record for an organ that scores (clinical 2.9); only ever a flag."""

from adapter.domain.condition import ConditionStatus, standing
from adapter.eligibility.coded import diagnoses, listed
from adapter.eligibility.view import View

CHRONIC = "chronic_dysfunction_possible"
PREFIX = "chronic-"
"""The code set of an organ: `chronic-renal` of mappings/codesets/conditions.csv."""


def chronic_flag(view: View) -> tuple[str, ...]:
    """A code is no proof that the organ's points are old, and no code is no proof that they are new."""
    sets = view.stay.trial.parameters.chronic_codes if view.stay.state.conditions else {}
    scoring = [name for name, organ in view.sofa.organs.items() if organ.score] if sets else []
    codes = [code for name in scoring for code in sets.get(PREFIX + name, ())]
    active = (one for one in standing(diagnoses(view)) if one.status is ConditionStatus.ACTIVE)
    return (CHRONIC,) if codes and any(listed(one.system, one.code, codes) for one in active) else ()
