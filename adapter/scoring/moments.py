"""The moments at which a score can change: for finding the first that reached a threshold, and for looking again."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime

from adapter.domain.patient import PatientState
from adapter.scoring.chart import Chart, Timed, chart_of
from adapter.scoring.ladder import Ladder
from adapter.scoring.options import ScoringOptions
from adapter.scoring.pressure import derived_pressures
from adapter.scoring.sedation import is_deep
from adapter.scoring.thresholds import (
    BILIRUBIN,
    CREATININE,
    DOSES,
    GCS,
    INFUSION_COUNTS,
    MAP,
    MAP_REACH,
    PLATELETS,
    RASS_AFTER,
    SEDATIVES,
    URINE_LOOKBACK,
    WINDOW,
)
from adapter.scoring.turns import JUST_AFTER, NEVER, PARTS, WEIGHTS, review_turns
from adapter.scoring.urine import scanty

PRESSURES = ("map", "map-arterial", "map-cuff")
LABORATORY = {
    "platelets": (PLATELETS, None),
    "bilirubin": (BILIRUBIN.conventional, BILIRUBIN.si),
    "creatinine": (CREATININE.conventional, CREATININE.si),
    "gcs-total": (GCS, None),
}
"""Scored by their value alone, with the SI column where there is another one."""
ALWAYS = ("pao2", "pf-ratio", *PARTS, "urine-output-24h", "renal-replacement")
"""Oxygen and devices speak through the gas they belong to; renal replacement scores at some sites."""


def moments(
    state: PatientState | Chart, start: datetime, end: datetime, options: ScoringOptions
) -> tuple[datetime, ...]:
    """Sorted moments in `(start, end]` at which the certain (low) score may rise; between two of them it cannot.

    Effective times of results that can score, the 60th minute of charted infusions and the start of each rate, which may
    join it to those before a gap, and the moments at which old urine leaves the day behind a falling output.
    """
    del options  # a hold can end points, never add them; what some site counts is a moment at every site
    chart, first, last = chart_of(state), start.astimezone(UTC), end.astimezone(UTC)
    found = {*_results(chart, first, last), *_pressures(chart, first, last), *_urine(chart, first, last)}
    for drug in DOSES:
        found |= {item.time + INFUSION_COUNTS for item in chart.series(drug).between(first - INFUSION_COUNTS, last)}
        found |= {item.time + JUST_AFTER for item in chart.series(drug).between(first, last)}
    for concept in (*(WEIGHTS if any(chart.series(drug).times for drug in DOSES) else ()), *SEDATIVES):
        found |= {item.time for item in chart.series(concept).between(first, last)}
    return tuple(sorted(moment for moment in found if first < moment <= last))


def _results(chart: Chart, first: datetime, last: datetime) -> Iterator[datetime]:
    for concept in ALWAYS:
        yield from (item.time for item in chart.series(concept).between(first, last))
    for concept, columns in LABORATORY.items():
        yield from (item.time for item in chart.series(concept).between(first, last) if _scores(item, columns))
    yield from (item.time for item in chart.series("rass").between(first, last) if _tells(chart, item))


def _tells(chart: Chart, rass: Timed) -> bool:
    """Sedation brings back the GCS before it; any RASS soon after a GCS says what that one was worth."""
    before = (chart.series(name).between(rass.time - RASS_AFTER, rass.time) for name in ("gcs-total", *PARTS))
    return is_deep(rass) or any(before)


def _scores(item: Timed, columns: tuple[Ladder, Ladder | None]) -> bool:
    """Any point in the column it is read in; what came in another unit is left to the score itself."""
    one = item.observation
    conventional, si = columns
    if one.quantity is None:
        return False
    if si is not None and one.native is not None and one.native.unit != one.quantity.unit:
        return True
    return conventional.span(one.quantity)[1] > 0


def _pressures(chart: Chart, first: datetime, last: datetime) -> Iterator[datetime]:
    """Low pressures; and any pressure soon after one, for it may outdate the reading that belied the low one."""
    measured = [item for name in PRESSURES for item in chart.series(name).between(first - MAP_REACH, last)]
    low = {item.time for item in measured if _scores(item, (MAP, None))}
    low |= {p.time for p in derived_pressures(chart, first - MAP_REACH, last) if MAP.points(p.value) > 0}
    times = sorted(low)
    yield from times
    for item in measured:
        index = bisect_left(times, item.time - MAP_REACH)
        if index < len(times) and times[index] < item.time:
            yield item.time


def _urine(chart: Chart, first: datetime, last: datetime) -> Iterator[datetime]:
    since = first - URINE_LOOKBACK - JUST_AFTER
    for item in (
        *chart.series("urine-output").between(since, last),
        *chart.series("bladder-irrigation").between(since, last),
    ):
        for moment in (item.time, item.time + WINDOW, item.time + URINE_LOOKBACK + JUST_AFTER):
            if first < moment <= last and scanty(chart, moment):
                yield moment


def next_change(state: PatientState | Chart, at: datetime, options: ScoringOptions) -> datetime | None:
    """The next moment after `at` at which time alone may change the score: until then, without news, it stands."""
    _, until = chart_of(state).stretch(review_turns(options), at.astimezone(UTC))
    return None if until == NEVER else until
