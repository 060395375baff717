"""Concepts, units and intervals as a coordinator says them."""

from decimal import Decimal
from fractions import Fraction

import pytest

from adapter import assets
from adapter.domain.quantity import decimal_text
from adapter.eligibility.rules import comparisons
from adapter.scoring import thresholds, thresholds_sofa2
from adapter.scoring.ladder import Ladder
from adapter.scoring.thresholds import Columns
from adapter.web import sheet, words
from adapter.web.effects import effect


def test_known_words_are_the_wards_own_and_unknown_ones_are_shown() -> None:
    assert words.concept("mhladr") == "mHLA-DR"
    assert words.concept("ferritin.latest") == "Ferritin"
    assert words.concept("some-new-thing") == "Some new thing"
    assert words.quantity("4999", "{AB}/{cell}") == "4999\u00a0AB/cell"
    assert words.quantity("15", "{score}") == "15"


def test_a_computed_number_has_four_digits() -> None:
    long = {"1.40351": "1.404", ">194.286": ">194.3", "0.0166667": "0.01667", "5123.45": "5123"}
    assert {number: words.rounded(number) for number in long} == long
    for number in ("12", "1.2", "0.4", "12345.6", "", "positive"):
        assert words.rounded(number) == number


def limits() -> set[str]:
    """Every number that a score or a shipped trial compares a measurement with, in the units that values are converted to; a value
    told in the units of the printed SI columns is judged by those, and shown as it was sent.
    """
    ladders: list[Ladder] = []
    for value in (*vars(thresholds).values(), *vars(thresholds_sofa2).values()):
        told = value.values() if isinstance(value, dict) else (value,)
        columns = [one.conventional if isinstance(one, Columns) else one for one in told]
        ladders += [one for one in columns if isinstance(one, Ladder)]
    found = {step.bound for one in ladders for step in one.steps}
    for trial in assets.load_rulebook(None, trials=assets.trial_names(None)).trials:
        asked = (*(one.met_when for one in trial.criteria), *(one.met_when for one in trial.strata))
        found |= {one.value for rule in asked if rule for one in comparisons(rule) if isinstance(one.value, Fraction)}
    return {decimal_text(one) for one in found if one > 0}


@pytest.mark.parametrize("step", ["0.0000001", "0.00001", "0.001"])
def test_no_number_looks_as_if_it_were_at_a_limit_or_beyond_it(step: str) -> None:
    assert limits() >= {"1.2", "100", "0.1", "4420", "5000"}
    for limit in map(Decimal, limits()):
        for number in (limit - Decimal(step), limit + Decimal(step)):
            shown = Decimal(words.rounded(f"{number:f}"))
            assert (shown < limit) == (number < limit), (number, shown)
            assert shown != limit, (number, shown)


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
