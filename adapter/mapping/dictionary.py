"""The dictionary: every canonical observation, its codes, its unit and its exact conversions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from adapter.domain.quantity import Quantity
from adapter.domain.trial import Code, Vocabulary
from adapter.mapping.formulary import Formulary
from adapter.mapping.units import Units

Range = tuple[Fraction, Fraction]
UNCHANGED = Fraction(1)
"""The factor of the canonical unit itself."""


@dataclass(frozen=True, slots=True)
class Concept:
    """One canonical observation (decisions B2).

    `codes` maps (system, code) to the specimen that code implies. `possible` is what a body can show: an exact value
    outside is no result; outside `plausible` it is kept and flagged (clinical 2.4). `also` holds exact factors into
    the canonical unit, `instead` the units that mean another concept, `elsewhere` is the concept of other specimens.
    """

    id: str
    display: str
    kind: str
    """`quantity` or `code`."""
    unit: str = ""
    codes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    also: Mapping[str, Fraction] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    """Units that need a weight or a strength to be a dose: such a rate is kept as it was told, without a canonical value."""
    instead: Mapping[str, str] = field(default_factory=dict)
    elsewhere: str = ""
    unit_flags: Mapping[str, str] = field(default_factory=dict)
    possible: Range | None = None
    plausible: Range | None = None
    charted: bool = False
    unitless: bool = False
    whole: bool = False
    specimens: frozenset[str] = frozenset()
    specimen_needed: frozenset[str] = frozenset()
    answers: Mapping[str, str] = field(default_factory=dict)
    open_answers: bool = False
    values: Mapping[str, Fraction] = field(default_factory=dict)
    """Coded answers that stand for a number (LOINC answers of RASS)."""
    comments: Mapping[str, str] = field(default_factory=dict)
    room_air: Fraction | None = None
    """Set for the inspired oxygen fraction only: what "20 %" is rounded from."""
    room_air_written: frozenset[Fraction] = frozenset()
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What laboratories call it, by language; suggestions compare them, nothing is read by them."""

    def factor(self, unit: str) -> Fraction | None:
        """What one of `unit` is in the canonical unit; `None` if it cannot be converted."""
        return UNCHANGED if unit == self.unit else self.also.get(unit)

    def reads(self, unit: str) -> bool:
        """Converted, or kept."""
        return unit in self.kept or self.factor(unit) is not None

    def canonical(self, quantity: Quantity) -> Quantity | None:
        """The same quantity in the canonical unit, exactly; `None` if its unit cannot be converted. Nothing is nothing in any."""
        factor = self.factor(quantity.unit)
        if factor is None and quantity.unit in self.kept and quantity.value == 0:
            return Quantity(quantity.value, self.unit, quantity.comparator)
        if factor is None:
            return None
        if factor is UNCHANGED:
            return quantity
        return Quantity(quantity.value * factor, self.unit, quantity.comparator)


@dataclass(frozen=True, slots=True)
class Dictionary:
    """All concepts, the codes known and not needed, and the spellings of units and specimens."""

    concepts: Mapping[str, Concept]
    units: Units
    specimens: Mapping[str, str] = field(default_factory=dict)
    known_not_needed: frozenset[tuple[str, str]] = frozenset()
    index: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(system, code) → concept id."""
    formulary: Formulary = field(default_factory=Formulary)
    """Drug codes → substances."""
    pumps: frozenset[tuple[str, str]] = frozenset()
    """Codes of an infusion's rate whose drug stands in another line."""
    susceptibilities: frozenset[tuple[str, str]] = frozenset()
    """OBR-4 of orders that hold susceptibilities."""

    sets: Mapping[str, tuple[Code, ...]] = field(default_factory=dict)
    """Diagnoses and organisms by the name a protocol page gives them."""

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.convert, self.sets, frozenset(one.group for one in self.formulary.substances.values()))

    def find(self, system: str, code: str) -> Concept | None:
        """By HL7's names of systems: `LN`, `SCT`, `MDC`; `L` for the dictionary's own codes."""
        concept = self.index.get((system, code))
        return None if concept is None else self.concepts[concept]

    def convert(self, concept_id: str, value: Fraction, unit: str) -> Fraction | None:
        """`value` of the concept from `unit` (any known spelling) into its canonical unit; `None` if impossible."""
        concept = self.concepts.get(concept_id)
        factor = None if concept is None else concept.factor(self.units.ucum(unit) or unit)
        return None if factor is None else value * factor
