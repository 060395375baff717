"""Concepts, units and intervals as a coordinator says them."""

import pytest

from adapter.web import sheet, words
from adapter.web.effects import effect


def test_known_words_are_the_wards_own_and_unknown_ones_are_shown() -> None:
    assert words.concept("mhladr") == "mHLA-DR"
    assert words.concept("ferritin.latest") == "Ferritin"
    assert words.concept("some-new-thing") == "Some new thing"
    assert words.quantity("4999", "{AB}/{cell}") == "4999\u00a0AB/cell"
    assert words.quantity("15", "{score}") == "15"


def test_an_interval_shows_both_ends_only_where_they_differ() -> None:
    assert words.interval(5, 9) == "5–9"
    assert words.interval(6, 6) == "6"
    assert words.interval(-2, 3) == "−2 to 3"
    assert words.interval(None, None) == "–"


def test_unknown_never_counts_as_passed() -> None:
    assert effect("inclusion", "met") == effect("exclusion", "not-met") == "fits"
    assert effect("inclusion", "not-met") == effect("exclusion", "met") == "stops"
    assert effect("inclusion", "unknown") == effect("exclusion", "unknown") == "open"


def test_an_answer_says_what_it_leads_to() -> None:
    said = [sheet.meaning(kind, answer) for kind in ("inclusion", "exclusion") for answer in ("met", "not-met")]
    assert said == ["Met (stays in)", "Not met (rules out)", "Met (rules out)", "Not met (stays in)"]
    assert sheet.meaning("exclusion", "unknown") == "Still unknown"


@pytest.mark.parametrize(
    ("name", "shown"), [("Παράδειγμα", "ΠΑΡΑΔΕΙΓΜΑ"), ("García", "GARCÍA"), ("Müller", "MÜLLER"), ("Άβολος", "ΑΒΟΛΟΣ")]
)
def test_a_greek_family_name_in_capitals_has_no_accent(name: str, shown: str) -> None:
    assert words.capitals(name) == shown
