"""A ladder of cut-points: how a value, or a bound the laboratory gave instead of one, becomes points."""

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from adapter.domain.quantity import Interval, Quantity, decimal_text

UNSAID = frozenset({"1", "{score}"})
"""Units nobody writes."""
Compare = Callable[[int, int], bool]
HOLDS: dict[str, Compare] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
BELOW = frozenset({"<", "<="})
Cut = tuple[Compare, int, int, int]
"""A step as `points` asks it: comparison, numerator and denominator of the bound, points."""


@dataclass(frozen=True, slots=True)
class Step:
    """`points` where `value <sign> bound` holds."""

    sign: str
    bound: Fraction
    points: int

    def surely(self, interval: Interval) -> bool:
        """Holds for every value of the interval."""
        if self.sign in BELOW:
            high = interval.high
            if high is None:
                return False
            return high < self.bound or (high == self.bound and (self.sign == "<=" or interval.high_open))
        low = interval.low
        if low is None:
            return False
        return low > self.bound or (low == self.bound and (self.sign == ">=" or interval.low_open))

    def possibly(self, interval: Interval) -> bool:
        """Holds for some value of the interval."""
        if self.sign in BELOW:
            low = interval.low
            if low is None or low < self.bound:
                return True
            return self.sign == "<=" and low == self.bound and not interval.low_open
        high = interval.high
        if high is None or high > self.bound:
            return True
        return self.sign == ">=" and high == self.bound and not interval.high_open


@dataclass(frozen=True, slots=True)
class Ladder:
    """Steps from the worst class to the mildest; below them all stands 0. No value is rounded before it is compared."""

    name: str
    unit: str
    steps: tuple[Step, ...]
    source: str
    words: dict[int, str] = field(default_factory=dict)
    cuts: tuple[Cut, ...] = ()

    def points(self, value: Fraction | int) -> int:
        """Exact; cross-multiplied, because fractions compare slowly and this is asked thousands of times."""
        numerator, denominator = value.as_integer_ratio()
        for holds, top, bottom, points in self.cuts:
            if holds(numerator * bottom, top * denominator):
                return points
        return 0

    def span(self, quantity: Quantity) -> tuple[int, int]:
        """Lowest and highest points: the same for a value; for `<5` what every, and what some, value below 5 scores."""
        if quantity.comparator is None:
            points = self.points(quantity.value)
            return points, points
        interval = quantity.interval()
        low = next((step.points for step in self.steps if step.surely(interval)), 0)
        return low, next((step.points for step in self.steps if step.possibly(interval)), 0)

    def rule(self, points: int) -> str:
        """The cut-point that gives `points`, in words."""
        return self.words.get(points, f"{points} points ({self.source})")


def ladder(name: str, unit: str, source: str, *rows: tuple[str, str, int]) -> Ladder:
    """`ladder("platelets", "10*3/uL", "Table 1", ("<", "20", 4), …)`, worst first."""
    steps = tuple(Step(sign, Fraction(bound), points) for sign, bound, points in rows)
    shown = "" if unit in UNSAID else f" {unit}"
    words = {s.points: f"{name} {s.sign} {decimal_text(s.bound)}{shown}: {s.points} ({source})" for s in steps}
    last = steps[-1]
    words[0] = f"{name} not {last.sign} {decimal_text(last.bound)}{shown}: 0 ({source})"
    cuts = tuple((HOLDS[s.sign], s.bound.numerator, s.bound.denominator, s.points) for s in steps)
    return Ladder(name, unit, steps, source, words, cuts)
