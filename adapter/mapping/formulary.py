"""Drug codes → substances: mappings/codesets/substances.csv and a site's own codes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapter.domain.document import Document
from adapter.mapping.codesets import TRUTHS, rows

SYSTEMS = {
    "ATC": "ATC",
    "WC": "ATC",
    "WHOATC": "ATC",
    "HTTP://WWW.WHOCC.NO/ATC": "ATC",
    "2.16.840.1.113883.6.73": "ATC",
    "RXNORM": "RXNORM",
    "RXN": "RXNORM",
    "HTTP://WWW.NLM.NIH.GOV/RESEARCH/UMLS/RXNORM": "RXNORM",
    "2.16.840.1.113883.6.88": "RXNORM",
}
"""Spellings of HL7 table 0396 and of FHIR → the two systems of the file."""
WHOLE = frozenset({"ATC"})
"""Systems in which a code that is not listed is certainly a drug nobody asks about: a tree, read by its branches."""
MATCHES = ("exact", "prefix")
COLUMNS = ("substance", "group", "system", "code", "match", "verified", "source")


@dataclass(frozen=True, slots=True)
class Substance:
    """`name` is our word (`norepinephrine`), `group` its kind (`vasopressor`, `corticosteroid`, …)."""

    name: str
    group: str


@dataclass(frozen=True, slots=True)
class Formulary:
    """`exact` and `prefixes` by (system, code); an exact code goes before a prefix, a long prefix before a short one."""

    substances: Mapping[str, Substance] = field(default_factory=dict)
    exact: Mapping[tuple[str, str], str] = field(default_factory=dict)
    prefixes: tuple[tuple[str, str, str], ...] = ()

    def find(self, system: str, code: str) -> Substance | None:
        """By our name of the system; `None` where the code is of no substance a trial asks about."""
        name = self.exact.get((system, code))
        if name is None:
            found = (sub for of, start, sub in self.prefixes if of == system and code.startswith(start))
            name = next(found, None)
        return None if name is None else self.substances[name]


def read_formulary(document: Document) -> Formulary:
    """The file, checked; raises ConfigError naming file and line."""
    substances: dict[str, Substance] = {}
    exact: dict[tuple[str, str], str] = {}
    prefixes: list[tuple[str, str, str]] = []
    closed = {"system": tuple(set(SYSTEMS.values())), "match": MATCHES, "verified": TRUTHS}
    for number, row in enumerate(rows(document, COLUMNS, closed)):
        name, key = row["substance"], (row["system"], row["code"])
        known = substances.setdefault(name, Substance(name, row["group"]))
        if known.group != row["group"]:
            raise document.error((number,), f"'{name}' stands in two groups: {known.group}, {row['group']}")
        if row["match"] == "prefix":
            prefixes.append((*key, name))
        elif exact.setdefault(key, name) != name:
            raise document.error((number,), f"code {row['code']} stands under '{exact[key]}' and '{name}'")
    return Formulary(substances, exact, tuple(sorted(prefixes, key=lambda one: (-len(one[1]), one))))
