"""Words of a search against what is said of a patient."""

import pytest

from adapter.web.question import Question
from adapter.web.tongue import speaking

SAID = ("Müller-Παράδειγμα", "Zoë", "ICU 2", "5", "12-345")


@pytest.mark.parametrize(
    "asked",
    ["MULLER", "müller-παραδειγμα, zoe", "Zoe, Muller", "MRN 12-345", "12345", "12-345", "12 345", "icu-2", "bed 5"],
)
def test_accents_case_and_what_divides_words_decide_nothing(asked: str) -> None:
    assert Question.of(asked).met([], SAID)


@pytest.mark.parametrize("asked", ["", "·", "bed", "MRN", "345-12", "bed 4", "bed 34", "Zoe Nobody"])
def test_what_is_not_said_is_not_found(asked: str) -> None:
    assert not Question.of(asked).met([], SAID)


@pytest.mark.parametrize(
    ("tongue", "asked"), [("de", "Bett 5"), ("de", "Pat.-Nr. 12-345"), ("el", "ΚΛΙΝΗ 5"), ("el", "Αρ. μητρώου 12-345")]
)
def test_the_words_of_the_page_are_those_of_the_readers_language(tongue: str, asked: str) -> None:
    with speaking(tongue):
        assert Question.of(asked).met([], SAID)
    assert not Question.of(asked).met([], SAID)


@pytest.mark.parametrize(
    ("asked", "met"),
    [("d9375c", True), ("Candidate D9375C", True), ("d9375c8fddea", True), ("d9375", False), ("9375c8", False)],
)
def test_a_candidate_is_found_by_the_number_in_a_message(asked: str, met: bool) -> None:
    assert Question.of(asked).met(["0123456789", "d9375c8fddea01f21935"], SAID) is met


def test_the_words_of_a_message_are_english_in_every_language() -> None:
    with speaking("nl"):
        assert Question.of("Candidate d9375c").met(["d9375c8fddea01f21935"], SAID)


def test_a_name_that_is_also_a_word_of_the_page_is_found_where_nothing_else_is_asked() -> None:
    assert Question.of("Bed").met([], ("Bedford", "Ann", "", "", "1"))
