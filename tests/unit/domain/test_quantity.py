"""Exact numbers and how they are written."""

from fractions import Fraction

import pytest

from adapter.domain.quantity import Comparator, Interval, Quantity, decimal_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(159) / Fraction("88.4"), "1.79864"),
        (Fraction(2, 5), "0.4"),
        (Fraction(4420), "4420"),
        (Fraction("4419.67"), "4419.67"),
        (Fraction(1, 3), "0.333333"),
        (Fraction(-5, 4), "-1.25"),
        (Fraction(0), "0"),
        (Fraction(12345678, 7), "1763668"),
        (Fraction(1, 3_000_000), "0.000000333333"),
    ],
)
def test_a_value_is_written_exactly_or_with_six_significant_digits(value: Fraction, text: str) -> None:
    assert decimal_text(value) == text


def test_a_censored_result_is_an_open_interval() -> None:
    assert Quantity(Fraction(2000), "ng/mL", Comparator.MORE).interval() == Interval(
        Fraction(2000), None, low_open=True
    )
    assert Quantity(Fraction(5), "ng/mL", Comparator.AT_MOST).interval() == Interval(None, Fraction(5))
    assert Quantity(Fraction(5), "ng/mL").interval() == Interval(Fraction(5), Fraction(5))
