"""mappings/codesets/mdc.csv and organisms.csv: what bedside devices and microbiology call the things the dictionary knows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from adapter.domain.document import Document
from adapter.domain.trial import Code
from adapter.mapping.plain import same_word

MDC_COLUMNS = ("use", "target", "code", "reference", "verified", "source")
ORGANISM_COLUMNS = ("organism", "system", "code", "verified", "source")
USES = ("measurement", "unit", "known", "pump")
SYSTEMS = ("SCT", "WORDS")
SET_COLUMNS = ("set", "system", "code", "match", "verified", "source")
SET_SYSTEMS = ("icd-10", "snomed-ct", "organism")
MATCHES = ("exact", "prefix", "except")
TRUTHS = ("true", "false")
MDC = "MDC"
Codes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DeviceCodes:
    """IEEE 11073-10101 by what we do with a code: a concept's, a unit's spelling, known and not needed, a pump's rate.

    Every code stands twice, as the number and as the reference identifier: senders write either into OBX-3.1 and OBX-6.1.
    """

    measurements: Mapping[str, Codes] = field(default_factory=dict)
    units: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    known: frozenset[tuple[str, str]] = frozenset()
    pumps: frozenset[tuple[str, str]] = frozenset()


def read_device_codes(document: Document) -> DeviceCodes:
    """The file, checked; raises ConfigError naming file and line."""
    measurements: dict[str, Codes] = {}
    units: dict[str, tuple[str, ...]] = {}
    listed: dict[str, set[tuple[str, str]]] = {"known": set(), "pump": set()}
    for row in rows(document, MDC_COLUMNS, {"use": USES, "verified": TRUTHS}):
        use, target, code, reference = (row[column] for column in MDC_COLUMNS[:4])
        both = ((MDC, code), (MDC, reference))
        if use == "measurement":
            measurements[target] = (*measurements.get(target, ()), *both)
        elif use == "unit":
            units[target] = (*units.get(target, ()), code, reference)
        else:
            listed[use].update(both)
    return DeviceCodes(measurements, units, frozenset(listed["known"]), frozenset(listed["pump"]))


def read_organisms(document: Document) -> Mapping[str, str]:
    """Code or word of a laboratory → our word for the organism, or for there being none."""
    found: dict[str, str] = {}
    for number, row in enumerate(rows(document, ORGANISM_COLUMNS, {"system": SYSTEMS, "verified": TRUTHS})):
        organism = row["organism"]
        for spelling in (organism, row["code"]):
            if found.setdefault(same_word(spelling), organism) != organism:
                raise document.error((number,), f"'{spelling}' stands under two organisms")
    return found


def read_sets(document: Document) -> Mapping[str, tuple[Code, ...]]:
    """Code sets of diagnoses and organisms, by name."""
    found: dict[str, tuple[Code, ...]] = {}
    for row in rows(document, SET_COLUMNS, {"system": SET_SYSTEMS, "match": MATCHES, "verified": TRUTHS}):
        code = Code(row["system"], row["code"], row["match"] != "exact", row["match"] == "except")
        found[row["set"]] = (*found.get(row["set"], ()), code)
    return found


def rows(
    document: Document, columns: tuple[str, ...], closed: Mapping[str, tuple[str, ...]]
) -> Iterator[Mapping[str, str]]:
    """Every row, all of its columns filled in, those of `closed` with a word that is known."""
    for number, row in enumerate(document.data):
        if tuple(row) != columns:
            raise document.error((number,), f"the columns must be {', '.join(columns)}")
        if not all(row[column] for column in columns):
            raise document.error((number,), "every column must be filled in")
        for column, known in closed.items():
            if row[column] not in known:
                raise document.error((number,), f"unknown {column} '{row[column]}'", got=row[column], known=known)
        yield row
