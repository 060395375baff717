"""Dirty spellings of units."""

import pytest

from tests.builders import dictionary


@pytest.mark.parametrize(
    ("spelling", "ucum"),
    [
        ("10*3/uL", "10*3/uL"),
        ("K/ul", "10*3/uL"),
        ("10^9/L", "10*9/L"),
        ("x10^9/L", "10*9/L"),
        ("10 * 9 / l", "10*9/L"),
        ("G/l", "10*9/L"),
        ("Tsd/µl", "10*3/uL"),
        ("Tsd/μl", "10*3/uL"),
        ("nl", "10*3/uL"),
        ("µmol/L", "umol/L"),
        ("μmol/l", "umol/L"),
        ("mcmol/L", "umol/L"),
        ("\ufffdmol/L", "umol/L"),
        ("Âµmol/L", "umol/L"),
        ("mm Hg", "mm[Hg]"),
        ("mmHg", "mm[Hg]"),
        ("KPA", "kPa"),
        ("mcg/kg/min", "ug/kg/min"),
        ("mcg/kg/hour", "ug/kg/h"),
        ("mcg/minute", "ug/min"),
        ("ml/hour", "mL/h"),
        ("AB/C", "{AB}/{cell}"),
        ("antibodies bound per cell", "{AB}/{cell}"),
        ("kAB/C", "10*3{AB}/{cell}"),
        ("mL/24h", "mL/(24.h)"),
        (" % ", "%"),
    ],
)
def test_a_spelling_is_read(spelling: str, ucum: str) -> None:
    assert dictionary().units.ucum(spelling) == ucum


@pytest.mark.parametrize("spelling", ["", "g/L", "furlong", "mg/g", "ug/g Hb"])
def test_what_nobody_said_is_not_guessed(spelling: str) -> None:
    assert dictionary().units.ucum(spelling) is None


def test_a_byte_that_did_not_decode_may_have_been_a_micro_sign() -> None:
    assert dictionary().units.ucum(b"\xb5mol/L".decode("utf-8", "surrogateescape")) == "umol/L"
