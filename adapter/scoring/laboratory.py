"""Organs that one laboratory value decides: coagulation by platelets, liver by bilirubin, the kidney's creatinine."""

from dataclasses import replace

from adapter.domain.assessment import OrganScore
from adapter.domain.observation import Observation
from adapter.domain.patient import Window
from adapter.domain.quantity import Quantity
from adapter.scoring.chart import Chart, Timed
from adapter.scoring.finding import CENSORED, Finding, beside, worst
from adapter.scoring.ladder import Ladder
from adapter.scoring.options import ScoringOptions
from adapter.scoring.thresholds import BILIRUBIN, PLATELETS, Columns

NATIVE_TABLE, CONVERTED = "native_table", "converted"
CLUMPS = "platelet_clumps"


def coagulation(chart: Chart, window: Window, _options: ScoringOptions, platelets: Ladder = PLATELETS) -> OrganScore:
    """Platelets: the same numbers in both unit columns. Clumps make a count too low: what it scores is the most it may be."""

    def read(item: Timed) -> Finding:
        found = _finding(item.observation, platelets, item.observation.quantity)
        return replace(found, low=0) if CLUMPS in item.observation.flags else found

    items = chart.series("platelets").within(window)
    return worst([item.said(platelets.source, read) for item in items if item.observation.quantity is not None])


def liver(chart: Chart, window: Window, options: ScoringOptions, bilirubin: Columns = BILIRUBIN) -> OrganScore:
    """Total bilirubin."""
    return worst(by_column(chart, window, "bilirubin", bilirubin, options.unit_policy))


def by_column(chart: Chart, window: Window, concept: str, columns: Columns, policy: str) -> list[Finding]:
    """A value reported in SI units is read in the printed SI column, and converted beside it (clinical D9)."""

    def read(item: Timed) -> Finding:
        return _in_columns(item.observation, columns, policy)

    items = chart.series(concept).within(window)
    question = (policy, columns.conventional.source)
    return [item.said(question, read) for item in items if item.observation.quantity is not None]


def _in_columns(one: Observation, columns: Columns, policy: str) -> Finding:
    conventional = _finding(one, columns.conventional, one.quantity)
    si = in_si(one.native, columns)
    if si is None or policy == CONVERTED:
        return conventional
    printed = _finding(one, columns.si, si)
    if policy != NATIVE_TABLE:
        return printed
    return beside(printed, conventional.score, conventional.low, conventional.high)


def in_si(native: Quantity | None, columns: Columns) -> Quantity | None:
    """The value in the SI column's unit, if it was reported in an SI unit."""
    factor = columns.si_units.get(native.unit) if native is not None else None
    if native is None or factor is None:
        return None
    return Quantity(native.value * factor, columns.si.unit, native.comparator)


def _finding(one: Observation, ladder: Ladder, quantity: Quantity | None) -> Finding:
    """A bound such as "<150" scores what is certain of it, and keeps what is possible as its high end."""
    low, high = ladder.span(quantity) if quantity is not None else (0, 0)
    flags = () if low == high else (CENSORED,)
    return Finding(low, low, high, (one,), ladder.rule(low), flags=flags)
