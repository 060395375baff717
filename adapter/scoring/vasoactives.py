"""All vasoactive drugs together, as SOFA-2 asks: the sum of norepinephrine and epinephrine, and what runs beside them."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise

from adapter.domain.patient import Window
from adapter.scoring.chart import Chart
from adapter.scoring.doses import Dose
from adapter.scoring.finding import Finding
from adapter.scoring.infusions import Segment, salt, segments_of, sustained
from adapter.scoring.ladder import Ladder
from adapter.scoring.options import ScoringOptions
from adapter.scoring.thresholds import DOSES, EQUIVALENTS, UNSCORED_VASOACTIVES
from adapter.scoring.thresholds_sofa2 import CATECHOLAMINES_2, DOPAMINE_2, OTHER_ALONE, TABLE_2

SUMMED = ("norepinephrine-rate", "epinephrine-rate")
DOPAMINE = "dopamine-rate"
Running = Mapping[str, Segment]


def vasoactives(chart: Chart, window: Window, options: ScoringOptions) -> Iterator[Finding]:
    """The points sustained for an hour; an unknown dose is anything the table has for its drug."""
    together = list(_combined(chart, window, options))
    found = sustained(together, window, lambda segment: segment.high)
    if found is None:
        return
    certain = sustained(together, window, lambda segment: segment.low)
    high, segment = found
    low = certain[0] if certain is not None else 0
    score = high if segment.dose.value is not None else low
    rule = f"vasoactive drugs, norepinephrine and epinephrine summed: {score} ({TABLE_2})"
    yield Finding(score, low, high, (segment.observation, *segment.dose.basis), rule, "sustained for 60 min")


def running(chart: Chart, window: Window, options: ScoringOptions) -> Iterator[tuple[Running, Segment]]:
    """Stretches of time with what ran in each; the segment is one of them, for its times."""
    drugs = {drug: list(segments_of(chart, drug, window, options)) for drug in (*DOSES, *UNSCORED_VASOACTIVES)}
    left = {drug: iter(segments) for drug, segments in drugs.items() if segments}
    now = {drug: next(segments) for drug, segments in left.items()}
    edges = sorted({moment for segments in drugs.values() for s in segments for moment in (s.start, s.end)})
    for start, end in pairwise(edges):
        for drug in list(now):
            while drug in now and now[drug].end <= start:
                following = next(left[drug], None)
                now = {**now, drug: following} if following else {d: s for d, s in now.items() if d != drug}
        on = {drug: s for drug, s in now.items() if s.start <= start and s.dose.value != 0}
        if on:
            leading = min(on.items(), key=lambda one: one[0] not in SUMMED)[1]
            yield on, Segment(start, end, 0, 0, leading.dose, leading.observation)


def _combined(chart: Chart, window: Window, options: ScoringOptions) -> Iterator[Segment]:
    for on, stretch in running(chart, window, options):
        low, high = _points(on, options)
        known = all(segment.dose.value is not None for segment in on.values())
        basis = tuple(dict.fromkeys(one for segment in on.values() for one in segment.dose.basis))
        dose = Dose(_sum(on, options)[1] if known else None, (), basis)
        yield Segment(stretch.start, stretch.end, low, high, dose, stretch.observation)


def _points(on: Running, options: ScoringOptions) -> tuple[int, int]:
    others = [drug for drug in on if drug not in SUMMED]
    if len(others) == len(on):
        return _alone(DOPAMINE_2, on[DOPAMINE].dose.value) if others == [DOPAMINE] else (OTHER_ALONE, OTHER_ALONE)
    least, most = _sum(on, options)
    unknown = any(on[drug].dose.value is None for drug in SUMMED if drug in on)
    low, high = CATECHOLAMINES_2.points(least), CATECHOLAMINES_2.points(most)
    worst, mildest = CATECHOLAMINES_2.steps[0].points, CATECHOLAMINES_2.steps[-1].points
    low, high = max(low, mildest), worst if unknown else high
    return (min(low + 1, worst), min(high + 1, worst)) if others else (low, high)


def _alone(ladder: Ladder, value: Fraction | None) -> tuple[int, int]:
    if value is None:
        return ladder.steps[-1].points, ladder.steps[0].points
    return ladder.points(value), ladder.points(value)


def _sum(on: Running, options: ScoringOptions) -> tuple[Fraction, Fraction]:
    """Least and most of norepinephrine base and epinephrine, as far as known."""
    known = [(drug, on[drug].dose.value or Fraction(0)) for drug in SUMMED if drug in on]
    shares = [(salt(drug, options), value) for drug, value in known]
    return sum((s[0] * v for s, v in shares), Fraction(0)), sum((s[1] * v for s, v in shares), Fraction(0))


def equivalent(chart: Chart, window: Window, options: ScoringOptions) -> Fraction | None:
    """The highest norepinephrine equivalent of the window in ug/kg/min, of drugs that have one; a figure without points."""
    sums = [_equivalent(on, options) for on, stretch in running(chart, window, options) if stretch.end > window.start]
    return max((one for one in sums if one is not None), default=None)


def _equivalent(on: Running, options: ScoringOptions) -> Fraction | None:
    doses = [
        (segment.dose.value * salt(drug, options)[1], EQUIVALENTS[drug])
        for drug, segment in on.items()
        if drug in EQUIVALENTS and segment.dose.value is not None
    ]
    return sum((value * factor for value, factor in doses), Fraction(0)) if doses else None
