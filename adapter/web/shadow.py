"""What people would have been told while a trial was in shadow, and how often it would have been right."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from adapter.alerting.hours import Hours
from adapter.domain.trial import Trial
from adapter.store.screening_log import Logged
from adapter.store.shadow import TOLD, Span, Telling, in_shadow
from adapter.web import figures
from adapter.web.figures import Criterion, Predictive
from adapter.web.tongue import mark, say

NIGHT = Hours(time(22), time(7))
"""By the hospital's clock."""
DAY = timedelta(days=1)
NAMES = {
    "raised": mark("A candidate appeared"),
    "updated": mark("A candidate changed"),
    "withdrawn": mark("A candidate was taken back"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """`a_day` is the mean, none before a day has passed; `busiest` the number of the worst calendar day."""

    name: str
    number: int
    a_day: float | None
    busiest: int
    night: int


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """`going`: it is in shadow now. `certain` and `possible` are of the candidates that appeared, as they stand now."""

    going: bool
    days: float
    kinds: tuple[Kind, ...]
    certain: int
    possible: int
    hours: tuple[int, ...]
    by_flag: tuple[Predictive, ...]
    by_criterion: tuple[Criterion, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "going": self.going,
            "days": round(self.days, 2),
            "would_have_told": {kind: one.number for kind, one in zip(TOLD, self.kinds, strict=True)},
            "at_night": sum(one.night for one in self.kinds),
            "by_hour": list(self.hours),
            "certain": self.certain,
            "possible": self.possible,
        }


def rehearsal(
    trial: Trial, listed: Sequence[Logged], told: tuple[Sequence[Span], Sequence[Telling]], now: datetime, zone: tzinfo
) -> Rehearsal | None:
    """Of those listed whom it concerns; `None` of a trial that never was in shadow."""
    spans, tellings = told
    if not spans:
        return None
    here, dark = {one.id for one in listed}, [one for one in listed if in_shadow(one.flagged, spans)]
    mine = [(one.kind, one.at.astimezone(zone)) for one in tellings if one.candidate in here]
    length = sum(((span.until or now) - span.since for span in spans), timedelta(0))
    sure = Counter(one.certainty for one in dark)
    hours = Counter(at.hour for _, at in mine)
    return Rehearsal(
        going=spans[-1].until is None,
        days=length / DAY,
        kinds=tuple(_kind(kind, [at for known, at in mine if known == kind], length / DAY) for kind in TOLD),
        certain=sure["certain"],
        possible=len(dark) - sure["certain"],
        hours=tuple(hours[hour] for hour in range(24)),
        by_flag=figures.by_flag(trial, dark),
        by_criterion=figures.by_criterion(trial, dark),
    )


def _kind(kind: str, at: Sequence[datetime], days: float) -> Kind:
    busiest: Mapping[Any, int] = Counter(one.date() for one in at)
    return Kind(
        say(NAMES[kind]),
        len(at),
        len(at) / days if days >= 1 else None,
        max(busiest.values(), default=0),
        sum(NIGHT.covers(one.time()) for one in at),
    )
