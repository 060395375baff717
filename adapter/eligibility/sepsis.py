"""Sepsis-3 as the trial reads it: the SOFA total and its increase, in their context, and what is missing for them."""

from adapter.domain.assessment import Baseline, Evidence, SofaScore
from adapter.domain.trial import Comparison
from adapter.eligibility.finding import Reading, unique, whole_interval
from adapter.eligibility.newest import named
from adapter.eligibility.view import View

INPUTS = {
    "respiration": ("pao2", "fio2"),
    "coagulation": ("platelets",),
    "liver": ("bilirubin",),
    "cardiovascular": ("map",),
    "cns": ("gcs-total",),
    "renal": ("creatinine",),
}
"""What to ask for when an organ is missing."""
MISSING_READS = tuple(concept for inputs in INPUTS.values() for concept in inputs)
NO_VISIT_ASK = "No visit is known: was the patient admitted with infection through emergency, or already in hospital?"
BASELINE_ASK = "The SOFA before the infection is not on record: did it rise by the points the protocol asks for?"
COLUMNS_ASK = "The two unit columns of the SOFA table give other points for {}: which one counts?"


def given(view: View) -> object:
    """What the facts of the score rest on, beside what is asked for when an organ is missing."""
    return tuple(view.sofa.organs.values()), view.baseline, view.context


def sofa_total(view: View, comparison: Comparison) -> Reading:
    applies = _applies(view, comparison)
    if applies is False:
        return Reading(applies=False)
    sofa = view.sofa
    return Reading(
        intervals=(whole_interval(sofa.low, sofa.high),),
        assumed=whole_interval(_settled(sofa), None) if _disputed(sofa) else None,
        applies=applies,
        evidence=sofa_evidence(sofa),
        flags=sofa_flags(sofa),
        asks=_asks(view),
        missing=missing_inputs(view),
    )


def sofa_increase(view: View, comparison: Comparison) -> Reading:
    """Ends by interval arithmetic; an organ not measured at admission is taken as normal only as an assumption."""
    applies = _applies(view, comparison)
    if applies is False:
        return Reading(applies=False)
    sofa, before = view.sofa, view.baseline
    known = before.low if before else 0
    return Reading(
        intervals=(whole_interval(None if before is None else sofa.low - before.high, sofa.high - known),),
        assumed=whole_interval(_settled(sofa) - known, None),
        applies=applies,
        evidence=sofa_evidence(sofa),
        flags=sofa_flags(sofa),
        asks=unique((*_baseline_ask(view, before), *_asks(view))),
        missing=missing_inputs(view),
    )


def _disputed(sofa: SofaScore) -> tuple[str, ...]:
    """Organs whose points depend on the unit column, which only a person can choose (clinical 2.3)."""
    return tuple(name for name, organ in sofa.organs.items() if organ.settled is not None)


def _settled(sofa: SofaScore) -> int:
    """The low end, were the column with more points chosen."""
    return sum(organ.low if organ.settled is None else organ.settled for organ in sofa.organs.values())


def _applies(view: View, comparison: Comparison) -> bool | None:
    if comparison.context is None:
        return True
    return view.context == comparison.context if view.context else None


def _asks(view: View) -> tuple[str, ...]:
    missing, disputed = missing_inputs(view), _disputed(view.sofa)
    return (
        *(() if view.context else (NO_VISIT_ASK,)),
        *([COLUMNS_ASK.format(", ".join(named(INPUTS[organ][0]) for organ in disputed))] if disputed else []),
        *([f"For SOFA, ask for {', '.join(named(c) for c in missing)}"] if missing else []),
    )


def _baseline_ask(view: View, before: Baseline | None) -> tuple[str, ...]:
    if not view.context or (before is not None and before.low == before.high):
        return ()
    return (BASELINE_ASK,)


def missing_inputs(view: View) -> tuple[str, ...]:
    """The concepts whose absence leaves organs missing."""
    window = view.stay.trial.parameters.sofa_window
    wanted: list[str] = []
    for organ in view.sofa.missing:
        absent = [c for c in INPUTS[organ] if not view.measured(c, window)]
        wanted.extend(absent or INPUTS[organ][:1])
    return tuple(wanted)


def sofa_evidence(sofa: SofaScore) -> tuple[Evidence, ...]:
    """The values of the organs that score."""
    return unique(item for organ in sofa.organs.values() if organ.score for item in organ.evidence)


def sofa_flags(sofa: SofaScore) -> tuple[str, ...]:
    return unique(flag for organ in sofa.organs.values() for flag in organ.flags)
