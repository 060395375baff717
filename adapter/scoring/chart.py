"""A patient's results laid out by concept and time, so that a window is two binary searches.

Times are UTC here: two datetimes of one zone compare by wall clock, which is wrong in the repeated hour of autumn.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from adapter.domain.observation import Observation, Result
from adapter.domain.patient import PatientState, Window
from adapter.scoring.memory import Concluded, Memory


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

    def after(self, moment: datetime) -> Timed | None:
        """The first one later than `moment`."""
        index = bisect_right(self.times, moment)
        return self.items[index] if index < len(self.items) else None

    def latest(self, at: datetime, hold: timedelta) -> Timed | None:
        """The last one at or before `at`, while it still holds."""
        index = bisect_right(self.times, at)
        if index == 0 or self.times[index - 1] < at - hold:
            return None
        return self.items[index - 1]


EMPTY = Series()
NEVER = datetime.max.replace(tzinfo=UTC)
BY_SPECIMEN = frozenset({"pao2", "pf-ratio"})
"""A venous and an arterial gas stay two, however equal."""


@dataclass(frozen=True, slots=True)
class Chart:
    """The usable results of one patient from `since` on; series are laid out when first asked for.

    What is concluded of a moment rests on no later result (clinical D7), so the `memory` of one chart serves the next.
    """

    state: PatientState
    since: datetime | None = None
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)
    _series: dict[str, Series] = field(default_factory=dict, repr=False, compare=False)
    _usable: dict[str, tuple[Observation, ...]] = field(default_factory=dict, repr=False, compare=False)

    def series(self, concept: str) -> Series:
        found = self._series.get(concept)
        if found is None:
            found = self._series[concept] = _series(self, concept)
        return found

    def observations(self, concept: str) -> tuple[Observation, ...]:
        """As `PatientState.observations`: of all time, and every one where several tell the same."""
        found = self._usable.get(concept)
        if found is None:
            found = self._usable[concept] = self.state.observations(concept)
        return found

    def said(self, item: Timed, question: Hashable, conclude: Callable[[Timed], Concluded]) -> Concluded:
        """What one result says by itself and by what was known at its time; asked once."""
        return self.memory.recalled((question, item.observation.identity, item.time), item.time, conclude, item)

    def followed_by(self, state: PatientState) -> "Chart":
        """The chart of a later state: the series and conclusions that it does not change are not made again."""
        if state is self.state:
            return self
        before, after = self.state.results, state.results
        changed = {concept for concept in {*before, *after} if before.get(concept) is not after.get(concept)}
        change = min((_first_change(before.get(c, ()), after.get(c, ())) for c in changed), default=NEVER)
        return Chart(
            state,
            self.since,
            self.memory.before(change),
            {concept: series for concept, series in self._series.items() if concept not in changed},
            {concept: usable for concept, usable in self._usable.items() if concept not in changed},
        )


def _first_change(before: tuple[Result, ...], after: tuple[Result, ...]) -> datetime:
    """The earliest effective time among usable results that only one of the two holds."""
    old, new = ({id(result): result for result in results} for results in (before, after))
    changed = [*(old[one] for one in old.keys() - new.keys()), *(new[one] for one in new.keys() - old.keys())]
    times = (now.effective.astimezone(UTC) for result in changed if (now := result.usable) is not None)
    return min(times, default=NEVER)


def chart_of(source: PatientState | Chart) -> Chart:
    """Many scores of one state share the work when they are given the chart instead."""
    return source if isinstance(source, Chart) else Chart(source)


def window_to(at: datetime, length: timedelta) -> Window:
    """`(at - length, at]` in UTC: elapsed hours, not hours on the wall."""
    return Window(at.astimezone(UTC), length)


def _series(chart: Chart, concept: str) -> Series:
    timed = [Timed(one.effective.astimezone(UTC), one) for one in chart.observations(concept)]
    timed.sort(key=lambda item: (item.time, item.observation.identity))
    items = tuple(item for item in _distinct(timed) if chart.since is None or item.time >= chart.since)
    return Series(tuple(item.time for item in items), items) if items else EMPTY


def _distinct(timed: list[Timed]) -> list[Timed]:
    """Two results of one concept, moment and canonical value are one (decisions C2): HL7 and FHIR telling the same."""
    distinct: list[Timed] = []
    together: list[Timed] = []
    for item in timed:
        if together and together[0].time != item.time:
            together = []
        if not any(_same(item.observation, other.observation) for other in together):
            together.append(item)
            distinct.append(item)
    return distinct


def _same(one: Observation, other: Observation) -> bool:
    specimen = one.concept not in BY_SPECIMEN or one.specimen == other.specimen
    return specimen and one.code == other.code and one.quantity == other.quantity
