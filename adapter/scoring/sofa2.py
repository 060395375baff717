"""SOFA-2 (JAMA 2025): the second score, shown beside SOFA; no criterion may ask for it (clinical D6).

Read as SOFA is read here: worst value of 24 hours, missing is an interval, the GCS before sedation. Not told in any feed we
read, so never scored: drugs against delirium, ceilings of treatment, and who would need renal replacement but has none.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache

from adapter.domain.assessment import OrganScore, SofaScore
from adapter.domain.patient import PatientState, Window
from adapter.scoring.cardiovascular import pressures
from adapter.scoring.chart import Chart, chart_of, window_to
from adapter.scoring.cns import cns
from adapter.scoring.diuresis import diuresis
from adapter.scoring.finding import Finding, worst
from adapter.scoring.laboratory import by_column, coagulation, liver
from adapter.scoring.machines import machines
from adapter.scoring.options import ScoringOptions
from adapter.scoring.respiration import Lung, respiration
from adapter.scoring.thresholds import HEART_BYPASS, LUNG_BYPASS, WINDOW, WINDOW_HOURS
from adapter.scoring.thresholds_sofa2 import (
    BILIRUBIN_2,
    CREATININE_2,
    GCS_2,
    MACHINE,
    PF_2,
    PLATELETS_2,
    SF_2,
    SUPPORT_2,
    TABLE_2,
)
from adapter.scoring.turns import OF_THE_DAY, WEIGHTS, Turns, drug_turns, organ_turns
from adapter.scoring.vasoactives import vasoactives

LUNG_2 = Lung(PF_2, SF_2, SUPPORT_2, surrogate_firm=True)


def score_2(state: PatientState | Chart, at: datetime, options: ScoringOptions) -> SofaScore:
    """Over `(at - 24 h, at]`, as `sofa.score`."""
    chart, window = chart_of(state), window_to(at, WINDOW)
    turns = turns_2(options)
    return SofaScore(at, WINDOW_HOURS, {name: _remembered(chart, name, window, options, turns) for name in turns})


def _remembered(
    chart: Chart, name: str, window: Window, options: ScoringOptions, turns: Mapping[str, Turns]
) -> OrganScore:
    return chart.remembered(
        f"SOFA-2 {name}", window.end, turns[name], lambda: _scored(chart, name, window, options), options
    )


@lru_cache(maxsize=64)
def turns_2(options: ScoringOptions) -> Mapping[str, Turns]:
    """As SOFA's; every vasoactive drug counts here, and urine counts by weight."""
    turns = organ_turns(options)
    return {
        **turns,
        "cardiovascular": {**turns["cardiovascular"], **drug_turns(options)},
        "renal": {**turns["renal"], **dict.fromkeys(WEIGHTS, OF_THE_DAY)},
    }


def _scored(chart: Chart, name: str, window: Window, options: ScoringOptions) -> OrganScore:
    match name:
        case "respiration":
            return _lung(chart, window, options)
        case "coagulation":
            return coagulation(chart, window, options, PLATELETS_2)
        case "liver":
            return liver(chart, window, options, BILIRUBIN_2)
        case "cardiovascular":
            return _heart(chart, window, options)
        case "cns":
            return cns(chart, window, options, GCS_2)
        case _:
            return _kidney(chart, window, options)


def _lung(chart: Chart, window: Window, options: ScoringOptions) -> OrganScore:
    bypassed = list(_machines(chart, window, "circulatory-support", "ECMO", LUNG_BYPASS))
    return worst(bypassed) if bypassed else respiration(chart, window, options, LUNG_2)


def _heart(chart: Chart, window: Window, options: ScoringOptions) -> OrganScore:
    flags: list[str] = []
    machine = _machines(chart, window, "circulatory-support", "mechanical circulatory support", HEART_BYPASS)
    return worst([*vasoactives(chart, window, options), *pressures(chart, window, flags), *machine], flags)


def _kidney(chart: Chart, window: Window, options: ScoringOptions) -> OrganScore:
    creatinine = by_column(chart, window, "creatinine", CREATININE_2, options.unit_policy)
    machine = _machines(chart, window, "renal-replacement", "renal replacement")
    return worst([*creatinine, *diuresis(chart, window), *machine])


def _machines(
    chart: Chart, window: Window, concept: str, called: str, kinds: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    for item in machines(chart, concept, window, kinds):
        yield Finding(MACHINE, MACHINE, MACHINE, (item.observation,), f"{called}: {MACHINE} ({TABLE_2})")
