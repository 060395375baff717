"""One hospital: its codes, units, encoding, time zone and identifiers."""

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from adapter.domain.document import Document
from adapter.hl7.tables import EXPIRED
from adapter.mapping.concept_file import read_answers
from adapter.mapping.dictionary import Dictionary
from adapter.mapping.reading import at, choice, duration, flag, listed, table, text, words
from adapter.mapping.units import Units

ANY = "any"
RATE_HOLD = timedelta(hours=2)
DEVICE_HOLD = timedelta(hours=4)
"""How long a charted rate, or a device and FiO2, holds unless the site says otherwise (decisions B4)."""
EFFECTIVE = ("SPM-17", "OBR-7", "OBX-14")
"""The order in which the time of a specimen result is looked for (decisions B3)."""
BASES = ("base", "bitartrate", "hydrochloride", "unknown")
CONVENTIONS = ("hfnc-is-support", "rrt-scores-4", "converted-units", "printed-units")
"""What a site may choose where the published table leaves a choice (clinical 2.3, 2.5, 2.8); the default is none."""
KEYS = frozenset(
    [
        "site",
        "encoding",
        "timezone",
        "timezone_flagged",
        "decimal",
        "patient_identifier",
        "codes",
        "not_needed",
        "drugs",
        "units",
        "specimens",
        "answers",
        "effective",
        "holds",
        "emergency_wards",
        "expired_dispositions",
        "norepinephrine_basis",
        "conventions",
        "central_laboratory",
        "test_patients",
        "opt_out",
    ]
)
ENTRY_KEYS = ("concept", "system", "unit", "specimen")


@dataclass(frozen=True, slots=True)
class LocalCode:
    """What a sender's own code means; empty `system` matches any, `unit` serves where OBX-6 is silent."""

    concept: str
    system: str = ""
    unit: str = ""
    specimen: str = ""


@dataclass(frozen=True, slots=True)
class OptOut:
    """The field that says a patient refuses research, as (segment, field), and the values that say so."""

    segment: str
    field: int
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class SiteMap:
    """`authority` is `any` where every assigning authority is accepted; times without offset are read in `timezone`."""

    site: str
    encoding: str
    timezone: tzinfo
    timezone_flagged: bool
    decimal: str
    authority: str
    identifier_type: str
    identifier_systems: frozenset[str]
    """FHIR's `Identifier.system` of the numbers that HL7 v2 gives this authority: one person, one number, by either way."""
    codes: Mapping[str, LocalCode]
    not_needed: frozenset[str]
    drugs: Mapping[str, str]
    """The sender's own drug codes → substances of the formulary."""
    units: Units
    specimens: Mapping[str, str]
    answers: Mapping[str, Mapping[str, str]]
    """This hospital's words: concept → word (as `same_word` folds it) → answer; they go before the dictionary's."""
    effective: tuple[str, ...]
    rate_hold: timedelta
    device_hold: timedelta
    emergency_wards: frozenset[str]
    expired_dispositions: frozenset[str]
    """PV1-36 of whoever died."""
    norepinephrine_basis: str
    conventions: frozenset[str]
    central_laboratory: frozenset[str]
    test_patients: tuple[str, ...]
    opt_out: OptOut | None


def read_site(document: Document, dictionary: Dictionary) -> SiteMap:
    """mappings/sites/<site>.yaml, checked; raises ConfigError naming file, line and the nearest known word."""
    table(document, (), KEYS)
    table(document, ("patient_identifier",), ("authority", "type", "systems"))
    return SiteMap(
        site=text(document, ("site",)),
        encoding=read_encoding(document),
        timezone=read_timezone(document),
        timezone_flagged=flag(document, ("timezone_flagged",)),
        decimal=choice(document, ("decimal",), (".", ",")),
        authority=text(document, ("patient_identifier", "authority")),
        identifier_type=text(document, ("patient_identifier", "type"), ""),
        identifier_systems=frozenset(listed(document, ("patient_identifier", "systems"))),
        codes=read_local_codes(document, dictionary),
        not_needed=frozenset(listed(document, ("not_needed",))),
        drugs=read_drugs(document, dictionary),
        units=read_site_units(document, dictionary),
        specimens=read_site_specimens(document, dictionary),
        answers={concept: read_own_answers(document, concept, dictionary) for concept in table(document, ("answers",))},
        effective=read_effective(document),
        rate_hold=duration(document, ("holds", "rate"), RATE_HOLD),
        device_hold=duration(document, ("holds", "device"), DEVICE_HOLD),
        emergency_wards=frozenset(listed(document, ("emergency_wards",))),
        expired_dispositions=frozenset(listed(document, ("expired_dispositions",)) or EXPIRED),
        norepinephrine_basis=choice(document, ("norepinephrine_basis",), BASES, "unknown"),
        conventions=read_conventions(document),
        central_laboratory=frozenset(listed(document, ("central_laboratory",))),
        test_patients=tuple(word.upper() for word in listed(document, ("test_patients",))),
        opt_out=read_opt_out(document),
    )


def read_conventions(document: Document) -> frozenset[str]:
    chosen = listed(document, ("conventions",))
    for word in chosen:
        if word not in CONVENTIONS:
            raise document.error(("conventions",), f"unknown convention '{word}'", got=word, known=CONVENTIONS)
    if {"converted-units", "printed-units"} <= set(chosen):
        raise document.error(
            ("conventions",), "converted-units and printed-units exclude each other: choose one column"
        )
    return frozenset(chosen)


def read_encoding(document: Document) -> str:
    name = text(document, ("encoding",))
    try:
        return codecs.lookup(name).name
    except LookupError:
        known = ("utf-8", "iso-8859-1", "iso-8859-7", "iso-8859-15", "cp1252", "cp1253")
        raise document.error(("encoding",), f"unknown encoding '{name}'", got=name, known=known) from None


def read_timezone(document: Document) -> tzinfo:
    name = text(document, ("timezone",))
    if not name:
        raise document.error(("timezone",), "'timezone' is not filled in — write an IANA zone such as Europe/Athens")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = available_timezones()
        raise document.error(("timezone",), f"unknown time zone '{name}'", got=name, known=known) from None


def read_local_codes(document: Document, dictionary: Dictionary) -> Mapping[str, LocalCode]:
    return {code: read_local_code(document, code, dictionary) for code in table(document, ("codes",))}


def read_local_code(document: Document, code: str, dictionary: Dictionary) -> LocalCode:
    """`PLT: platelets`, or `PLT: {concept: platelets, system: LAB, unit: "10*3/uL", specimen: blood}`."""
    path = ("codes", code)
    entry = at(document, path)
    long = isinstance(entry, dict)
    found = (
        {key: text(document, (*path, key)) for key in table(document, path, ENTRY_KEYS)}
        if long
        else {"concept": text(document, path)}
    )
    concept, unit, specimen = (found.get(key, "") for key in ("concept", "unit", "specimen"))
    here = (*path, "concept") if long else path
    if concept not in dictionary.concepts:
        raise document.error(here, f"unknown concept '{concept}'", got=concept, known=dictionary.concepts)
    if unit and not dictionary.concepts[concept].reads(unit):
        known = (
            dictionary.concepts[concept].unit,
            *dictionary.concepts[concept].also,
            *dictionary.concepts[concept].kept,
        )
        raise document.error((*path, "unit"), f"'{concept}' has no conversion from '{unit}'", got=unit, known=known)
    if specimen and specimen not in dictionary.specimens.values():
        known = tuple(set(dictionary.specimens.values()))
        raise document.error((*path, "specimen"), f"unknown specimen '{specimen}'", got=specimen, known=known)
    return LocalCode(concept, found.get("system", ""), unit, specimen)


def read_drugs(document: Document, dictionary: Dictionary) -> Mapping[str, str]:
    """`NORAD: norepinephrine`."""
    known = dictionary.formulary.substances
    drugs = {code: text(document, ("drugs", code)) for code in table(document, ("drugs",))}
    for code, name in drugs.items():
        if name not in known:
            raise document.error(("drugs", code), f"unknown substance '{name}'", got=name, known=known)
    return drugs


def read_site_units(document: Document, dictionary: Dictionary) -> Units:
    spellings = {spelling: text(document, ("units", spelling)) for spelling in table(document, ("units",))}
    for spelling, unit in spellings.items():
        if unit not in dictionary.units.known:
            raise document.error(("units", spelling), f"unknown unit '{unit}'", got=unit, known=dictionary.units.known)
    return dictionary.units.beside(spellings)


def read_site_specimens(document: Document, dictionary: Dictionary) -> Mapping[str, str]:
    ours = frozenset(dictionary.specimens.values())
    mine: dict[str, str] = {}
    for word, spellings in table(document, ("specimens",), ours).items():
        mine |= {spelling.lower(): word for spelling in words(document, ("specimens", word), spellings)}
    return {**dictionary.specimens, **mine}


def read_own_answers(document: Document, name: str, dictionary: Dictionary) -> Mapping[str, str]:
    """`sars-cov-2: {detected: [ΘΕΤΙΚΟ], not-detected: [ΑΡΝΗΤΙΚΟ]}`: our answer, then the words it is told in."""
    path = ("answers", name)
    concept = dictionary.concepts.get(name)
    coded = [one for one, known in dictionary.concepts.items() if known.kind == "code"]
    if concept is None:
        raise document.error(path, f"unknown concept '{name}'", got=name, known=coded)
    if name not in coded:
        raise document.error(path, f"'{name}' is a number, not an answer — words are mapped for: {', '.join(coded)}")
    if not concept.open_answers:
        table(document, path, concept.answers.values())
    return read_answers(document, path)


def read_effective(document: Document) -> tuple[str, ...]:
    order = listed(document, ("effective",)) or EFFECTIVE
    for field in order:
        if field not in EFFECTIVE:
            raise document.error(("effective",), f"unknown field '{field}'", got=field, known=EFFECTIVE)
    return order


def read_opt_out(document: Document) -> OptOut | None:
    if not table(document, ("opt_out",), ("field", "values")):
        return None
    where = text(document, ("opt_out", "field"))
    segment, _, number = where.partition("-")
    if not (segment.isalnum() and number.isascii() and number.isdigit()):
        raise document.error(("opt_out", "field"), f"'{where}' is no field — write it like PD1-12")
    return OptOut(segment, int(number), frozenset(listed(document, ("opt_out", "values"))))
