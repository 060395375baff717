"""mappings/concepts.yaml and its companions → Dictionary."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from adapter.domain.document import Document, Path
from adapter.mapping.codesets import DeviceCodes, read_device_codes, read_organisms, read_sets
from adapter.mapping.dictionary import Concept, Dictionary, Range
from adapter.mapping.formulary import Formulary, read_formulary
from adapter.mapping.plain import same_word
from adapter.mapping.reading import at, flag, listed, number, numbers, table, text, words
from adapter.mapping.units import Units, read_units

SYSTEMS = {"loinc": "LN", "snomed": "SCT", "mdc": "MDC", "local": "L"}
"""Our key → HL7's name of the code system (table 0396)."""
LANGUAGES = ("en", "nl", "de", "el")
SUSCEPTIBILITIES = "susceptibilities"
"""The group of known.yaml whose codes, in OBR-4, say that an order holds nothing else."""
KEYS = frozenset(SYSTEMS) | frozenset(
    [
        "display",
        "synonyms",
        "unit",
        "also",
        "kept",
        "possible",
        "plausible",
        "instead",
        "elsewhere",
        "unit_flags",
        "charted",
        "unitless",
        "whole",
        "specimens",
        "specimen_needed",
        "answers",
        "open_answers",
        "values",
        "comments",
        "room_air",
        "room_air_written",
    ]
)


def read_dictionary(document: Document, **companions: Document) -> Dictionary:
    """Every concept of `document`, checked; its companions are `known`, `units`, `specimens` and the codesets by name.

    Raises ConfigError naming file, line and the nearest known word.
    """
    known, specimens, substances, mdc, organisms = map(
        companions.get, ("known", "specimens", "substances", "mdc", "organisms")
    )
    conditions = companions.get("conditions")
    spelled = {} if specimens is None else read_specimens(specimens)
    concepts = {name: read_concept(document, name, frozenset(spelled.values())) for name in table(document, ())}
    check_others(document, concepts)
    devices = DeviceCodes() if mdc is None else read_device_codes(mdc)
    if mdc is not None:
        add_device_codes(mdc, devices, concepts)
    if organisms is not None:
        add_organisms(read_organisms(organisms), concepts)
    codes = {} if known is None else read_known(known)
    return Dictionary(
        concepts=concepts,
        units=read_concept_units(companions.get("units"), concepts, devices.units),
        specimens=spelled,
        known_not_needed=devices.known.union(*codes.values()),
        index=read_index(document, concepts),
        formulary=Formulary() if substances is None else read_formulary(substances),
        pumps=devices.pumps,
        susceptibilities=codes.get(SUSCEPTIBILITIES, frozenset()),
        sets={} if conditions is None else read_sets(conditions),
    )


def add_device_codes(document: Document, devices: DeviceCodes, concepts: dict[str, Concept]) -> None:
    for name, codes in devices.measurements.items():
        if name not in concepts:
            raise document.error((), f"unknown concept '{name}'", got=name, known=concepts)
        concepts[name] = replace(concepts[name], codes={**concepts[name].codes, **dict.fromkeys(codes, "")})


def add_organisms(organisms: Mapping[str, str], concepts: dict[str, Concept]) -> None:
    """To the concepts that keep a laboratory's own words; what such a concept says itself goes before."""
    for name, concept in concepts.items():
        if concept.open_answers:
            concepts[name] = replace(concept, answers={**organisms, **concept.answers})


def read_concept(document: Document, name: str, specimens: frozenset[str]) -> Concept:
    path: Path = (name,)
    table(document, path, KEYS)
    coded = at(document, (name, "unit")) is None
    if coded and not flag(document, (name, "open_answers")) and not table(document, (name, "answers")):
        raise document.error(path, f"'{name}' has neither a unit nor answers")
    accepted = listed(document, (name, "specimens"))
    for word in accepted:
        if specimens and word not in specimens:
            raise document.error((name, "specimens"), f"unknown specimen '{word}'", got=word, known=specimens)
    return Concept(
        id=name,
        display=text(document, (name, "display")),
        synonyms=read_synonyms(document, name),
        kind="code" if coded else "quantity",
        unit=text(document, (name, "unit"), ""),
        codes=dict(read_codes(document, name)),
        also=numbers(document, (name, "also")),
        kept=frozenset(listed(document, (name, "kept"))),
        instead=table(document, (name, "instead")),
        elsewhere=text(document, (name, "elsewhere"), ""),
        unit_flags=table(document, (name, "unit_flags")),
        possible=read_range(document, (name, "possible")),
        plausible=read_range(document, (name, "plausible")),
        charted=flag(document, (name, "charted")),
        unitless=flag(document, (name, "unitless")),
        whole=flag(document, (name, "whole")),
        specimens=frozenset(accepted),
        specimen_needed=frozenset(listed(document, (name, "specimen_needed"))),
        answers=read_answers(document, (name, "answers")),
        open_answers=flag(document, (name, "open_answers")),
        values={code.lower(): value for code, value in numbers(document, (name, "values")).items()},
        comments={word.lower(): meaning for word, meaning in table(document, (name, "comments")).items()},
        room_air=read_room_air(document, name),
        room_air_written=frozenset(
            number(document, (name, "room_air_written"), one) for one in listed_numbers(document, name)
        ),
    )


def read_synonyms(document: Document, name: str) -> Mapping[str, tuple[str, ...]]:
    languages = table(document, (name, "synonyms"), LANGUAGES)
    return {language: listed(document, (name, "synonyms", language)) for language in languages}


def read_codes(document: Document, name: str) -> Iterator[tuple[tuple[str, str], str]]:
    for key, system in SYSTEMS.items():
        here = at(document, (name, key))
        if here is None:
            continue
        implied = here if isinstance(here, dict) else dict.fromkeys(words(document, (name, key), here), "")
        for code, specimen in implied.items():
            yield (system, str(code)), str(specimen)


def read_range(document: Document, path: Path) -> Range | None:
    here = at(document, path)
    if here is None:
        return None
    if not isinstance(here, list) or len(here) != len(("low", "high")):
        raise document.error(path, f"'{'.'.join(map(str, path))}' must be [low, high]")
    low, high = (number(document, path, bound) for bound in here)
    if low >= high:
        raise document.error(path, f"'{'.'.join(map(str, path))}' must rise from low to high")
    return low, high


def read_answers(document: Document, path: Path) -> Mapping[str, str]:
    answers: dict[str, str] = {}
    for answer, spellings in table(document, path).items():
        for spelling in words(document, (*path, answer), spellings):
            if answers.setdefault(same_word(spelling), answer) != answer:
                raise document.error((*path, answer), f"'{spelling}' stands under two answers")
    return answers


def read_room_air(document: Document, name: str) -> Fraction | None:
    here = at(document, (name, "room_air"))
    return None if here is None else number(document, (name, "room_air"), here)


def listed_numbers(document: Document, name: str) -> list[Any]:
    here = at(document, (name, "room_air_written"))
    return here if isinstance(here, list) else []


def read_index(document: Document, concepts: Mapping[str, Concept]) -> Mapping[tuple[str, str], str]:
    index: dict[tuple[str, str], str] = {}
    for concept in concepts.values():
        for system, code in concept.codes:
            other = index.setdefault((system, code), concept.id)
            if other != concept.id:
                raise document.error((concept.id,), f"code {code} stands under '{other}' and '{concept.id}'")
    return index


def check_others(document: Document, concepts: Mapping[str, Concept]) -> None:
    """What a concept says of others: `instead`, by unit, and `elsewhere`."""
    for concept in concepts.values():
        others: list[tuple[Path, str]] = [(("instead", unit), other) for unit, other in concept.instead.items()]
        others += [(("elsewhere",), concept.elsewhere)] if concept.elsewhere else []
        for where, other in others:
            if other not in concepts:
                raise document.error((concept.id, *where), f"unknown concept '{other}'", got=other, known=concepts)


def read_concept_units(
    document: Document | None, concepts: Mapping[str, Concept], devices: Mapping[str, tuple[str, ...]]
) -> Units:
    canonical = {
        unit
        for concept in concepts.values()
        for unit in (concept.unit, *concept.also, *concept.kept, *concept.instead)
        if unit
    }
    if document is None:
        return read_units(Document("units", {}), canonical)
    table(document, (), ("exact", "spellings", "doses"))
    return read_units(document, {*canonical, *listed(document, ("doses",))}).named(devices)


def read_known(document: Document) -> Mapping[str, frozenset[tuple[str, str]]]:
    """Group → codes."""
    found: dict[str, frozenset[tuple[str, str]]] = {}
    for key in table(document, (), SYSTEMS):
        for group in table(document, (key,)):
            codes = frozenset((SYSTEMS[key], code) for code in listed(document, (key, group)))
            found[group] = found.get(group, frozenset()) | codes
    return found


def read_specimens(document: Document) -> Mapping[str, str]:
    """Spelling in lower case → our word; our own words spell themselves."""
    found: dict[str, str] = {}
    for word, spellings in table(document, ()).items():
        for spelling in (word, *words(document, (word,), spellings)):
            if found.setdefault(spelling.lower(), word) != word:
                raise document.error((word,), f"'{spelling}' stands under two specimens")
    return found
