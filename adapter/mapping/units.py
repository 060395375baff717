"""Dirty spellings of units → UCUM."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from adapter.domain.document import Document
from adapter.mapping.reading import table, words

MICRO = dict.fromkeys((0xB5, 0x3BC, 0xDCB5, 0xDCEC, 0xDCE6, 0xFFFD, 0x385, 0xEC, 0xE6, 0xBC, 0x38C), "u")
"""Micro sign and Greek mu; then what is left of them read in another charset (clinical 6.1, trap 4): one byte of Latin-1,
Greek or DOS, or the second of the two of UTF-8."""
FIRST_OF_TWO = dict.fromkeys((0xC2, 0xCE, 0x392, 0x39E))
"""The first byte of a micro sign or mu in UTF-8, read as Latin-1 or as Greek."""
RAISED = {0xB3: "*3", 0x2076: "*6", 0x2079: "*9"}
"""NFKC would make 103 of 10³."""
AS_MEANT = MICRO | FIRST_OF_TWO | RAISED


def folded(spelling: str) -> str:
    """What two spellings of one unit have in common: `10^9/l`, `10*9/L` and `10 * 9 / L` fold to the same."""
    text = unicodedata.normalize("NFKC", spelling.translate(AS_MEANT)).translate(MICRO)
    return "".join(text.split()).replace("^", "*").replace("×", "x").lower()


@dataclass(frozen=True, slots=True)
class Units:
    """`exact` is looked at before `folded`, because "G/L" is giga and "g/L" is gram."""

    exact: Mapping[str, str]
    folded: Mapping[str, str]

    def ucum(self, spelling: str) -> str | None:
        """The UCUM unit a hospital's spelling means; `None` if nobody said."""
        stripped = spelling.strip()
        return self.exact.get(stripped) or self.folded.get(folded(stripped))

    def named(self, names: Mapping[str, tuple[str, ...]]) -> "Units":
        """With other names for units that are known: UCUM → names."""
        known = {name: unit for unit, spelled in names.items() for name in spelled if unit in self.known}
        return self.beside(known)

    def beside(self, spellings: Mapping[str, str]) -> "Units":
        """These units, with a site's own spellings before them."""
        mine = {folded(spelling): unit for spelling, unit in spellings.items()}
        return replace(self, exact={**self.exact, **spellings}, folded={**self.folded, **mine})

    @property
    def known(self) -> frozenset[str]:
        return frozenset((*self.exact.values(), *self.folded.values()))


def read_units(document: Document, canonical: Iterable[str]) -> Units:
    """mappings/units.yaml; `canonical` are the UCUM units the concepts speak of, the only ones worth spelling."""
    units = frozenset(canonical)
    exact = {unit: unit for unit in units}
    found = {folded(unit): unit for unit in sorted(units, reverse=True)}
    for section, target in (("exact", exact), ("spellings", found)):
        for unit, spellings in table(document, (section,), units or None).items():
            for spelling in words(document, (section, unit), spellings):
                target[spelling if section == "exact" else folded(spelling)] = unit
    return Units(exact, found)
