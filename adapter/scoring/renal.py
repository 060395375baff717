"""The kidney: creatinine or urine, whichever is worse."""

from collections.abc import Iterator
from dataclasses import replace

from adapter.domain.assessment import OrganScore
from adapter.domain.patient import Window
from adapter.scoring.chart import Chart
from adapter.scoring.finding import Finding, worst
from adapter.scoring.laboratory import by_column
from adapter.scoring.machines import machines
from adapter.scoring.options import ScoringOptions
from adapter.scoring.thresholds import CREATININE, WORST
from adapter.scoring.urine import urine

CREATININE_MISSING = "creatinine_missing"
ON_RRT = "on_rrt"


def renal(chart: Chart, window: Window, options: ScoringOptions) -> OrganScore:
    """Creatinine alone settles the organ; urine alone leaves creatinine open, so its high end stays 4.

    Renal replacement keeps creatinine low and is not in the table: it is flagged, and scores only where the site says so.
    """
    creatinine = by_column(chart, window, "creatinine", CREATININE, options.unit_policy)
    replaced = tuple(_replaced(chart, window))
    counted = replaced if options.rrt_scores_4 else ()
    found = worst([*creatinine, *urine(chart, window), *counted], (ON_RRT,) if replaced else ())
    if creatinine or counted or found.score is None:
        return found
    return replace(found, high=WORST, flags=(*found.flags, CREATININE_MISSING))


def _replaced(chart: Chart, window: Window) -> Iterator[Finding]:
    for item in machines(chart, "renal-replacement", window):
        rule = f"renal replacement: {WORST} (the site's convention; not in Table 1)"
        yield Finding(WORST, WORST, WORST, (item.observation,), rule)
