"""Organs that may have failed long before: a diagnosis on record for an organ that scores (clinical 2.9); only ever a flag."""

from collections.abc import Iterable
from datetime import datetime

from adapter.domain.assessment import SofaScore
from adapter.domain.condition import Condition, ConditionStatus, standing

CHRONIC = "chronic_dysfunction_possible"
ICD_10 = {
    "renal": ("N186", "Z992"),
    "liver": ("K74",),
    "coagulation": ("D69",),
    "respiration": ("J961", "Z9981"),
}
"""End-stage kidney disease and dialysis; fibrosis and cirrhosis; thrombocytopenia and purpura; chronic respiratory failure
and oxygen at home. Beginnings of codes, without the dot (clinical 2.9)."""


def chronic_flag(conditions: tuple[Condition, ...], sofa: SofaScore, at: datetime) -> tuple[str, ...]:
    """A code is no proof that the organ's points are old, and no code is no proof that they are new."""
    scoring = [name for name, organ in sofa.organs.items() if organ.score] if conditions else []
    beginnings = tuple(start for name in scoring for start in ICD_10.get(name, ()))
    return (CHRONIC,) if beginnings and any(code.startswith(beginnings) for code in _known(conditions, at)) else ()


def _known(conditions: Iterable[Condition], at: datetime) -> list[str]:
    active = (
        one for one in standing(one for one in conditions if one.at <= at) if one.status is ConditionStatus.ACTIVE
    )
    return [one.code.replace(".", "").upper() for one in active if one.system.startswith("icd-10")]
