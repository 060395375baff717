"""The rhythm and the size of what a source sends of one analyte: whether it fell silent, whether its values moved (C44, C45).

Only aggregates: counts, times, and a histogram of halvings. A median that moved by more than a factor of five is another unit
or another method; a laboratory's patients change more slowly.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import accumulate

LEARNED = 50
"""Messages with the analyte before its silence means anything."""
LEAST_DAYS = timedelta(days=2)
SILENCE = timedelta(hours=6)
"""No gap shorter than this is a silence, whatever the rhythm (reliability 5.3: hard limit of a feed)."""
TIMES_USUAL, TIMES_LONGEST = 3, Fraction(3, 2)
SHORTEST, TIMES_USUAL_OF_SOURCE = timedelta(minutes=15), 5
"""Of a source as a whole (reliability 5.3): no gap shorter than this is a silence."""
FORGETS = Fraction(1, 20)
"""How much of the usual gap each new one makes up."""
RECENT = 40
"""Values whose median is looked at."""
BEFORE = 200
"""Values before those, at least."""
MOST = 4000
"""Of the long run so many are remembered; then all counts are halved, so that what is old weighs less."""
SHIFT = 5
"""Times the median of the long run, or a fifth of it."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Of one source, concept, code and unit, as the sender wrote them. `usual` and `longest` are gaps between messages."""

    messages: int = 0
    first: datetime | None = None
    last: datetime | None = None
    usual: timedelta = timedelta(0)
    longest: timedelta = timedelta(0)
    recent: tuple[int, ...] = ()
    """Of the newest values: the power of two they lie at; oldest first."""
    history: Mapping[int, int] = field(default_factory=dict)
    """Of those before: how many lie at each power."""

    def told(self, said: Iterable[tuple[datetime, Iterable[Fraction]]]) -> "Rhythm":
        """After some messages more: when each was received, and its values."""
        messages, first, last, usual, longest = self.messages, self.first, self.last, self.usual, self.longest
        recent, history = list(self.recent), dict(self.history)
        remembered = sum(history.values())
        for at, values in said:
            recent += [_power(value) for value in values if value > 0]
            for power in recent[:-RECENT]:
                history[power] = history.get(power, 0) + 1
                remembered += 1
            del recent[:-RECENT]
            if remembered > MOST:
                history = {power: half for power, count in history.items() if (half := count // 2)}
                remembered = sum(history.values())
            if first is None or last is None:
                first = last = at
            else:
                gap = max(at - last, timedelta(0))
                usual += (gap - usual) * max(float(FORGETS), 1 / messages)
                longest, last = max(gap, longest), max(at, last)
            messages += 1
        return Rhythm(messages, first, last, usual, longest, tuple(recent), history)

    def silent(self, now: datetime) -> bool:
        """Nothing for three times the usual gap and half as long again as ever before."""
        longest = max(SILENCE, self.usual * TIMES_USUAL, self.longest * float(TIMES_LONGEST))
        return self.learned and self.last is not None and now - self.last > longest

    @property
    def learned(self) -> bool:
        """Enough is known of it for its silence to mean something."""
        if self.last is None or self.first is None:
            return False
        return self.messages >= LEARNED and self.last - self.first >= LEAST_DAYS

    @property
    def shift(self) -> Fraction | None:
        """By which power of two the median moved, as a factor; `None` while it stays or too little is known."""
        if len(self.recent) < RECENT or sum(self.history.values()) < BEFORE:
            return None
        moved = _median({power: self.recent.count(power) for power in self.recent}) - _median(self.history)
        factor = Fraction(2) ** moved
        return factor if factor >= SHIFT or factor * SHIFT <= 1 else None


def _power(value: Fraction) -> int:
    """The power of two at or below a positive number, to one."""
    above, below = value.numerator, value.denominator
    power = above.bit_length() - below.bit_length()
    reached = above >= below << power if power >= 0 else above << -power >= below
    return power if reached else power - 1


def _median(counts: Mapping[int, int]) -> int:
    """Of powers and how often each was seen."""
    powers = sorted(counts)
    seen = accumulate(counts[power] for power in powers)
    return next(power for power, sofar in zip(powers, seen, strict=True) if 2 * sofar >= sum(counts.values()))


def patience(rhythms: Iterable[Rhythm]) -> timedelta:
    """How long a source may say nothing at all: a multiple of the gaps of what it brings most often; six hours until that is known."""
    known = [rhythm for rhythm in rhythms if rhythm.learned]
    if not known:
        return SILENCE
    usual, longest = min(rhythm.usual for rhythm in known), min(rhythm.longest for rhythm in known)
    return min(SILENCE, max(SHORTEST, usual * TIMES_USUAL_OF_SOURCE, longest * float(TIMES_LONGEST)))
