"""A patient's results laid out by concept and time, so that a window is two binary searches.

Times are UTC here: two datetimes of one zone compare by wall clock, which is wrong in the repeated hour of autumn.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from adapter.domain.observation import Observation
from adapter.domain.patient import PatientState, Window


@dataclass(frozen=True, slots=True)
class Timed:
    """An observation and its effective time in UTC."""

    time: datetime
    observation: Observation


@dataclass(frozen=True, slots=True)
class Series:
    """Usable observations of one concept in order of time."""

    times: tuple[datetime, ...] = ()
    items: tuple[Timed, ...] = ()

    def within(self, window: Window) -> tuple[Timed, ...]:
        """Those in `(start, end]`."""
        return self.items[bisect_right(self.times, window.start) : bisect_right(self.times, window.end)]

    def between(self, first: datetime, last: datetime) -> tuple[Timed, ...]:
        """Those in `[first, last]`."""
        return self.items[bisect_left(self.times, first) : bisect_right(self.times, last)]

    def after(self, moment: datetime) -> tuple[Timed, ...]:
        """Those later than `moment`."""
        return self.items[bisect_right(self.times, moment) :]

    def latest(self, at: datetime, hold: timedelta) -> Timed | None:
        """The last one at or before `at`, while it still holds."""
        index = bisect_right(self.times, at)
        if index == 0 or self.times[index - 1] < at - hold:
            return None
        return self.items[index - 1]


EMPTY = Series()
BY_SPECIMEN = frozenset({"pao2", "pf-ratio"})
"""A venous and an arterial gas stay two, however equal."""


@dataclass(frozen=True, slots=True)
class Chart:
    """The usable results of one patient from `since` on; series are laid out when first asked for."""

    state: PatientState
    since: datetime | None = None
    _series: dict[str, Series] = field(default_factory=dict, repr=False, compare=False)

    def series(self, concept: str) -> Series:
        found = self._series.get(concept)
        if found is None:
            found = self._series[concept] = _series(self.state, concept, self.since)
        return found


def chart_of(source: PatientState | Chart) -> Chart:
    """Many scores of one state share the work when they are given the chart instead."""
    return source if isinstance(source, Chart) else Chart(source)


def window_to(at: datetime, length: timedelta) -> Window:
    """`(at - length, at]` in UTC: elapsed hours, not hours on the wall."""
    return Window(at.astimezone(UTC), length)


def _series(state: PatientState, concept: str, since: datetime | None) -> Series:
    timed = [Timed(one.effective.astimezone(UTC), one) for one in state.observations(concept)]
    timed.sort(key=lambda item: (item.time, item.observation.identity))
    items = tuple(item for item in _distinct(timed) if since is None or item.time >= since)
    return Series(tuple(item.time for item in items), items) if items else EMPTY


def _distinct(timed: list[Timed]) -> list[Timed]:
    """Two results of one concept, moment and canonical value are one (decisions C2): HL7 and FHIR telling the same."""
    seen = set()
    distinct = []
    for item in timed:
        one = item.observation
        key = (item.time, one.quantity, one.code, one.specimen if one.concept in BY_SPECIMEN else "")
        if key not in seen:
            seen.add(key)
            distinct.append(item)
    return distinct
