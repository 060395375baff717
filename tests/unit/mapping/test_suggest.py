"""What an unmapped thing may mean: by its name in four languages, its unit, its values; said with reasons, and never sure."""

from fractions import Fraction

import pytest

from adapter.mapping import suggest
from adapter.mapping.suggest import Shape, Suggestion
from tests.builders import dictionary

DICTIONARY = dictionary()
UNITS = DICTIONARY.units


def best(
    name: str, unit: str = "", low: float | None = None, high: float | None = None, code: str = ""
) -> list[Suggestion]:
    ends = (None if end is None else Fraction(str(end)) for end in (low, high))
    return suggest.concepts(Shape(code, (name,), (unit,) if unit else (), *ends), DICTIONARY, UNITS)


@pytest.mark.parametrize(
    ("name", "unit", "low", "high", "concept"),
    [
        ("Thrombozyten im EDTA-Blut", "G/l", 12, 420, "platelets"),
        ("trombocyten", "10*9/L", 12, 420, "platelets"),
        ("ΑΙΜΟΠΕΤΑΛΙΑ", "10*3/uL", 12, 420, "platelets"),
        ("Kreatinine", "umol/L", 45, 600, "creatinine"),
        ("Φερριτίνη ορού", "ng/ml", 5, 9000, "ferritin"),
        ("Lactaat", "mmol/L", 0.5, 9, "lactate"),
        ("Leukozyten", "G/l", 1, 30, "wbc"),
        ("Neutrofielen", "%", 20, 95, "neutrophil-percent"),
        ("Neutrofielen", "10*9/L", 1, 20, "neutrophils"),
        ("Bilirubine totaal", "umol/L", 3, 200, "bilirubin"),
        ("Procalcitonine", "ug/L", 0, 40, "procalcitonin"),
    ],
)
def test_the_concept_meant_stands_first_and_far_in_front(
    name: str, unit: str, low: float, high: float, concept: str
) -> None:
    first, *others = best(name, unit, low, high)
    assert first.meaning == concept
    assert first.score >= 70
    assert all(other.score <= first.score - 20 for other in others)
    assert len(first.reasons) == 3


@pytest.mark.parametrize(
    ("name", "unit", "why"),
    [
        ("Bilirubin direkt", "mg/dL", "'direkt' in its name"),
        ("Kreatinin im Urin", "mmol/L", "'urin' in its name"),
        ("Γαλακτικό φλεβικό", "mmol/L", "'φλεβικο' in its name"),
        ("Leukozyten", "mg/dL", "its unit mg/dL cannot be converted"),
        ("COVID-19 PCR", "mg/dL", "this is an answer in words"),
    ],
)
def test_what_contradicts_is_said_and_costs_more_than_the_name_gives(name: str, unit: str, why: str) -> None:
    first = best(name, unit)[0]
    assert first.score < 45
    assert any(why in reason for reason in first.reasons)


def test_values_that_no_body_shows_speak_against_it() -> None:
    first = best("Creatinine", "mg/dL", 60, 900)[0]
    assert first.score < 45
    assert "but none of its values is possible for it (0 to 40 mg/dL)" in first.reasons
    assert "but some of its values are not plausible" in best("Creatinine", "mg/dL", 1, 30)[0].reasons[2]


def test_nothing_is_suggested_for_what_is_like_nothing() -> None:
    assert best("Natrium", "mmol/L", 120, 160) == []
    assert best("", code="Q77") == []


def test_a_spelling_is_read_among_the_units_of_the_concept_it_came_with() -> None:
    shape = Shape("10E9/L", low=Fraction(50), high=Fraction(400))
    first, *_ = suggest.spellings(shape, [DICTIONARY.concepts["platelets"]], UNITS)
    assert (first.meaning, first.score) == ("10*9/L", 100)
    assert {one.meaning for one in suggest.spellings(shape, [], UNITS)} <= UNITS.known


def test_drugs_and_specimens_are_found_by_their_names() -> None:
    substances = dict.fromkeys(DICTIONARY.formulary.substances, ())
    first, *_ = suggest.words(Shape("N1", ("Norepinephrin 1 mg/ml",)), substances)
    assert first.meaning == "norepinephrine"


def test_every_concept_has_a_name_in_every_language_and_none_that_is_another_concepts() -> None:
    seen: dict[tuple[str, str], str] = {}
    for concept in DICTIONARY.concepts.values():
        assert set(concept.synonyms) == set(suggest.LANGUAGES) - {""}, concept.id
        for language, words in concept.synonyms.items():
            assert words, concept.id
            for word in words:
                assert seen.setdefault((language, word.casefold()), concept.id) == concept.id
