"""The circulation: catecholamines that ran for an hour, else the lowest sustained mean arterial pressure."""

from collections.abc import Iterator
from fractions import Fraction

from adapter.domain.assessment import OrganScore, OrganStatus
from adapter.domain.patient import Window
from adapter.domain.quantity import decimal_text
from adapter.scoring.chart import Chart
from adapter.scoring.finding import Finding, worst
from adapter.scoring.infusions import doses
from adapter.scoring.machines import machines
from adapter.scoring.options import ScoringOptions
from adapter.scoring.pressure import NOT_SUSTAINED, lowest_sustained
from adapter.scoring.thresholds import HEART_BYPASS, MAP

MECHANICAL = "mechanical_circulatory_support"


def cardiovascular(chart: Chart, window: Window, options: ScoringOptions) -> OrganScore:
    """Missing without a pressure and without a drug: a pump that is off says nothing of the pressure."""
    flags: list[str] = []
    return worst([*doses(chart, window, options, flags), *pressures(chart, window, flags)], flags)


def pressures(chart: Chart, window: Window, flags: list[str]) -> Iterator[Finding]:
    """The lowest sustained one; what was lower for a moment is only flagged, as is a machine in the heart's place."""
    pressure, single = lowest_sustained(chart, window)
    if pressure is not None:
        points = MAP.points(pressure.value)
        status = OrganStatus.DERIVED if pressure.flags else OrganStatus.MEASURED
        note, rule = f"MAP {decimal_text(Fraction(pressure.value))} mm[Hg]", MAP.rule(points)
        yield Finding(points, points, points, pressure.basis, rule, note, status=status, flags=pressure.flags)
        if single is not None and MAP.points(single.value) > points:
            flags.append(NOT_SUSTAINED)
    if machines(chart, "circulatory-support", window, HEART_BYPASS):
        flags.append(MECHANICAL)
