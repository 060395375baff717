"""Vasoactive infusions: charted and given rates as stretches of time, and the dose that ran for at least an hour."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction

from adapter.domain.observation import Observation
from adapter.domain.patient import Window
from adapter.domain.quantity import Quantity, decimal_text
from adapter.scoring.chart import Chart, Timed
from adapter.scoring.doses import Dose, dose
from adapter.scoring.finding import Finding
from adapter.scoring.flows import PER_KG
from adapter.scoring.ladder import Ladder
from adapter.scoring.options import ScoringOptions
from adapter.scoring.rates import in_order, in_turn, is_off, is_rate, ran_until
from adapter.scoring.therapy import Given
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
ROUTE_UNKNOWN = "route_unknown"
SHORT = "infusion_under_60_min"


@dataclass(frozen=True, slots=True)
class Segment:
    """One rate while it held: `low` and `high` points differ where its dose, or the salt of it, is unknown."""

    start: datetime
    end: datetime
    low: int
    high: int
    dose: Dose
    observation: Observation


Points = Callable[[Segment], int]


def doses(chart: Chart, window: Window, options: ScoringOptions, flags: list[str]) -> Iterable[Finding]:
    """The points each drug sustained for an hour; what did not is only flagged (clinical D13)."""
    for drug in DOSES:
        segments = list(segments_of(chart, drug, window, options))
        found = sustained(segments, window, lambda segment: segment.high)
        if found is not None:
            yield _finding(drug, segments, window, found, _converted(drug, options))
        elif any(segment.high and segment.end > window.start for segment in segments):
            flags.append(SHORT)
    named = [drug for drug in UNSCORED_VASOACTIVES if _running(chart, drug, window, options)]
    flags.extend((UNSCORED, *(drug.removesuffix("-rate") + "_running" for drug in named)) if named else ())


def _finding(
    drug: str, segments: list[Segment], window: Window, found: tuple[int, Segment], converted: tuple[str, ...]
) -> Finding:
    """As charted the dose is taken for base; what another salt would make of it is the low end (clinical 2.6)."""
    high, segment = found
    certain = sustained(segments, window, lambda segment: segment.low)
    low = certain[0] if certain is not None else 0
    known = segment.dose.value is not None
    score = high if known else low
    salt_doubt = ((SALT_UNKNOWN,) if low != high else converted) if known else ()
    doubt = (ROUTE_UNKNOWN,) if _doubtful(segment.observation) else salt_doubt
    shown, note = _shown(segment)
    return Finding(
        score,
        low,
        high,
        (shown, *segment.dose.basis),
        _rule(DOSES[drug], segment.dose, score, high),
        note,
        flags=(*segment.dose.flags, *doubt),
    )


def _rule(drug: Ladder, found: Dose, score: int, high: int) -> str:
    if found.value is not None:
        return drug.rule(score)
    return f"{drug.name} at an unknown dose: {score} to {high} ({drug.source})"


def _shown(segment: Segment) -> tuple[Observation, str]:
    """The result with the dose that was worked out of it."""
    one, note = segment.observation, "sustained for 60 min"
    if one.quantity is not None or segment.dose.value is None:
        return one, note
    told = f"{decimal_text(one.native.value)} {one.native.unit}" if one.native is not None else ""
    return replace(one, quantity=Quantity(segment.dose.value, PER_KG)), f"{note}; given as {told}"


def _converted(drug: str, options: ScoringOptions) -> tuple[str, ...]:
    """Said where the charted dose was a salt's and not read as it stands."""
    known = {"base", "unknown"}
    return (SALT_CONVERTED,) if drug == NOREPINEPHRINE and options.norepinephrine_basis not in known else ()


def sustained(segments: list[Segment], window: Window, points: Points) -> tuple[int, Segment] | None:
    """The highest points held for 60 minutes on end, reached within the window, with the lowest rate that held them."""
    for level in sorted({points(segment) for segment in segments} - {0}, reverse=True):
        for stretch in reversed(stretches(segments, level, points)):
            ran = stretch[-1].end - stretch[0].start
            if ran >= INFUSION_COUNTS and stretch[-1].end > window.start:
                return level, min(stretch, key=lambda segment: (points(segment), _rate(segment)))
    return None


def _rate(segment: Segment) -> tuple[bool, Fraction]:
    """An unknown dose before any other: it is what must be told."""
    value = segment.dose.value
    return value is not None, value or Fraction(0)


def stretches(segments: list[Segment], level: int, points: Points) -> list[list[Segment]]:
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


def segments_of(chart: Chart, drug: str, window: Window, options: ScoringOptions) -> Iterator[Segment]:
    """Each rate holds until the next of its kind, to its end where one was told, else at most `rate_hold`; not beyond
    the window. Of two at one moment the pump that runs outdoes the one that stops.
    """
    for item, start, end in in_turn(_reaching(chart, drug, window, options), window.end, options):
        found = dose(chart, item, window.end) if end > start else None
        if found is not None and (found.value is not None or _flowed(item.observation)):
            low, high = _points(drug, item.observation, found, options)
            yield Segment(start, end, low, high, found, item.observation)


def _flowed(one: Observation) -> bool:
    """Something ran, whatever the dose."""
    return one.native is not None or isinstance(one, Given)


def salt(drug: str, options: ScoringOptions) -> tuple[Fraction, Fraction]:
    """How much base is in the charted dose, least and most."""
    return BASE_SHARE[options.norepinephrine_basis] if drug == NOREPINEPHRINE else BASE_SHARE["base"]


def _points(drug: str, one: Observation, found: Dose, options: ScoringOptions) -> tuple[int, int]:
    """Of an unknown dose any points the drug gives; none for certain where nobody said that it flowed, or flowed into a vein."""
    ladder = DOSES.get(drug)
    if ladder is None:
        return 0, 0
    if found.value is None:
        sure = one.native is not None and not _doubtful(one)
        return (ladder.steps[-1].points if sure else 0), ladder.steps[0].points
    least, most = salt(drug, options)
    high = ladder.points(found.value * most)
    if _doubtful(one):
        return 0, high
    return (high if least == most else ladder.points(found.value * least)), high


def _doubtful(one: Observation) -> bool:
    return isinstance(one, Given) and one.doubtful


def _reaching(chart: Chart, drug: str, window: Window, options: ScoringOptions) -> list[Timed]:
    """Rates that may still have been running, or counting towards their hour, when the window began."""
    series = chart.series(drug)
    if not series.times:
        return []
    first = window.start - options.rate_hold - INFUSION_COUNTS - INFUSION_GAP
    last = series.before(first, is_rate)
    longer = [item for item in _longer(chart, drug, first) if item not in last]
    return in_order(filter(is_rate, (*longer, *last, *series.between(first, window.end))))


def _longer(chart: Chart, drug: str, first: datetime) -> Iterator[Timed]:
    """Givings begun before `first` that are known to have run beyond it."""
    for one in chart.therapy.of(drug):
        began = one.effective.astimezone(UTC)
        if began < first and ran_until(one, first):
            yield from (i for i in chart.series(drug).between(began, began) if i.identity == one.identity)


def _running(chart: Chart, drug: str, window: Window, options: ScoringOptions) -> bool:
    """Any of it within the window, however short."""
    ran = in_turn(_reaching(chart, drug, window, options), window.end, options)
    return any(not is_off(item) and end > window.start for item, _, end in ran)
