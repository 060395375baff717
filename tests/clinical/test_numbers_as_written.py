"""Numbers and units as laboratories write them, from the bytes of an OBX to the value believed (clinical 6.1.4, reliability C33 to C41).

What may mean two things is never guessed: it is an issue, and the result counts as missing.
"""

from functools import cache

import pytest

from adapter.domain.events import ObservationReceived
from adapter.domain.quantity import decimal_text
from adapter.screening.interpret import Interpretation, interpret
from tests.builders import er7, msh, obr, pid, pv1, raw
from tests.catalogue.bench import rules

FERRITIN, PLATELETS, CREATININE, BILIRUBIN, LACTATE = "2276-4", "777-3", "2160-0", "1975-2", "2518-9"
URINE_OF_A_DAY = "9192-6"
PAO2, FIO2, MAP, URINE, GCS, PERCENT = "2703-7", "3150-0", "8478-0", "9187-6", "9269-2", "770-8"
GCS_EYE, RASS = "9267-6", "54632-5"
COMMA = "comma"
"""The site of the catalogue that writes decimal commas; otherwise like `generic`."""


@cache
def heads() -> tuple[str, ...]:
    return msh("ORU^R01"), pid(), pv1(), obr()


def told(
    code: str, value: str, unit: str = "", *, kind: str = "NM", range_: str = "", site: str = "generic"
) -> Interpretation:
    line = f"OBX|1|{kind}|{code}^^LN||{value}|{unit}|{range_}||||F"
    return interpret(raw(er7(*heads(), line), site=site), rules(), message_id="1")


def believed(seen: Interpretation) -> str:
    """`concept value unit` of the one result, or the code of the issue that stands in its place."""
    found = [event.observation for event in seen.events if isinstance(event, ObservationReceived)]
    if not found:
        return next(issue.code for issue in seen.issues if issue.where.startswith("OBX"))
    (one,) = found
    assert one.quantity is not None
    return f"{one.quantity.comparator or ''}{decimal_text(one.quantity.value)}"


NUMBERS = [
    ("5200", "5200"),
    (" 5200 ", "5200"),
    ("+5200", "5200"),
    ("5200.50", "5200.5"),
    (".5", "0.5"),
    ("5.", "5"),
    ("<5", "<5"),
    ("< 5", "<5"),
    ("<=5", "<=5"),
    ("=<5", "<=5"),
    (">100", ">100"),
    (">=100", ">=100"),
    ("≥100", ">=100"),
    ("≤5", "<=5"),
    ("=5", "5"),
    ("5200\u00a0", "5200"),
    # which of two numbers, nobody can say
    ("4.420", "ambiguous-number"),
    ("4,420", "ambiguous-number"),
    ("<4.420", "ambiguous-number"),
    # no decimal comma here, and no marks between thousands
    ("42,8", "unreadable-value"),
    ("1,234.5", "unreadable-value"),
    ("1.234,5", "unreadable-value"),
    ("1 234", "unreadable-value"),
    ("1\u00a0234", "unreadable-value"),
    ("1'234", "unreadable-value"),
    # neither exponents, nor ranges, titres, grades and words
    ("1e3", "unreadable-value"),
    ("1.5E3", "unreadable-value"),
    ("10^3", "unreadable-value"),
    ("1.2 x 10^3", "unreadable-value"),
    ("10-20", "unreadable-value"),
    ("10 - 20", "unreadable-value"),
    ("1:40", "unreadable-value"),
    ("+", "unreadable-value"),
    ("+++", "unreadable-value"),
    ("5200+", "unreadable-value"),
    ("5200 H", "unreadable-value"),
    ("*5200", "unreadable-value"),
    ("5^3", "unreadable-value"),
    ("5&3", "unreadable-value"),
    ("5200^^", "5200"),
    ("~5200", "no-value"),
    ("5200~5300", "unreadable-value"),
    ("--5", "unreadable-value"),
    ("haemolysed", "unreadable-value"),
    # what only a programming language reads
    ("NaN", "unreadable-value"),
    ("inf", "unreadable-value"),
    ("1e400", "unreadable-value"),
    ("0x1F", "unreadable-value"),
    ("1_000", "unreadable-value"),
    ("５２００", "unreadable-value"),
    ("٥٢٠٠", "unreadable-value"),
    ("²", "unreadable-value"),
    # nothing
    ("", "no-value"),
    (" ", "no-value"),
    ('""', "no-value"),
    # beyond a body
    ("-5", "impossible-value"),
    ("5200000", "impossible-value"),
]


@pytest.mark.parametrize(
    ("code", "written", "expected"),
    [
        (RASS, "-4 Deep sedation", "-4"),
        (RASS, "-4 - Deep sedation (no response to voice)", "-4"),
        (RASS, "+1 Restless", "1"),
        (RASS, "0 = Alert and calm", "0"),
        (RASS, "-5: unarousable", "-5"),
        (GCS, "15 Fully awake", "15"),
        (GCS_EYE, "2-To pain", "2"),
        (RASS, "-4 to -5", "unreadable-value"),
        (RASS, "-4 <-> deep", "unreadable-value"),
        (RASS, "-4.5 Deep sedation", "unreadable-value"),
        (RASS, "<-2 Light sedation", "unreadable-value"),
        (GCS, "10T", "unreadable-value"),
        (GCS, "10 T", "unreadable-value"),
        (GCS, "10 / 15", "unreadable-value"),
        (GCS, "3E 4V 5M", "unreadable-value"),
        (RASS, "-9 Deep sedation", "impossible-value"),
        (PLATELETS, "180 Tsd clumped", "unreadable-value"),
    ],
)
@pytest.mark.parametrize("kind", ["ST", "TX"])
def test_the_points_of_a_scale_stand_before_their_words(code: str, written: str, expected: str, kind: str) -> None:
    assert believed(told(code, written, "10*3/uL" if code == PLATELETS else "", kind=kind)) == expected


@pytest.mark.parametrize(("written", "expected"), NUMBERS)
@pytest.mark.parametrize("kind", ["NM", "ST", "TX", "FT", ""])
def test_a_number(written: str, expected: str, kind: str) -> None:
    assert believed(told(FERRITIN, written, "ng/mL", kind=kind)) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("42,8", "42.8"),
        ("<0,5", "<0.5"),
        ("5200", "5200"),
        ("4,420", "ambiguous-number"),
        ("4.420", "ambiguous-number"),
        ("1.234.567", "unreadable-value"),
        ("42.8", "unreadable-value"),
        ("1.234,5", "unreadable-value"),
        ("1,2,3", "unreadable-value"),
        pytest.param("1" + ",234" * 2000, "unreadable-value", id="endless"),
    ],
)
def test_a_number_where_the_comma_is_decimal(written: str, expected: str) -> None:
    assert believed(told(FERRITIN, written, "ng/mL", site=COMMA)) == expected


def test_a_mark_before_three_digits_is_decimal_where_a_thousand_is_no_answer() -> None:
    assert believed(told(CREATININE, "1.234", "mg/dL")) == "1.234"
    assert believed(told(CREATININE, "1,234", "mg/dL", site=COMMA)) == "1.234"
    assert believed(told(CREATININE, "1.234", "umol/L")) == "ambiguous-number"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("^5200", "5200"),
        ("=^5200", "5200"),
        (">^100", ">100"),
        (">=^100", ">=100"),
        ("<^5", "<5"),
        ("^10^-^20", "unreadable-value"),
        ("^1^:^128", "unreadable-value"),
        ("^2^+", "unreadable-value"),
        ("<>^5", "unreadable-value"),
        ("^4.420", "ambiguous-number"),
        ("^5e3", "unreadable-value"),
        ("^>5", "unreadable-value"),
        ("5200", "unreadable-value"),
        ("^", "no-value"),
    ],
)
def test_a_structured_number(written: str, expected: str) -> None:
    assert believed(told(FERRITIN, written, "ng/mL", kind="SN")) == expected


UNITS = [
    # platelets 98 ×10³/µL, in every way it is written
    *(
        (PLATELETS, "98", unit, "98")
        for unit in ("10*3/uL", "10^3/uL", "10^3/µL", "10³/µl", "10E3/uL", "x10E3/uL", "10**3/uL", "E3/uL")
    ),
    *(
        (PLATELETS, "98", unit, "98")
        for unit in ("10*9/L", "10^9/L", "10^9/l", "10E9/L", "x10^9/l", "X 10^9/L", "×10⁹/L", "10⁹/l", "E9/l")
    ),
    *(
        (PLATELETS, "98", unit, "98")
        for unit in ("Tsd/µl", "Tsd./µl", "G/l", "G/L", "Gpt/l", "Mrd/l", "thou/uL", "Thous/mcL", "THOUSAND/UL")
    ),
    *(
        (PLATELETS, "98", unit, "98")
        for unit in ("K/uL", "K/µL", "k/mm3", "K/mm³", "nl", "/nl", "1/nl", "10^3/mmc", "10³/mm³", "th/cumm")
    ),
    *(
        (PLATELETS, "98000", unit, "98")
        for unit in ("/uL", "/µl", "cells/uL", "Zellen/µl", "/mm3", "/mm³", "/cumm", "/mmc", "10*6/L")
    ),
    # the micro sign, as itself, as Greek, encoded twice, read in the wrong set
    *(
        (BILIRUBIN, "17.1", unit, "1")
        for unit in ("umol/L", "µmol/L", "μmol/L", "Âµmol/L", "Î¼mol/L", "\ufffdmol/L", "mcmol/L", "UMOL/L")
    ),
    *(
        (BILIRUBIN, "17.1", unit, "1")
        for unit in ("\u0385mol/L", "\u0392\u0385mol/L", "\u039e\u038cmol/L", "ìmol/L", "æmol/L")
    ),
    *((BILIRUBIN, "1.2", unit, "1.2") for unit in ("mg/dL", "mg/dl", "mg%", "mg/100mL", "MG/DL", "mg / dL")),
    (BILIRUBIN, "12", "mg/L", "1.2"),
    *((FERRITIN, "5200", unit, "5200") for unit in ("ng/mL", "ug/L", "µg/l", "mcg/L", "NG/ML", "㎍/L")),
    (FERRITIN, "5.2", "ug/mL", "5200"),
    (LACTATE, "2.1", "mM", "2.1"),
    *((URINE_OF_A_DAY, "1500", unit, "1500") for unit in ("mL", "mL/(24.h)", "mL/24h", "mL/d", "ml/d", "ml/Tag")),
    *((URINE_OF_A_DAY, "1.5", unit, "1500") for unit in ("L", "L/d", "l/24 h")),
    *((PAO2, "68", unit, "68") for unit in ("mm[Hg]", "mmHg", "mm Hg", "MMHG", "Torr")),
    (PAO2, "10", "kPa", "75.0062"),
    # what may mean two things, or nothing we know
    *(
        (PLATELETS, "98", unit, "unmapped-unit")
        for unit in ("T/µl", "M/uL", "m/uL", "g/L", "10.9/L", "10-9/L", "10 9/L", "109/L", "103/uL")
    ),
    *((PLATELETS, "98", unit, "unmapped-unit") for unit in ("mm3", "%", "mg/dL", "U/L", "10*3", "?", "N/A")),
    *((LACTATE, "2.1", unit, "unmapped-unit") for unit in ("mm", "mEq/L", "mol/L")),
    (FERRITIN, "5200", "ng/dL", "unmapped-unit"),
    (PLATELETS, "98", "", "missing-unit"),
    (PLATELETS, "98", '""', "missing-unit"),
    # the size betrays another unit
    (PLATELETS, "98", "/uL", "impossible-value"),
    (PLATELETS, "98000", "10*9/L", "impossible-value"),
]


@pytest.mark.parametrize(("code", "value", "unit", "expected"), UNITS)
def test_a_unit(code: str, value: str, unit: str, expected: str) -> None:
    assert believed(told(code, value, unit)) == expected


@pytest.mark.parametrize(
    ("site", "byte"),
    [("latin", b"\xb5"), ("generic", b"\xb5"), ("generic", b"\xe6"), ("attikon", b"\xec"), ("attikon", b"\xb5")],
)
def test_a_micro_sign_of_one_byte(site: str, byte: bytes) -> None:
    """As a site that says nothing in MSH-18 sends it, right and wrong."""
    head = pid(authority="ATTIKON" if site == "attikon" else "HOSP")
    body = er7(msh("ORU^R01"), head, pv1(), obr(), f"OBX|1|NM|{BILIRUBIN}^^LN||17.1|@mol/L|||||F").replace(b"@", byte)
    assert believed(interpret(raw(body, site=site), rules(), message_id="1")) == "1"


MISPLACED = [
    # behind the number
    (PLATELETS, "98 10^9/L", "", "", "98"),
    (PLATELETS, "98 K/uL", "", "", "98"),
    (PLATELETS, "98K/uL", "", "", "98"),
    (PLATELETS, "<5 x10^9/L", "", "", "<5"),
    (PLATELETS, "98 *10^9/L", "", "", "98"),
    (BILIRUBIN, "17.1 µmol/L", "", "", "1"),
    (CREATININE, "1.234 mg/dL", "", "", "1.234"),
    (FERRITIN, "4.420 ng/mL", "", "", "ambiguous-number"),
    (URINE, "300 ml", "", "", "300"),
    (PERCENT, "85 %", "", "", "85"),
    (PERCENT, "85%", "%", "", "85"),
    # and in OBX-6 too: the same unit, another that is as large, or one that is not
    (PLATELETS, "98 K/uL", "10*3/uL", "", "98"),
    (PLATELETS, "98 G/l", "10*3/uL", "", "98"),
    (PLATELETS, "98 /uL", "10*3/uL", "", "contradicting-units"),
    (PLATELETS, "98 %", "10*3/uL", "", "contradicting-units"),
    (BILIRUBIN, "17.1 umol/L", "mg/dL", "", "contradicting-units"),
    (PLATELETS, "98 H", "10*3/uL", "", "unreadable-value"),
    # no unit, or no number
    (PLATELETS, "98 H", "", "", "missing-unit"),
    (PLATELETS, "1e3", "", "", "missing-unit"),
    (PLATELETS, "10E9/L", "", "", "missing-unit"),
    (PLATELETS, "10^9/L", "", "", "missing-unit"),
    (PLATELETS, "1 000 /uL", "", "", "missing-unit"),
    (PLATELETS, "10-20 K/uL", "", "", "missing-unit"),
    (PLATELETS, "98 1", "", "", "missing-unit"),
    # in the reference range
    (PLATELETS, "98", "", "150-400 10^9/L", "98"),
    (PLATELETS, "98", "", "150 - 400 K/uL", "98"),
    (PLATELETS, "98", "", "10*3/uL", "98"),
    (BILIRUBIN, "17.1", "", "<21 µmol/L", "1"),
    (BILIRUBIN, "17.1", "", "5,1 bis 20,5 µmol/l", "1"),
    (PLATELETS, "98 K/uL", "", "150-400 10^9/L", "98"),
    (PLATELETS, "98", "", "150-400", "missing-unit"),
    (PLATELETS, "98", "", "1", "missing-unit"),
    (PLATELETS, "98", "", "see comment", "missing-unit"),
    (PLATELETS, "98", "10*3/uL", "150000-400000 /uL", "98"),
]


@pytest.mark.parametrize(("code", "value", "unit", "range_", "expected"), MISPLACED)
def test_a_unit_in_another_place(code: str, value: str, unit: str, range_: str, expected: str) -> None:
    assert believed(told(code, value, unit, kind="ST", range_=range_)) == expected


def test_a_unit_from_another_place_is_flagged() -> None:
    for value, unit, range_, flags in (
        ("98 K/uL", "", "", ("unit_misplaced",)),
        ("98", "", "150-400 K/uL", ("unit_misplaced",)),
        ("98", "K/uL", "", ()),
    ):
        (event,) = (
            one
            for one in told(PLATELETS, value, unit, kind="ST", range_=range_).events
            if isinstance(one, ObservationReceived)
        )
        assert event.observation.flags == flags


def test_a_flow_in_the_place_of_an_oxygen_fraction_is_a_flow() -> None:
    (event,) = (one for one in told(FIO2, "4 L/min", kind="ST").events if isinstance(one, ObservationReceived))
    assert (event.observation.concept, event.observation.quantity and event.observation.quantity.value) == (
        "oxygen-flow",
        4,
    )


@pytest.mark.parametrize(
    ("value", "unit"), [("40 %", ""), ("40%", "%"), ("0.4", "1"), ("40", "1"), ("40 %", "1"), ("0.4", "%")]
)
def test_an_oxygen_fraction_is_read_by_its_size(value: str, unit: str) -> None:
    assert believed(told(FIO2, value, unit)) == "0.4"


@pytest.mark.parametrize(("value", "unit"), [("30 L/min", "%"), ("40 mmHg", "%"), ("0.5 kPa", "1"), ("50", "%^L/min")])
def test_what_is_no_oxygen_fraction_is_none_under_its_unit(value: str, unit: str) -> None:
    assert believed(told(FIO2, value, unit, kind="ST")) == "contradicting-units"


def test_a_range_that_contradicts_the_unit_the_site_states_for_a_code_is_not_guessed() -> None:
    """In the shipped Dutch file the Glasgow score (EMV) has a unit of its own."""
    line = "OBX|1|ST|EMV^^L||14||3-15 {}||||F"
    head = "PID|1||100^^^NLZH^PI||DOE^JANE||19500615|F"
    for written, expected in (("", "14"), ("score", "14"), ("%", "contradicting-units")):
        body = er7(msh("ORU^R01"), head, pv1(), obr(), line.format(written))
        assert believed(interpret(raw(body, site="nl-example"), rules(), message_id="1")) == expected
