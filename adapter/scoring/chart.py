"""A patient's results laid out by concept and time, so that a window is two binary searches.

Times are UTC here: two datetimes of one zone compare by wall clock, which is wrong in the repeated hour of autumn.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from operator import lt
from typing import Any

from adapter.domain.observation import Observation, Result
from adapter.domain.patient import PatientState, Window
from adapter.scoring.changes import changed
from adapter.scoring.memory import Concluded, Kept, Memory
from adapter.scoring.therapy import Given, Therapy
from adapter.scoring.turns import ALWAYS, NEVER, Turns, delayed


class Timed:
    """An observation and its effective time in UTC, with what has been concluded of it."""

    __slots__ = ("_said", "observation", "time")
    observation: Observation

    def __init__(self, time: datetime, observation: Observation) -> None:
        self.time = time
        self.observation = observation
        self._said: tuple[Any, ...] = ()
        """Questions and what was concluded, in turns: few are asked of one, and a mapping would take more than it holds."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timed) and self.time == other.time and self.observation == other.observation

    __hash__ = None  # type: ignore[assignment] # what can still be told apart later is no key

    @property
    def identity(self) -> str:
        return self.observation.identity

    def said(self, question: Hashable, conclude: Callable[["Timed"], Concluded]) -> Concluded:
        """What `conclude` says of it; asked once. It may rest on the observation, and on nothing charted later.

        Where it rests on other concepts, `TOLD_BY` names them: their news makes a new item of it.
        """
        known = self._said
        for index in range(0, len(known), 2):
            if known[index] == question:
                told: Concluded = known[index + 1]
                return told
        conclusion = conclude(self)
        self._said = (*self._said, question, conclusion)
        return conclusion


class Charted(Timed):
    """Of a result on record, which is asked what it says when somebody asks for the observation: the slot is empty until then."""

    __slots__ = ("_result",)

    def __init__(self, result: Result) -> None:
        self.time = result.at.astimezone(UTC)
        self._said = ()
        self._result = result

    @property
    def identity(self) -> str:
        return self._result.identity

    def __getattr__(self, name: str) -> Any:
        """Python asks here where a slot is empty."""
        found = self._result.usable if name == "observation" else None
        if found is None:
            raise AttributeError(name)
        self.observation = found
        return found


@dataclass(frozen=True, slots=True)
class Series:
    """Usable observations of one concept in order of time.

    `_told` has those too that say again what another one says; nothing where there are none.
    """

    times: tuple[datetime, ...] = ()
    items: tuple[Timed, ...] = ()
    _told: "Series | None" = None

    @property
    def told(self) -> "Series":
        """All that was told, every one where several tell the same."""
        return self if self._told is None else self._told

    def within(self, window: Window) -> tuple[Timed, ...]:
        """Those in `(start, end]`."""
        return self.items[bisect_right(self.times, window.start) : bisect_right(self.times, window.end)]

    def between(self, first: datetime, last: datetime) -> tuple[Timed, ...]:
        """Those in `[first, last]`."""
        if not self.times or self.times[-1] < first:
            return ()
        return self.items[bisect_left(self.times, first) : bisect_right(self.times, last)]

    def before(self, moment: datetime, such: Callable[[Timed], bool]) -> tuple[Timed, ...]:
        """The last ones before `moment` that are such: all of one time."""
        index = bisect_left(self.times, moment)
        while index and not such(self.items[index - 1]):
            index -= 1
        return self.items[bisect_left(self.times, self.times[index - 1]) : index] if index else ()

    def later(self, moment: datetime) -> tuple[Timed, ...]:
        """All later than `moment`."""
        return self.items[bisect_right(self.times, moment) :]

    def last(self, at: datetime) -> Timed | None:
        """The last one at or before `at`."""
        index = bisect_right(self.times, at)
        return self.items[index - 1] if index else None

    def latest(self, at: datetime, hold: timedelta) -> Timed | None:
        """The last one at or before `at`, while it still holds."""
        item = self.last(at)
        return None if item is None or item.time < at - hold else item

    def changed(self, gone: Sequence[Observation], new: Sequence[Observation]) -> "Series":
        """Without the ones and with the others; what lies outside their times is taken over as it is."""
        made = _timed(new)
        if not gone and self._told is None and len(made) == 1 and (not self.times or made[0].time > self.times[-1]):
            return Series((*self.times, made[0].time), (*self.items, made[0]))
        left = {one.identity: one.effective.astimezone(UTC) for one in gone}
        moments = [*left.values(), *(item.time for item in made)]
        if not moments:
            return self
        first, last = min(moments), max(moments)
        kept = [item for item in self.told.between(first, last) if item.identity not in left]
        told = sorted((*kept, *made), key=_order)
        distinct = _distinct(told)
        whole = self.told.spliced(first, last, told)
        if self._told is None and len(distinct) == len(told):
            return whole
        series = self.spliced(first, last, distinct)
        return whole if len(series.items) == len(whole.items) else replace(series, _told=whole)

    def renewed(self, since: datetime) -> "Series":
        """The same, but of those at or after `since` nothing has been concluded yet."""
        told = [item.observation for item in self.told.items[bisect_left(self.told.times, since) :]]
        return self.changed(told, told)

    def spliced(self, first: datetime, last: datetime, items: Iterable[Timed]) -> "Series":
        """`items` in the place of those in `[first, last]`."""
        low, high = bisect_left(self.times, first), bisect_right(self.times, last)
        placed = (*self.items[:low], *items, *self.items[high:])
        times = (*self.times[:low], *(item.time for item in items), *self.times[high:])
        return Series(times, placed, self._told)


def _order(item: Timed) -> tuple[datetime, str]:
    return item.time, item.identity


def laid_out(results: Iterable[Result], given: Sequence[Observation]) -> Series:
    """Of what stands on record and was given. Nothing is asked of results whose times differ: they are in order and distinct."""
    told: list[Timed] = [Charted(result) for result in results if result.counts]
    told += _timed(given)
    times = [item.time for item in told]
    if not all(map(lt, times, times[1:])):
        told.sort(key=_order)
        distinct, times = _distinct(told), [item.time for item in told]
        if len(distinct) < len(told):
            whole = Series(tuple(times), tuple(told))
            return Series(tuple(item.time for item in distinct), tuple(distinct), whole)
    return Series(tuple(times), tuple(told))


def _timed(observations: Iterable[Observation]) -> list[Timed]:
    return [Timed(one.effective.astimezone(UTC), one) for one in observations]


BY_SPECIMEN = frozenset({"pao2", "pf-ratio"})
"""A venous and an arterial gas stay two, however equal."""
OXYGEN = frozenset({"fio2", "oxygen-flow", "respiratory-support"})
TOLD_BY = {"pao2": OXYGEN, "spo2": OXYGEN}
"""Concepts whose items are judged by what other concepts said up to their time: a gas by the oxygen it belongs to."""


@dataclass(frozen=True, slots=True)
class Chart:
    """The usable results of one patient and the rates at which drugs were given; a series is laid out when first asked
    for, and then only changed.
    """

    state: PatientState
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)
    _series: dict[str, Series] = field(default_factory=dict, repr=False, compare=False)
    _therapy: list[Therapy] = field(default_factory=list, repr=False, compare=False)

    def series(self, concept: str) -> Series:
        found = self._series.get(concept)
        if found is None:
            known = self.state.results.get(concept, ())
            found = self._series[concept] = laid_out(known, self.therapy.of(concept))
        return found

    @property
    def therapy(self) -> Therapy:
        if not self._therapy:
            self._therapy.append(Therapy(self.state.administrations))
        return self._therapy[0]

    def remembered(
        self, question: Hashable, at: datetime, turns: Turns, conclude: Callable[[], Concluded], *given: object
    ) -> Concluded:
        """What `conclude()` says at `at` (in UTC); not asked again while it can only say the same.

        It may rest on results of the concepts of `turns`, on time where one of them turns, and on what is `given`.
        """
        kept = self.memory.kept(question, at, given)
        if kept is None:
            kept = Kept(conclude(), turns.keys(), given, *self.stretch(turns, at))
            self.memory.keep(question, kept)
        conclusion: Concluded = kept.conclusion
        return conclusion

    def stretch(self, turns: Turns, at: datetime) -> tuple[datetime, datetime]:
        """From the last turn at or before `at` to the next one: `[since, until)`."""
        since, until, laid_out = ALWAYS, NEVER, self._series
        for concept, delays in turns.items():
            times = (laid_out.get(concept) or self.series(concept)).times
            if not times:
                continue
            for delay in delays:
                index = bisect_right(times, at - delay)
                if index and (passed := times[index - 1] + delay) > since:
                    since = passed
                if index < len(times) and (coming := delayed(times[index], delay)) < until:
                    until = coming
        return since, until

    def between(self, first: datetime, last: datetime, concepts: Iterable[str]) -> "Chart":
        """As if only the results of `concepts` in `[first, last]` had ever been told."""
        cut = {}
        for concept in concepts:
            items = self.series(concept).between(first, last)
            cut[concept] = Series(tuple(i.time for i in items), tuple(Timed(i.time, i.observation) for i in items))
        return Chart(replace(self.state, results={}, administrations=()), _series=cut)

    def followed_by(self, state: PatientState) -> "Chart":
        """The chart of a later state: the series and conclusions that it does not change are not made again."""
        if state is self.state:
            return self
        series, changes = dict(self._series), dict[str, datetime]()
        therapy = self.therapy.followed_by(state.administrations)
        found = (*changed(self.state.results, state.results).items(), *self.therapy.changed_to(therapy).items())
        for concept, (gone, new) in found:
            since = min(one.effective.astimezone(UTC) for one in (*gone, *new))
            changes[concept] = min(since, changes.get(concept, since))
            if concept in series:
                series[concept] = series[concept].changed(gone, new)
        for concept, others in TOLD_BY.items():
            first = min((moment for other, moment in changes.items() if other in others), default=None)
            if first is not None and concept in series:
                series[concept] = series[concept].renewed(first)
        return Chart(state, self.memory.after(changes), series, [therapy])


def chart_of(source: PatientState | Chart) -> Chart:
    """Many scores of one state share the work when they are given the chart instead."""
    return source if isinstance(source, Chart) else Chart(source)


def window_to(at: datetime, length: timedelta) -> Window:
    """`(at - length, at]` in UTC: elapsed hours, not hours on the wall."""
    return Window(at.astimezone(UTC), length)


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
    if isinstance(one, Given) or isinstance(other, Given):
        return False
    specimen = one.concept not in BY_SPECIMEN or one.specimen == other.specimen
    told = one.native == other.native if one.quantity is None else one.quantity == other.quantity
    return specimen and one.code == other.code and told
