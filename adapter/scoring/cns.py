"""The nervous system: the lowest GCS of the window, never one that a sedative made.

A sedated GCS 3 is not 4 points: the last GCS before sedation stands for it, and without one the organ is missing.
"""

from collections.abc import Iterator
from datetime import datetime

from adapter.domain.assessment import OrganScore, OrganStatus
from adapter.domain.patient import Window
from adapter.scoring.chart import Chart
from adapter.scoring.finding import Finding, worst
from adapter.scoring.glasgow import PART_MISSING, Coma, comas, parts_within
from adapter.scoring.ladder import Ladder
from adapter.scoring.options import ScoringOptions
from adapter.scoring.oxygen import support
from adapter.scoring.sedation import Sedation, deep_within, sedation
from adapter.scoring.thresholds import GCS, GCS_BEST, INVASIVE, PRE_SEDATION_AGE, SEDATIVES

BEFORE_SEDATION = "gcs_before_sedation"
SEDATED = "sedated"
SEDATION_UNKNOWN = "sedation_unknown"
HOUR = 3600


class Bedside:
    """What is known of tube and sedation up to the end of a window."""

    def __init__(self, chart: Chart, window: Window, options: ScoringOptions) -> None:
        self.chart, self.window, self.options = chart, window, options

    def intubated(self, at: datetime) -> bool:
        return support(self.chart, at, self.options)[1] == INVASIVE

    def sedation(self, coma: Coma) -> Sedation:
        """A charted 15 is an awake patient, whatever was running (decisions B7)."""
        if coma.total == GCS_BEST:
            return Sedation.AWAKE
        return sedation(self.chart, coma.time, self.window.end, self.options)

    def comas(self, first: datetime, last: datetime) -> list[Coma]:
        return comas(self.chart, first, last, self.intubated)


def cns(chart: Chart, window: Window, options: ScoringOptions, ladder: Ladder = GCS) -> OrganScore:
    """Of comas that say the same the latest stands for all, as of equals it would decide."""
    bedside = Bedside(chart, window, options)
    charted = [coma for coma in bedside.comas(window.start, window.end) if coma.time > window.start]
    sedated = list(deep_within(chart, window, options))
    latest: dict[tuple[object, ...], Coma] = {}
    for coma in charted:
        depth = bedside.sedation(coma)
        if depth is Sedation.SEDATED:
            sedated.append(coma.time)
        else:
            firm = depth is Sedation.AWAKE or (depth is Sedation.UNKNOWN and not bedside.intubated(coma.time))
            alike = (firm, coma.total, coma.best, coma.status, coma.flags)
            latest.pop(alike, None)
            latest[alike] = coma
    findings = [_finding(coma, ladder, firm=bool(alike[0])) for alike, coma in latest.items()]
    findings += _carried(bedside, min(sedated), ladder) if sedated else ()
    flags = [SEDATED] if sedated else []
    if not charted and parts_within(chart, window.start, window.end):
        flags.append(PART_MISSING)
    return worst(findings, flags)


def _finding(coma: Coma, ladder: Ladder, *, firm: bool) -> Finding:
    """Ventilated, or begun on a sedative, and nobody charted whether sedated: shown, but it decides nothing."""
    points = ladder.points(coma.best)
    return Finding(
        points,
        points,
        ladder.points(coma.total),
        coma.basis,
        ladder.rule(points),
        note=f"GCS {coma.best}",
        status=coma.status,
        flags=coma.flags if firm else (*coma.flags, SEDATION_UNKNOWN),
        firm=firm,
    )


def _carried(bedside: Bedside, since: datetime, ladder: Ladder) -> Iterator[Finding]:
    """The last GCS before sedation was first charted: same visit, at most seven days old (clinical 2.7)."""
    visit = _visit(bedside, since)
    for coma in reversed(bedside.comas(since - PRE_SEDATION_AGE, since)):
        own = coma.basis[0].visit
        if coma.time == since or (own and visit and own != visit) or not _before_sedation(bedside, coma):
            continue
        points = ladder.points(coma.best)
        hours = (since - coma.time).total_seconds() / HOUR
        yield Finding(
            points,
            points,
            ladder.points(coma.total),
            coma.basis,
            ladder.rule(points),
            note=f"GCS {coma.best}, charted {hours:.1f} h before sedation",
            status=OrganStatus.CARRIED,
            flags=(*coma.flags, BEFORE_SEDATION),
        )
        return


def _before_sedation(bedside: Bedside, coma: Coma) -> bool:
    depth = bedside.sedation(coma)
    return depth is Sedation.AWAKE or (depth is Sedation.UNKNOWN and not bedside.intubated(coma.time))


def _visit(bedside: Bedside, at: datetime) -> str:
    """The visit in which sedation was charted."""
    chart = bedside.chart
    items = [
        item for name in ("rass", "gcs-total", "gcs-eye", *SEDATIVES) for item in chart.series(name).between(at, at)
    ]
    return next((item.observation.visit for item in items if item.observation.visit), "")
