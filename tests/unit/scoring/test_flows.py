"""Units of infusions: what is a rate of a drug, and what is none."""

from fractions import Fraction

import pytest

from adapter.domain.quantity import Quantity
from adapter.scoring.flows import Flow, directly, flow, strength


def rate(number: str, unit: str) -> Quantity:
    return Quantity(Fraction(number), unit)


@pytest.mark.parametrize(
    ("number", "unit", "found"),
    [
        ("0.5", "mg/h", Flow(Fraction(500, 60), "ug", per_kg=False)),
        ("6", "ug/kg/h", Flow(Fraction(1, 10), "ug", per_kg=True)),
        ("2400", "[IU]/d", Flow(Fraction(100, 60), "U", per_kg=False)),
        ("1", "mL/s", Flow(Fraction(60), "mL", per_kg=False)),
    ],
)
def test_a_rate_is_what_flows_in_a_minute(number: str, unit: str, found: Flow) -> None:
    assert flow(rate(number, unit)) == found


@pytest.mark.parametrize("unit", ["mg", "[drp]/min", "mg/kg", "mg/h/kg", "mg/wk", "mmol/h", ""])
def test_an_amount_drops_and_unknown_times_are_no_rate(unit: str) -> None:
    assert flow(rate("5", unit)) is None
    assert directly(rate("5", unit)) is None


@pytest.mark.parametrize(
    ("unit", "inside"),
    [
        ("mg/mL", (Fraction(4000), "ug")),
        ("g/L", (Fraction(4000), "ug")),
        ("[IU]/mL", (Fraction(4), "U")),
        ("mg", None),
        ("mg/mg", None),
        ("mg/{tablet}", None),
        ("mmol/L", None),
    ],
)
def test_a_concentration_is_an_amount_in_a_volume(unit: str, inside: tuple[Fraction, str] | None) -> None:
    assert strength(rate("4", unit)) == inside


def test_nothing_that_runs_needs_neither_weight_nor_concentration() -> None:
    assert directly(rate("0", "mL/h")) == Quantity(Fraction(0), "ug/kg/min")
    assert directly(rate("3", "mL/h")) is None
    assert directly(rate("3", "U/min")) == Quantity(Fraction(3), "[IU]/min")
    assert directly(rate("3", "U/kg/min")) is None
    assert directly(rate("3", "ug/min")) is None
    assert directly(None) is None
