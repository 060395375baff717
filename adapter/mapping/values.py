"""OBX-2, OBX-5 and OBX-6 → a value in the concept's own unit, or the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from adapter.domain.ledger import Bucket
from adapter.domain.quantity import Comparator, Quantity
from adapter.hl7.datatypes import Number, grouping_ambiguous, number, structured_number
from adapter.hl7.er7 import Segment
from adapter.hl7.tables import NULL
from adapter.mapping.dictionary import Concept, Dictionary
from adapter.mapping.misplaced import apart, of_range, scored
from adapter.mapping.oxygen import oxygen_fraction
from adapter.mapping.plain import plain, same_word
from adapter.mapping.site import SiteMap

CODED = frozenset({"CE", "CWE", "CNE", "CF", "IS", "ID"})
COMPOSED = CODED | {"SN", "CQ"}
EXACT = "DEC"
"""A number whose writing cannot be mistaken, as JSON has them: a point is a decimal mark whatever the site writes."""
NEVER_A_VALUE = frozenset({"ED", "RP", "EI"})
"""Embedded documents, pointers: stored, never parsed (reliability C43)."""
MOST_ANSWERS = 100
"""Repetitions of OBX-5 that are looked at."""
SEVERAL_ANSWERS = "several_answers"
"""The flag of an answer beside which others stand: the first of several organisms."""
PERCENT = "%"
TRAILING = "^&"
"""Separators behind which nothing stands."""
UNIT_COMPONENTS = (1, 2, 4)
"""OBX-6: identifier, text, alternate identifier."""


class Written(NamedTuple):
    """A result as the sender wrote it, taken apart but not judged: `parts` are OBX-5's components, `units` the spellings of OBX-6.

    `whole` is OBX-5 where it has several components and its type has none: `10^9` is not ten. `range` is OBX-7 where OBX-6 is
    silent: some senders write the unit there. `others` are the components of OBX-5's further repetitions.
    """

    type: str
    parts: tuple[str, ...]
    units: tuple[str, ...]
    repeated: bool = False
    whole: str = ""
    range: str = ""
    others: tuple[tuple[str, ...], ...] = ()

    @property
    def text(self) -> str:
        return self.parts[0].strip() if self.parts else ""

    @property
    def number(self) -> str:
        """Where a number is looked for."""
        return self.whole.strip() or self.text

    @property
    def empty(self) -> bool:
        return not any(part.strip() not in {"", NULL} for part in self.parts)


@dataclass(frozen=True, slots=True)
class Value:
    """What a result says: a quantity with the same number in its reported unit, or the code of an answer."""

    concept: Concept
    quantity: Quantity | None = None
    native: Quantity | None = None
    code: str | None = None
    flags: tuple[str, ...] = ()
    told: str = ""
    """As the digest of a result writes it (`identity.value_text`), where it is written already."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is no value; `code` is the issue's, `text` what to do next."""

    bucket: Bucket
    code: str
    text: str
    detail: str = ""


def written(obx: Segment) -> Written:
    kind = obx.text(2).strip().upper()
    parts = obx.components(5) if kind in CODED or kind == "SN" else (obx.text(5),)
    units = spellings(obx) or (quantity_unit(obx) if kind == "CQ" else ())
    whole = "" if kind in COMPOSED else obx.whole(5)
    if whole and whole.rstrip(TRAILING) == parts[0]:
        whole = ""
    count = obx.repetitions(5)
    others = tuple(obx.components(5, each) for each in range(2, min(count, MOST_ANSWERS) + 1)) if count > 1 else ()
    return Written(kind, parts, units, count > 1, whole, "" if units else obx.whole(7), others)


def spellings(obx: Segment) -> tuple[str, ...]:
    """Every way OBX-6 writes the unit; `10^9/L` whose hat is not escaped comes in two components and is meant whole."""
    given = obx.components(6)
    if len(given) == 1:
        unit = given[0].strip()
        return () if unit in {"", NULL} else (unit,)
    found = [given[component - 1].strip() for component in UNIT_COMPONENTS if component <= len(given)]
    found += [obx.whole(6).strip()]
    return tuple([unit for unit in found if unit not in {"", NULL}])


def quantity_unit(obx: Segment) -> tuple[str, ...]:
    """The unit inside a CQ."""
    return tuple(unit for unit in (obx.text(5, 2).strip(),) if unit not in {"", NULL})


@dataclass(frozen=True, slots=True)
class ValueReader:
    """The words of one site; the same reader serves OBX and the coordinators' form."""

    site: SiteMap
    dictionary: Dictionary

    def read(self, concept: Concept, result: Written, default_unit: str = "") -> Value | Refused:
        """`default_unit` serves where the sender gives none."""
        if concept.kind == "code":
            return read_answer(concept, result, self.site.answers.get(concept.id, {}))
        unit = self.unit(concept, result, default_unit)
        if isinstance(unit, Refused):
            return unit
        if unit in concept.instead and concept.factor(unit) is None:
            return self.read(self.dictionary.concepts[concept.instead[unit]], result, unit)
        if unit and not concept.reads(unit):
            return Refused(
                Bucket.UNMAPPED_UNIT,
                "unmapped-unit",
                f"{concept.id} cannot be converted from this unit — ask the laboratory for {concept.unit}",
                unit,
            )
        found = self.measure(concept, result, unit)
        if isinstance(found, Refused) or result.units or unit in {default_unit, PERCENT}:
            return found
        return replace(found, flags=(*found.flags, "unit_misplaced"))

    def unit(self, concept: Concept, result: Written, default: str) -> str | Refused:
        """The UCUM unit; empty where the concept needs none and none was written."""
        known = list(filter(None, map(self.site.units.ucum, result.units)))
        stated = known[0] if known else None
        if stated is None and result.units:
            text = "this unit is not known — add it under 'units' in the site's file"
            return Refused(Bucket.UNMAPPED_UNIT, "unmapped-unit", text, result.units[0])
        other = next((unit for unit in known if unit != stated), None) or self.site.units.ucum(apart(result.number)[1])
        if stated is None and other is None:
            stated, other = default or None, self.site.units.ucum(of_range(result.range))
        if stated and other and not agree(concept, stated, other):
            text = "two different units are stated for this value — ask the sender which of them is meant"
            return Refused(Bucket.UNMAPPED_UNIT, "contradicting-units", text, f"{stated} {other}")
        return stated or other or self.no_unit(concept, default)

    def no_unit(self, concept: Concept, default: str) -> str | Refused:
        if not default and not concept.unitless:
            text = f"{concept.id} came without a unit — state one under 'codes' in the site's file if it never varies"
            return Refused(Bucket.UNMAPPED_UNIT, "missing-unit", text)
        return default

    def measure(self, concept: Concept, result: Written, unit: str) -> Value | Refused:
        if result.empty:
            return bad("no-value", "the result has no value — nothing to do unless the laboratory meant one")
        if result.repeated or result.type in NEVER_A_VALUE:
            return bad("unreadable-value", "the value is not one number — ask the laboratory for a numeric result")
        if self.ambiguous(concept, result, unit):
            return bad("ambiguous-number", "the mark may group thousands or be a decimal mark — ask the sender which")
        found = self.number(concept, result)
        if found is None:
            return bad("unreadable-value", "the value is no number — look at the original result")
        return measured(concept, found, unit)

    def number(self, concept: Concept, result: Written) -> Number | None:
        if result.type == "SN":
            return structured_number(result.parts, decimal=self.site.decimal)
        stands_for = concept.values.get(result.text.lower())
        if stands_for is not None:
            return Number(stands_for)
        text = self.bare(result.number)
        return number(scored(text) if concept.whole else text, decimal=self.mark(result))

    def mark(self, result: Written) -> str:
        return "." if result.type == EXACT else self.site.decimal

    def bare(self, text: str) -> str:
        """The text without a unit behind it."""
        first, unit = apart(text)
        return first if unit and self.site.units.ucum(unit) else text

    def ambiguous(self, concept: Concept, result: Written, unit: str) -> bool:
        """`4.420` of ferritin may be 4420; `1.234` of creatinine cannot be 1234: the other reading must be plausible."""
        if result.type == EXACT:
            return False
        text = result.parts[1] if result.type == "SN" and len(result.parts) > 1 else self.bare(result.number)
        if not grouping_ambiguous(text, self.site.decimal):
            return False
        grouped = Fraction("".join(letter for letter in text if letter.isdigit()))
        limits = concept.plausible or concept.possible
        other = grouped * (concept.factor(unit or concept.unit) or 1)
        return limits is None or limits[0] <= other <= limits[1]


def agree(concept: Concept, one: str, other: str) -> bool:
    """Whether two units are the same for this concept; an oxygen fraction says by its size which of its own is meant (clinical 2.5).

    `30 L/min` under `%` is no fraction of 0.3: it is a flow.
    """
    factors = concept.factor(one), concept.factor(other)
    return one == other or (None not in factors and (factors[0] == factors[1] or concept.room_air is not None))


def measured(concept: Concept, found: Number, unit: str) -> Value | Refused:
    sign = Comparator(found.comparator) if found.comparator else None
    if concept.room_air is not None:
        return oxygen(concept, found, unit)
    native = Quantity(found.value, unit or concept.unit, sign)
    if native.unit in concept.kept and native.value > 0:
        return Value(concept, native=native)
    quantity = concept.canonical(native)
    if quantity is None or impossible(concept, quantity):
        text = f"outside what a body can show for {concept.id} — probably another unit or field; ask the sender"
        return bad("impossible-value", text)
    flags = [concept.unit_flags[native.unit]] if native.unit in concept.unit_flags else []
    if outside(quantity, concept.plausible):
        flags.append("implausible")
    return Value(concept, quantity, native, flags=tuple(flags))


def impossible(concept: Concept, quantity: Quantity) -> bool:
    """Bounds (`<5`) are kept: they say where the value is not (clinical 2.4)."""
    broken = concept.whole and quantity.value.denominator != 1
    return broken or outside(quantity, concept.possible)


def outside(quantity: Quantity, limits: tuple[Fraction, Fraction] | None) -> bool:
    return quantity.comparator is None and limits is not None and not limits[0] <= quantity.value <= limits[1]


def oxygen(concept: Concept, found: Number, unit: str) -> Value | Refused:
    reading = None if found.comparator else oxygen_fraction(concept, found.value, unit)
    if reading is None:
        return bad("impossible-value", "no inspired oxygen fraction reads like this — perhaps a flow; ask the sender")
    quantity = Quantity(reading.fraction, concept.unit)
    return Value(concept, quantity, Quantity(found.value, reading.unit), flags=reading.flags)


def read_answer(concept: Concept, result: Written, local: Mapping[str, str]) -> Value | Refused:
    """A coded answer by its code or its words, `local` before the dictionary's.

    With open answers the sender's words, else its code, in lower case. Answers that contradict each other are none.
    """
    if result.type in NEVER_A_VALUE:
        return bad("unreadable-value", "a document or a pointer is no answer — ask the laboratory for a coded result")
    given = [one for one in (result.parts, *result.others) if stated(one)]
    if not given:
        return bad("no-value", "the result has no answer — nothing to do unless the laboratory meant one")
    answers = [known_answers(one, local) or known_answers(one, concept.answers) for one in given]
    if concept.open_answers:
        found = [next(iter(known), "") or own_words(one) for known, one in zip(answers, given, strict=True)]
        return Value(concept, code=found[0], flags=(SEVERAL_ANSWERS,) if len(set(found)) > 1 else ())
    if not all(answers):
        text = f"this answer is not known — add it under 'answers: {concept.id}' in the site's file"
        return Refused(Bucket.BAD_VALUE, "unmapped-answer", text, concept.id)
    meant = {answer for known in answers for answer in known}
    if len(meant) > 1:
        text = "two answers that contradict each other are stated — ask the sender which of them is meant"
        return Refused(Bucket.BAD_VALUE, "contradicting-answers", text, concept.id)
    return Value(concept, code=meant.pop())


def stated(parts: tuple[str, ...]) -> list[str]:
    return [plain(part) for part in parts if part.strip() not in {"", NULL}]


def known_answers(parts: tuple[str, ...], answers: Mapping[str, str]) -> list[str]:
    """Ours for each part that is one, in the order of the parts."""
    return [answers[word] for word in map(same_word, stated(parts)) if word in answers]


def own_words(parts: tuple[str, ...]) -> str:
    return (stated(parts[1:2]) or stated(parts))[0].lower()


def bad(code: str, text: str) -> Refused:
    return Refused(Bucket.BAD_VALUE, code, text)
