"""OBX-3 → concept: the site's own codes first, then the dictionary's; never by display text (clinical 3)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from adapter.hl7.tables import NULL
from adapter.mapping.dictionary import Concept, Dictionary
from adapter.mapping.site import SiteMap

SYSTEMS = {
    "LN": "LN",
    "LOINC": "LN",
    "LNC": "LN",
    "HTTP://LOINC.ORG": "LN",
    "2.16.840.1.113883.6.1": "LN",
    "SCT": "SCT",
    "SNM": "SCT",
    "SNOMED": "SCT",
    "SNOMED-CT": "SCT",
    "HTTP://SNOMED.INFO/SCT": "SCT",
    "MDC": "MDC",
    "URN:ISO:STD:ISO:11073:10101": "MDC",
    "2.16.840.1.113883.6.24": "MDC",
    "L": "L",
    "99ADAPTER": "L",
}
"""Spellings of HL7 table 0396."""
NO_CODE = ("",) * 6
Parts = tuple[str, ...]
"""The components of an OBX-3."""
MDC_NAME = "MDC_"
DEVICE_NAMES = ("MDC_DEV_", "MDC_ATTR_", "MDC_TIME_")
NO_METRICS = frozenset({1, 8})
"""Partitions of IEEE 11073-10101: objects and their attributes, and the infrastructure between devices."""
LOINC = re.compile(r"\d{1,7}-\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Meaning:
    """The concept, with the specimen its code implies and the unit that serves where OBX-6 is silent."""

    concept: Concept
    code: str
    specimen: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """`known`: a code we know and do not need; `pump`: an infusion's rate whose drug stands in another line."""

    code: str
    known: bool
    pump: bool = False


def candidates(obx_3: Parts) -> Iterator[tuple[str, str]]:
    """(code, system) of the identifier and the alternate one; a bare LOINC is known by its check digit, MDC by its name."""
    first, _, first_system, other, _, other_system, *_ = (*map(str.strip, obx_3), *NO_CODE)
    for code, system in ((first, first_system), (other, other_system)):
        if code and code != NULL:
            yield code, SYSTEMS.get(system.upper(), system) if system else bare(code)


def bare(code: str) -> str:
    """The system of a code that comes without one; empty where it cannot be told."""
    if code.startswith(MDC_NAME):
        return "MDC"
    return "LN" if LOINC.fullmatch(code) is not None and checks(code) else ""


def checks(loinc: str) -> bool:
    """LOINC's mod-10 check digit."""
    body, _, digit = loinc.partition("-")
    doubled = (int(d) * 2 if place % 2 == 0 else int(d) for place, d in enumerate(reversed(body)))
    total = sum(number // 10 + number % 10 for number in doubled)
    return -total % 10 == int(digit)


def code_of(obx_3: Parts) -> tuple[str, str]:
    """The first (code, system) as the sender wrote it."""
    first, _, first_system, other, _, other_system, *_ = (*map(str.strip, obx_3), *NO_CODE)
    return (first, first_system) if first else (other, other_system)


def meaning(obx_3: Parts, site: SiteMap, dictionary: Dictionary) -> Meaning | Unmapped:
    found = tuple(candidates(obx_3))
    for code, system in found:
        mapped = local(code, system, site, dictionary)
        if mapped is not None:
            return mapped
    for code, system in found:
        mapped = shared(code, system, dictionary)
        if mapped is not None:
            return mapped
    known = any(
        code in site.not_needed
        or (system, code) in dictionary.known_not_needed
        or (system == "MDC" and no_metric(code))
        for code, system in found
    )
    return Unmapped(code_of(obx_3)[0], known, any((system, code) in dictionary.pumps for code, system in found))


def no_metric(code: str) -> bool:
    """Whether a code of IEEE 11073-10101 names a device, an attribute or the like, not a measurement: by its partition."""
    if code.isascii() and code.isdigit():
        return int(code[:9]) >> 16 in NO_METRICS
    return code.startswith(DEVICE_NAMES)


def of_device(obx_3: Parts) -> bool:
    """Whether a line without type and value describes a device: its place in the tree, a channel, a group of metrics."""
    return any(system == "MDC" for _, system in candidates(obx_3))


def local(code: str, system: str, site: SiteMap, dictionary: Dictionary) -> Meaning | None:
    entry = site.codes.get(code)
    if entry is None or entry.system not in {"", system}:
        return None
    return Meaning(dictionary.concepts[entry.concept], code, entry.specimen, entry.unit)


def shared(code: str, system: str, dictionary: Dictionary) -> Meaning | None:
    concept = dictionary.find(system, code)
    return None if concept is None else Meaning(concept, code, concept.codes[(system, code)])
