"""Units of infusions: what flows in a minute, of which kind, for each kilogram or for the whole patient."""

from dataclasses import dataclass
from fractions import Fraction

from adapter.domain.quantity import Quantity

KINDS = {
    "ug": {"ng": 1, "ug": 10**3, "mg": 10**6, "g": 10**9},
    "U": {"U": 1, "[IU]": 1},
    "mL": {"mL": 1, "L": 10**3},
}
"""By kind: its units in the smallest of them."""
SMALLEST = {"ug": 10**3, "U": 1, "mL": 1}
"""How many of the smallest make one of what the kind is called by."""
SECONDS = {"s": 1, "min": 60, "h": 60 * 60, "d": 24 * 60 * 60}
PER_KG = "ug/kg/min"
PER_MINUTE = "[IU]/min"


@dataclass(frozen=True, slots=True)
class Flow:
    """`amount` per minute of `kind`: ug, units or mL; of each kilogram or of the whole patient."""

    amount: Fraction
    kind: str
    per_kg: bool


def amount(number: Fraction, unit: str) -> tuple[Fraction, str] | None:
    """`2 mg` is 2000 of kind ug."""
    for kind, units in KINDS.items():
        if unit in units:
            return number * units[unit] / SMALLEST[kind], kind
    return None


def flow(rate: Quantity) -> Flow | None:
    """`0.5 mg/h` is 500/60 ug a minute; none for what is no rate of a drug."""
    unit, *rest = rate.unit.split("/")
    per_kg = rest[:1] == ["kg"]
    time = rest[1:] if per_kg else rest
    passed = amount(rate.value, unit)
    if passed is None or len(time) != 1 or time[0] not in SECONDS:
        return None
    return Flow(passed[0] * SECONDS["min"] / SECONDS[time[0]], passed[1], per_kg)


def strength(concentration: Quantity) -> tuple[Fraction, str] | None:
    """What is in each mL: `4 mg/mL` is 4000 of kind ug."""
    unit, _, volume = concentration.unit.partition("/")
    inside, outside = amount(concentration.value, unit), amount(Fraction(1), volume)
    if inside is None or outside is None or outside[1] != "mL":
        return None
    return inside[0] / outside[0], inside[1]


def directly(rate: Quantity | None) -> Quantity | None:
    """What needs neither weight nor concentration, in canonical units: per kilogram, units a minute, and nothing at all."""
    found = None if rate is None else flow(rate)
    if found is None:
        return None
    if found.amount == 0 or (found.kind == "ug" and found.per_kg):
        return Quantity(found.amount, PER_KG)
    return Quantity(found.amount, PER_MINUTE) if found.kind == "U" and not found.per_kg else None
