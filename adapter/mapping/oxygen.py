"""Inspired oxygen: fraction, percent, or a flow in the wrong field (clinical 2.5)."""

from dataclasses import dataclass
from fractions import Fraction

from adapter.mapping.dictionary import Concept


@dataclass(frozen=True, slots=True)
class OxygenReading:
    """`unit` is the one the number was read in, which is not always the one declared."""

    fraction: Fraction
    unit: str
    flags: tuple[str, ...] = ()


def oxygen_fraction(concept: Concept, value: Fraction, unit: str) -> OxygenReading | None:
    """The only reading a body allows, flagged where the declared unit says otherwise; `None` where there is none.

    `0.4` and `40 %` are 0.4; `0.4 %` and `40` of one are 0.4, repaired; `4 %` and `1 %` may be flows: no reading.
    """
    for readable in (concept.unit, *concept.also):
        fraction = _in_room_air(concept, value * (concept.factor(readable) or 1))
        if concept.possible is None or not concept.possible[0] <= fraction <= concept.possible[1]:
            continue
        whole = value == 1
        if whole and unit not in {"", readable}:
            return None
        if whole:
            return OxygenReading(fraction, readable, ("fio2_ambiguous",))
        return OxygenReading(fraction, readable, () if unit == readable else ("fio2_unit_repaired",))
    return None


def _in_room_air(concept: Concept, fraction: Fraction) -> Fraction:
    """`0.20` and `20 %` are room air, rounded; `20.9 %` is what analysers print of it."""
    return concept.room_air if concept.room_air is not None and fraction in concept.room_air_written else fraction
