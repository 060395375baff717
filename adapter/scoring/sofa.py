"""SOFA (Vincent 1996 as printed in Sepsis-3): six organs at a moment, each the worst of 24 hours, with its interval."""

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction

from adapter.domain.assessment import OrganScore, SofaScore
from adapter.domain.patient import PatientState, Window
from adapter.scoring.cardiovascular import cardiovascular
from adapter.scoring.chart import Chart, chart_of, window_to
from adapter.scoring.cns import cns
from adapter.scoring.laboratory import coagulation, liver
from adapter.scoring.options import ScoringOptions
from adapter.scoring.renal import renal
from adapter.scoring.respiration import respiration
from adapter.scoring.thresholds import WINDOW, WINDOW_HOURS
from adapter.scoring.turns import Turns, drug_turns, organ_turns
from adapter.scoring.vasoactives import equivalent

Organ = Callable[[Chart, Window, ScoringOptions], OrganScore]
SCORED_BY: dict[str, Organ] = {
    "respiration": respiration,
    "coagulation": coagulation,
    "liver": liver,
    "cardiovascular": cardiovascular,
    "cns": cns,
    "renal": renal,
}


def score(state: PatientState | Chart, at: datetime, options: ScoringOptions) -> SofaScore:
    """The score over `(at - 24 h, at]` by effective time (clinical D7); results dated after `at` are not known yet."""
    chart, window = chart_of(state), window_to(at, WINDOW)
    turns = organ_turns(options)
    found = {name: _remembered(chart, name, window, options, turns[name]) for name in SCORED_BY}
    return SofaScore(at, WINDOW_HOURS, found, _equivalent(chart, window, options))


def _equivalent(chart: Chart, window: Window, options: ScoringOptions) -> Fraction | None:
    turns = drug_turns(options)
    return chart.remembered("equivalent", window.end, turns, lambda: equivalent(chart, window, options), options)


def _remembered(chart: Chart, name: str, window: Window, options: ScoringOptions, turns: Turns) -> OrganScore:
    """An organ is scored again only when there is news of it, or at the next turn of what it rests on."""
    return chart.remembered(name, window.end, turns, lambda: SCORED_BY[name](chart, window, options), options)


def organs(chart: Chart, window: Window, options: ScoringOptions) -> dict[str, OrganScore]:
    """Over a window of any length."""
    return {name: scored(chart, window, options) for name, scored in SCORED_BY.items()}
