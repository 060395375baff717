"""The SOFA before: what "an increase of 2 or more" is counted from."""

from datetime import UTC, datetime, timedelta

from adapter.domain.assessment import Baseline, OrganScore
from adapter.domain.patient import PatientState, Window
from adapter.scoring.chart import Chart, chart_of
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import organs


def admission_baseline(
    state: PatientState | Chart, admitted: datetime, end: datetime, options: ScoringOptions
) -> Baseline:
    """The admission SOFA: component maxima over `[admitted, end]`, from data of this stay alone (clinical 2.9).

    An organ nobody measured then may have been anything: it widens the interval by 4.
    """
    chart, question = chart_of(state), ("admission", admitted.isoformat(), end.isoformat(), options)
    return chart.memory.recalled(question, end.astimezone(UTC), lambda: _worst(chart.state, admitted, end, options))


def _worst(state: PatientState, admitted: datetime, end: datetime, options: ScoringOptions) -> Baseline:
    first, last = admitted.astimezone(UTC), end.astimezone(UTC)
    chart = Chart(state, since=first)
    found = organs(chart, Window(last, last - first + timedelta.resolution), options)
    return Baseline(
        low=sum(organ.low for organ in found.values()),
        high=sum(organ.high for organ in found.values()),
        source=_source(admitted, end, found),
    )


def _source(admitted: datetime, end: datetime, found: dict[str, OrganScore]) -> str:
    source = f"admission SOFA, worst of {admitted.isoformat(timespec='minutes')} to {end.isoformat(timespec='minutes')}"
    missing = [name for name, organ in found.items() if organ.score is None]
    return f"{source}; not measured: {', '.join(missing)}" if missing else source
