"""A number with its unit, exact: fractions, so that 100/17.1 is what it is and 400/0.4 is 1000."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

SIGNIFICANT_DIGITS = 6
"""JSON shows at least this many digits of a value whose decimal form never ends."""


class Comparator(StrEnum):
    """A censored result: the laboratory says a bound, not a value (FHIR quantity-comparator)."""

    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a number may lie; `None` is unbounded, `open` ends exclude their bound."""

    low: Fraction | None
    high: Fraction | None
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True, slots=True)
class Quantity:
    """`value` in UCUM `unit`; with a comparator it is a bound."""

    value: Fraction
    unit: str
    comparator: Comparator | None = None

    def interval(self) -> Interval:
        """`>2000` is (2000, ∞); `<5` is (-∞, 5); `4420` is [4420, 4420]."""
        match self.comparator:
            case Comparator.LESS | Comparator.AT_MOST:
                return Interval(None, self.value, high_open=self.comparator is Comparator.LESS)
            case Comparator.MORE | Comparator.AT_LEAST:
                return Interval(self.value, None, low_open=self.comparator is Comparator.MORE)
            case _:
                return Interval(self.value, self.value)


def decimal_text(value: Fraction) -> str:
    """The shortest exact decimal, else six significant digits: 159/88.4 → `1.79864`, 2/5 → `0.4`."""
    if value.denominator == 1:
        return str(value.numerator)
    exact = _exact_text(value)
    if exact is not None:
        return exact
    number = Decimal(value.numerator) / Decimal(value.denominator)
    digits = max(SIGNIFICANT_DIGITS, number.adjusted() + 1)
    return _plain(Decimal(f"{number:.{digits}g}"))


def _exact_text(value: Fraction) -> str | None:
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest != 1 or places > SIGNIFICANT_DIGITS:
        return None
    scaled = value.numerator * 10**places // value.denominator
    return _plain(Decimal(scaled).scaleb(-places))


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
