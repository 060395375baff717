"""OBX-3 → concept: the site's own codes first, then the dictionary's; never by display text (clinical 3)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

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
    "L": "L",
    "99ADAPTER": "L",
}
"""Spellings of HL7 table 0396."""
NO_CODE = ("",) * 6
Parts = tuple[str, ...]
"""The components of an OBX-3."""
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
    """`known`: a code we know and do not need."""

    code: str
    known: bool


def candidates(obx_3: Parts) -> Iterator[tuple[str, str]]:
    """(code, system) of the identifier and the alternate identifier; a bare LOINC is known by its check digit."""
    first, _, first_system, other, _, other_system, *_ = (*map(str.strip, obx_3), *NO_CODE)
    for code, system in ((first, first_system), (other, other_system)):
        if code and code != '""':
            bare = not system and LOINC.fullmatch(code) is not None and checks(code)
            yield code, "LN" if bare else SYSTEMS.get(system.upper(), system)


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
    known = any(code in site.not_needed or (system, code) in dictionary.known_not_needed for code, system in found)
    return Unmapped(code_of(obx_3)[0], known)


def local(code: str, system: str, site: SiteMap, dictionary: Dictionary) -> Meaning | None:
    entry = site.codes.get(code)
    if entry is None or entry.system not in {"", system}:
        return None
    return Meaning(dictionary.concepts[entry.concept], code, entry.specimen, entry.unit)


def shared(code: str, system: str, dictionary: Dictionary) -> Meaning | None:
    concept = dictionary.find(system, code)
    return None if concept is None else Meaning(concept, code, concept.codes[(system, code)])
