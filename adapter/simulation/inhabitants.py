"""Who lies in the beds of the synthetic hospital: made-up people, most of them stable, a few septic, and what is measured of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from adapter.simulation.dialect import Dialect
from adapter.simulation.messages import Person, Report

BEDS_A_WARD = 25
NOT_YET = datetime.max.replace(tzinfo=UTC)
WELL: Mapping[str, tuple[float, float]] = {
    "map": (74, 98),
    "spo2": (95, 99),
    "gcs-total": (15, 15),
    "pao2": (80, 100),
    "fio2": (21, 21),
    "creatinine": (0.6, 1.1),
    "bilirubin": (0.3, 1.0),
    "platelets": (170, 350),
    "neutrophils": (2.5, 7.0),
    "sodium": (136, 144),
    "potassium": (3.6, 4.8),
    "haemoglobin": (10.5, 15.0),
    "crp": (3, 60),
    "lactate": (0.6, 1.8),
    "ferritin": (40, 400),
    "mhladr": (12000, 30000),
    "urine-output-24h": (900, 2500),
}
"""Concept → span of what is usual for somebody whose organs work, in the dictionary's units."""
SEPTIC: Mapping[str, tuple[float, float]] = {
    **WELL,
    "map": (58, 72),
    "spo2": (88, 94),
    "gcs-total": (11, 15),
    "pao2": (55, 75),
    "fio2": (35, 60),
    "creatinine": (1.3, 3.4),
    "bilirubin": (0.8, 3.0),
    "platelets": (60, 150),
    "neutrophils": (9.0, 18.0),
    "crp": (120, 320),
    "lactate": (2.0, 4.5),
    "ferritin": (700, 7500),
    "mhladr": (2500, 9000),
    "urine-output-24h": (350, 1200),
}
CHARTED = frozenset({"gcs-total", "fio2"})
"""Steps, not a scale: the level is charted as it is."""
CEILING = {"spo2": 100.0}
WANDERS = 0.06
"""Share by which a value strays from somebody's level."""

VITALS = ("map", "spo2", "gcs-total")
PANELS: Mapping[str, tuple[str, ...]] = {
    "vitals": VITALS,
    "chemistry": ("sodium", "potassium", "creatinine", "bilirubin", "crp"),
    "count": ("haemoglobin", "platelets", "neutrophils"),
    "gas": ("pao2", "fio2", "respiratory-support", "lactate"),
    "urine": ("urine-output-24h",),
    "immune": ("ferritin", "mhladr"),
    "virus": ("sars-cov-2",),
    "culture": ("culture-organism",),
}
WELL_SHARES = {"vitals": 60, "chemistry": 16, "count": 14, "gas": 4, "urine": 5, "virus": 1}
SEPTIC_SHARES = {
    "vitals": 52,
    "chemistry": 16,
    "count": 12,
    "gas": 10,
    "urine": 5,
    "immune": 3,
    "virus": 1,
    "culture": 1,
}
DETECTED = 0.05
"""Share of virus tests that find one."""
WORDS = {True: "mask", False: "room-air"}


@dataclass(slots=True)
class Inhabitant:
    """Somebody in a bed, with the level round which each of their values wanders; `before` is the place they came from."""

    person: Person
    admitted: datetime
    septic: bool
    levels: Mapping[str, float]
    before: Person | None = None
    fresh: bool = False
    """Admitted since the simulation began."""


def newcomer(dialect: Dialect, number: int, place: tuple[str, str], chance: Random, septic: float) -> Inhabitant:
    """Not admitted yet: `admitted` is set by who admits. `septic` is the chance to be so."""
    ill = chance.random() < septic
    spans = SEPTIC if ill else WELL
    born = f"{chance.randint(1935, 2003)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}"
    person = Person(
        number=str(number),
        family=chance.choice(dialect.families),
        given=chance.choice(dialect.given),
        born=born,
        sex=chance.choice("MF"),
        ward=place[0],
        bed=place[1],
        visit_class="I",
    )
    levels = {concept: low + (high - low) * chance.random() for concept, (low, high) in spans.items()}
    return Inhabitant(person, NOT_YET, ill, levels)


def place(bed: int) -> tuple[str, str]:
    """Ward and bed of the hospital's bed number so and so, from 0."""
    ward, number = divmod(bed, BEDS_A_WARD)
    return f"W{ward + 1:02}", str(number + 1)


def moved(inhabitant: Inhabitant, ward: tuple[str, str], visit_class: str) -> None:
    inhabitant.before = inhabitant.person
    inhabitant.person = replace(inhabitant.person, ward=ward[0], bed=ward[1], visit_class=visit_class)


def measured(dialect: Dialect, inhabitant: Inhabitant, order: str, taken: datetime, chance: Random) -> Report:
    """One report: monitors and devices at once, the laboratory 25 to 50 minutes after the specimen was drawn."""
    shares = SEPTIC_SHARES if inhabitant.septic else WELL_SHARES
    panel = chance.choices(list(shares), list(shares.values()))[0]
    delay = timedelta() if panel in {"vitals", "urine"} else timedelta(minutes=chance.randint(25, 50))
    return Report(order, taken - delay, taken, values(dialect, inhabitant, PANELS[panel], chance))


def values(dialect: Dialect, inhabitant: Inhabitant, concepts: tuple[str, ...], chance: Random) -> dict[str, str]:
    """Of each concept this hospital measures, as it writes it."""
    return {concept: _value(dialect, inhabitant, concept, chance) for concept in concepts if concept in dialect.codes}


def _value(dialect: Dialect, inhabitant: Inhabitant, concept: str, chance: Random) -> str:
    if concept == "respiratory-support":
        return dialect.word(WORDS[inhabitant.septic])
    if concept == "sars-cov-2":
        return dialect.word("detected" if chance.random() < DETECTED else "not-detected")
    if concept == "culture-organism":
        return dialect.word("escherichia coli")
    level = inhabitant.levels[concept]
    if concept not in CHARTED:
        level *= 1 + WANDERS * (2 * chance.random() - 1)
    return dialect.number(concept, min(level, CEILING.get(concept, level)))
