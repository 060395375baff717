"""The kidney: creatinine or urine, whichever is worse."""

from dataclasses import replace

from adapter.domain.assessment import OrganScore
from adapter.domain.patient import Window
from adapter.scoring.chart import Chart
from adapter.scoring.finding import worst
from adapter.scoring.laboratory import by_column
from adapter.scoring.options import ScoringOptions
from adapter.scoring.thresholds import CREATININE, WORST
from adapter.scoring.urine import urine

CREATININE_MISSING = "creatinine_missing"


def renal(chart: Chart, window: Window, options: ScoringOptions) -> OrganScore:
    """Creatinine alone settles the organ; urine alone leaves creatinine open, so its high end stays 4."""
    creatinine = by_column(chart, window, "creatinine", CREATININE, options.unit_policy)
    found = worst([*creatinine, *urine(chart, window)])
    if creatinine or found.score is None:
        return found
    return replace(found, high=WORST, flags=(*found.flags, CREATININE_MISSING))
