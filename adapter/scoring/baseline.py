"""The SOFA before: what "an increase of 2 or more" is counted from."""

from datetime import UTC, datetime, timedelta

from adapter.domain.assessment import Baseline, OrganScore
from adapter.domain.patient import PatientState, Window
from adapter.scoring.chart import Chart, chart_of
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import organs
from adapter.scoring.turns import SCORED


def admission_baseline(
    state: PatientState | Chart, admitted: datetime, end: datetime, options: ScoringOptions
) -> Baseline:
    """The admission SOFA: component maxima over `[admitted, end]`, from data of this stay alone (clinical 2.9).

    An organ nobody measured then may have been anything: it widens the interval by 4.
    """
    chart, until = chart_of(state), end.astimezone(UTC)
    return chart.memory.settled(
        "admission", until, SCORED, lambda: _worst(chart, admitted, end, options), admitted, end, options
    )


def _worst(chart: Chart, admitted: datetime, end: datetime, options: ScoringOptions) -> Baseline:
    first, last = admitted.astimezone(UTC), end.astimezone(UTC)
    stay = chart.between(first, last, SCORED)
    found = organs(stay, Window(last, last - first + timedelta.resolution), options)
    return Baseline(
        low=sum(organ.low for organ in found.values()),
        high=sum(organ.high for organ in found.values()),
        source=_source(admitted, end, found),
    )


def _source(admitted: datetime, end: datetime, found: dict[str, OrganScore]) -> str:
    source = f"admission SOFA, worst of {admitted.isoformat(timespec='minutes')} to {end.isoformat(timespec='minutes')}"
    missing = [name for name, organ in found.items() if organ.score is None]
    return f"{source}; not measured: {', '.join(missing)}" if missing else source
