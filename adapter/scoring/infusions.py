"""Vasoactive infusions: charted rates as stretches of time, and the dose that ran for at least an hour."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from adapter.domain.observation import Observation
from adapter.domain.patient import Window
from adapter.domain.quantity import Quantity
from adapter.scoring.chart import Chart, Timed
from adapter.scoring.finding import Finding
from adapter.scoring.options import ScoringOptions
from adapter.scoring.thresholds import (
    BASE_SHARE,
    DOSES,
    INFUSION_COUNTS,
    INFUSION_GAP,
    NOREPINEPHRINE,
    UNSCORED_VASOACTIVES,
)

SALT_UNKNOWN = "norepinephrine_salt_unknown"
SALT_CONVERTED = "norepinephrine_salt_converted"
UNSCORED = "unscored_vasoactive"
SHORT = "infusion_under_60_min"


@dataclass(frozen=True, slots=True)
class Segment:
    """One charted rate while it held: `low` and `high` points differ where the salt of the dose is unknown."""

    start: datetime
    end: datetime
    low: int
    high: int
    observation: Observation


Points = Callable[[Segment], int]


def doses(chart: Chart, window: Window, options: ScoringOptions, flags: list[str]) -> Iterable[Finding]:
    """The points each drug sustained for an hour; what did not is only flagged (clinical D13)."""
    for drug in DOSES:
        segments = _segments(chart, drug, window, options)
        found = _sustained(segments, window, lambda segment: segment.high)
        if found is not None:
            finding = _finding(drug, segments, window, found)
            yield finding if finding.flags else replace(finding, flags=_converted(drug, options))
        elif any(segment.high and segment.end > window.start for segment in segments):
            flags.append(SHORT)
    if any(_running(chart, drug, window, options) for drug in UNSCORED_VASOACTIVES):
        flags.append(UNSCORED)


def _finding(drug: str, segments: list[Segment], window: Window, found: tuple[int, Observation]) -> Finding:
    """As charted the dose is taken for base; what another salt would make of it is the low end (clinical 2.6)."""
    high, observation = found
    certain = _sustained(segments, window, lambda segment: segment.low)
    low = certain[0] if certain is not None else 0
    flags = (SALT_UNKNOWN,) if low != high else ()
    return Finding(high, low, high, (observation,), DOSES[drug].rule(high), "sustained for 60 min", flags=flags)


def _converted(drug: str, options: ScoringOptions) -> tuple[str, ...]:
    """Said where the charted dose was a salt's and not read as it stands."""
    known = {"base", "unknown"}
    return (SALT_CONVERTED,) if drug == NOREPINEPHRINE and options.norepinephrine_basis not in known else ()


def _sustained(segments: list[Segment], window: Window, points: Points) -> tuple[int, Observation] | None:
    """The highest points held for 60 minutes on end, reached within the window, with the lowest rate that held them."""
    for level in sorted({points(segment) for segment in segments} - {0}, reverse=True):
        for stretch in reversed(_stretches(segments, level, points)):
            ran = stretch[-1].end - stretch[0].start
            if ran >= INFUSION_COUNTS and stretch[-1].end > window.start:
                return level, min(stretch, key=lambda segment: (points(segment), _rate(segment))).observation
    return None


def _rate(segment: Segment) -> Fraction:
    quantity = segment.observation.quantity
    return quantity.value if quantity is not None else Fraction(0)


def _stretches(segments: list[Segment], level: int, points: Points) -> list[list[Segment]]:
    """Segments of at least `level` points, joined over gaps of up to five minutes."""
    stretches: list[list[Segment]] = []
    for segment in segments:
        if points(segment) < level:
            continue
        if stretches and segment.start - stretches[-1][-1].end <= INFUSION_GAP:
            stretches[-1].append(segment)
        else:
            stretches.append([segment])
    return stretches


def _segments(chart: Chart, drug: str, window: Window, options: ScoringOptions) -> list[Segment]:
    """Each rate holds until the next of its kind, at most `rate_hold`, and not beyond the window."""
    items = _reaching(chart, drug, window, options)
    ends = [*(item.time for item in items[1:]), window.end]
    segments = []
    for item, following in zip(items, ends, strict=False):
        quantity = item.observation.quantity
        if quantity is not None and following > item.time:
            low, high = _points(drug, quantity, options)
            end = min(following, item.time + options.rate_hold)
            segments.append(Segment(item.time, end, low, high, item.observation))
    return segments


def _points(drug: str, quantity: Quantity, options: ScoringOptions) -> tuple[int, int]:
    least, most = BASE_SHARE[options.norepinephrine_basis] if drug == NOREPINEPHRINE else BASE_SHARE["base"]
    ladder = DOSES[drug]
    high = ladder.points(quantity.value * most)
    return (high if least == most else ladder.points(quantity.value * least)), high


def _reaching(chart: Chart, drug: str, window: Window, options: ScoringOptions) -> tuple[Timed, ...]:
    """Rates that may still have been running, or counting towards their hour, when the window began."""
    before = options.rate_hold + INFUSION_COUNTS + INFUSION_GAP
    return chart.series(drug).between(window.start - before, window.end)


def _running(chart: Chart, drug: str, window: Window, options: ScoringOptions) -> bool:
    items = chart.series(drug).between(window.start - options.rate_hold, window.end)
    return any(i.observation.quantity is not None and i.observation.quantity.value > 0 for i in items)
