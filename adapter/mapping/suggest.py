"""What an unmapped code, unit, drug or specimen most likely means, with the reasons in words; proposed, never applied."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from adapter.mapping.dictionary import Concept, Dictionary, Range
from adapter.mapping.likeness import WORD, Letters, alike, letters
from adapter.mapping.plain import same_word
from adapter.mapping.units import Units

LIKE_ENOUGH = 0.45
"""Below this a name alone suggests nothing."""
BY_NAME, BY_UNIT, BY_RANGE = 70, 18, 12
"""Of a hundred points; what contradicts takes points instead."""
AGAINST = 0.35
"""What is left of the points where unit or values cannot be this concept's."""
MOST = 3
OTHERWISE = [
    "direct",
    "direkt",
    "conjug",
    "konjug",
    "gekonj",
    "αμεσ",
    "urin",
    "ουρ",
    "venous",
    "veno",
    "veneu",
    "φλεβ",
    "clearance",
    "ratio",
    "quotient",
    "liquor",
    "csf",
    "λογος",
    "volum",
    "reticul",
    "retikul",
    "immatur",
    "unreif",
    "onrijp",
    "isoenzym",
]
"""Beginnings of words that make another thing of a name, where the concept's own name does not hold them."""
AWAY = tuple(same_word(word) for word in OTHERWISE)
LANGUAGES = {"en": "English", "nl": "Dutch", "de": "German", "el": "Greek", "": "our own name"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of an unmapped thing: its code, the names and units it came with, and the range of its numbers.

    `worded`: how many of its results were no numbers.
    """

    code: str
    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    low: Fraction | None = None
    high: Fraction | None = None
    worded: int = 0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`meaning` is what the site's file would say; `score` from 0 to 100, a help for the eye and no probability."""

    meaning: str
    display: str
    score: int
    reasons: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Name:
    letters: Letters
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a unit or a range says about a concept: 1 for it, 0 nothing, -1 against it."""

    weight: int
    reason: str = ""


def concepts(shape: Shape, dictionary: Dictionary, units: Units) -> list[Suggestion]:
    """The likeliest concepts of a code, the best first."""
    said = tuple(letters(name) for name in (*shape.names, shape.code) if name)
    found = [_judged(shape, concept, said, units) for concept in dictionary.concepts.values()]
    return _best(one for one in found if one is not None)


def _judged(shape: Shape, concept: Concept, said: tuple[Letters, ...], units: Units) -> Suggestion | None:
    known, likeness = _nearest(said, _names(concept.id, concept))
    if likeness < LIKE_ENOUGH:
        return None
    unit, values = _of_unit(shape, concept, units), _of_range(shape, concept, units)
    points = BY_NAME * likeness + BY_UNIT * max(unit.weight, 0) + BY_RANGE * max(values.weight, 0)
    other = _of_words(shape, known)
    if min(unit.weight, values.weight, other.weight) < 0:
        points *= AGAINST
    like = f"its name is like '{known.text}' ({LANGUAGES[known.language]})"
    reasons = (like, unit.reason, values.reason, other.reason)
    return Suggestion(concept.id, concept.display, round(points), tuple(filter(None, reasons)))


@cache
def _of(text: str, language: str) -> Name:
    return Name(letters(text), text, language)


def _names(own: str, concept: Concept) -> Iterator[Name]:
    yield _of(concept.display, "")
    yield _of(own, "")
    for language, words in concept.synonyms.items():
        yield from (_of(word, language) for word in words)


def _nearest(said: Iterable[Letters], names: Iterable[Name]) -> tuple[Name, float]:
    """The known name that is nearest to anything said."""
    spoken = tuple(said)
    scored = ((name, max((alike(one, name.letters) for one in spoken), default=0.0)) for name in names)
    return max(scored, key=lambda one: one[1], default=(Name(frozenset(), "", ""), 0.0))


def _of_words(shape: Shape, known: Name) -> Verdict:
    own = same_word(known.text)
    for word in (word for name in shape.names for word in WORD.findall(same_word(name))):
        if word.startswith(AWAY) and word not in own:
            return Verdict(-1, f"but '{word}' in its name may say that it is something else: ask the laboratory")
    return Verdict(0)


def _of_unit(shape: Shape, concept: Concept, units: Units) -> Verdict:
    if concept.kind == "code":
        numbers = bool(shape.units) or (shape.low is not None and not shape.worded)
        return Verdict(-1, "but it comes with numbers, and this is an answer in words") if numbers else Verdict(0)
    if not shape.units:
        return Verdict(0, "it came without a unit: state one with --unit" if not concept.unitless else "")
    for spelling in shape.units:
        unit = units.ucum(spelling)
        if unit is None:
            continue
        if concept.factor(unit) is None:
            return Verdict(-1, f"but its unit {spelling} cannot be converted to {concept.unit}")
        return Verdict(1, f"its unit {spelling} is one of this concept's ({unit})")
    return Verdict(0, f"its unit {shape.units[0]} is not known: add it with --unit-spelling")


def _of_range(shape: Shape, concept: Concept, units: Units) -> Verdict:
    """Judged in the concept's own unit; where the unit is not known, not at all."""
    factor = _factor(shape, concept, units)
    limits = concept.plausible or concept.possible
    if factor is None or limits is None or shape.low is None or shape.high is None:
        return Verdict(0)
    low, high = shape.low * factor, shape.high * factor
    if limits[0] <= low and high <= limits[1]:
        return Verdict(1, f"all its values are plausible for it ({_span(limits)} {concept.unit})")
    widest = concept.possible or limits
    if high < widest[0] or low > widest[1]:
        return Verdict(-1, f"but none of its values is possible for it ({_span(widest)} {concept.unit})")
    return Verdict(0, f"but some of its values are not plausible for it ({_span(limits)} {concept.unit})")


def _factor(shape: Shape, concept: Concept, units: Units) -> Fraction | None:
    if not shape.units:
        return Fraction(1) if concept.unitless else None
    return next((concept.factor(unit) for one in shape.units if (unit := units.ucum(one)) is not None), None)


def _span(limits: Range) -> str:
    return f"{float(limits[0]):g} to {float(limits[1]):g}"


def spellings(shape: Shape, at: Iterable[Concept], units: Units) -> list[Suggestion]:
    """The likeliest UCUM units of a spelling, among those of the concepts it came with (`at`); all known ones where none."""
    here = tuple(at)
    wanted = {unit for one in here for unit in (one.unit, *one.also, *one.instead)} or set(units.known)
    said = _unmarked(shape.code)
    found = []
    for unit in sorted(wanted - {""}):
        written = [unit, *(spelling for spelling, meant in units.folded.items() if meant == unit)]
        known, likeness = max(((one, alike(said, _unmarked(one))) for one in written), key=lambda one: one[1])
        fits = [_fits(shape, concept, unit) for concept in here if concept.factor(unit) is not None]
        points = BY_NAME * likeness + (BY_UNIT + BY_RANGE) * any(fit.weight > 0 for fit in fits)
        if any(fit.weight < 0 for fit in fits):
            points *= AGAINST
        reasons = (f"it is written like '{known}'" if likeness else "", *(fit.reason for fit in fits))
        if points >= 100 * (1 - LIKE_ENOUGH) / 2:
            found.append(Suggestion(unit, unit, round(points), tuple(dict.fromkeys(filter(None, reasons)))))
    return _best(found)


def _fits(shape: Shape, concept: Concept, unit: str) -> Verdict:
    known = Units({shape.code: unit}, {})
    return _of_range(Shape(shape.code, units=(shape.code,), low=shape.low, high=shape.high), concept, known)


@cache
def _unmarked(unit: str) -> Letters:
    """A unit by its letters and pairs of letters: too short for threes."""
    text = "".join(letter for letter in unit.lower().replace("×", "x") if letter.isalnum() or letter in "%/")
    return frozenset((*text, *(text[at : at + 2] for at in range(len(text) - 1))))


def words(shape: Shape, known: Mapping[str, Iterable[str]]) -> list[Suggestion]:
    """Drugs and specimens: our words that are most alike, `known` with their spellings."""
    said = tuple(letters(name) for name in (*shape.names, shape.code) if name)
    found = []
    for meaning, written in known.items():
        nearest, likeness = _nearest(said, (_of(one, "") for one in (meaning, *written)))
        if likeness >= LIKE_ENOUGH:
            reasons = (f"its name is like '{nearest.text}'",)
            found.append(Suggestion(meaning, meaning, round(100 * likeness), reasons))
    return _best(found)


def _best(found: Iterable[Suggestion]) -> list[Suggestion]:
    return sorted(found, key=lambda one: (-one.score, one.meaning))[:MOST]
