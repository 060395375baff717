"""Concepts, exact conversions, and mistakes in the files that hold them."""

from fractions import Fraction
from pathlib import Path

import pytest

from adapter import assets
from adapter.errors import ConfigError
from adapter.mapping.concept_file import read_dictionary
from tests.builders import dictionary, quantity

IDS = [
    "pao2",
    "fio2",
    "pf-ratio",
    "spo2",
    "oxygen-flow",
    "respiratory-support",
    "platelets",
    "bilirubin",
    "creatinine",
    "map",
    "map-arterial",
    "map-cuff",
    "sbp",
    "dbp",
    "gcs-total",
    "gcs-eye",
    "gcs-verbal",
    "gcs-motor",
    "rass",
    "urine-output",
    "urine-output-24h",
    "norepinephrine-rate",
    "epinephrine-rate",
    "dopamine-rate",
    "dobutamine-rate",
    "weight",
    "ferritin",
    "mhladr",
    "mhladr-percent",
    "mhladr-mfi",
    "neutrophils",
    "wbc",
    "neutrophil-percent",
    "lactate",
    "crp",
    "procalcitonin",
    "pregnancy-test",
    "sars-cov-2",
    "hiv-test",
    "culture-organism",
    "culture-other",
    "code-status",
]


def test_every_public_concept_is_there() -> None:
    assert set(IDS) <= set(dictionary().concepts)


@pytest.mark.parametrize(
    ("concept", "value", "unit", "canonical"),
    [
        ("bilirubin", "100", "umol/L", Fraction(1000, 171)),
        ("creatinine", "159", "umol/L", Fraction(1590, 884)),
        ("creatinine", "12", "mg/L", Fraction(12, 10)),
        ("platelets", "98000", "/uL", Fraction(98)),
        ("platelets", "98", "10*9/L", Fraction(98)),
        ("ferritin", "9931", "pmol/L", Fraction(9931000, 2247)),
        ("ferritin", "442", "ug/dL", Fraction(4420)),
        ("pao2", "10", "kPa", Fraction("75.0062")),
        ("norepinephrine-rate", "6", "ug/kg/h", Fraction(1, 10)),
        ("weight", "100", "[lb_av]", Fraction("45.359237")),
    ],
)
def test_conversions_are_exact(concept: str, value: str, unit: str, canonical: Fraction) -> None:
    found = dictionary().concepts[concept].canonical(quantity(value, unit))
    assert found is not None
    assert found.value == canonical


def test_hladr_in_percent_or_fluorescence_never_converts() -> None:
    known = dictionary()
    assert known.convert("mhladr", Fraction(22), "%") is None
    assert known.convert("mhladr", Fraction(310), "MFI") is None
    assert known.convert("mhladr", Fraction(5), "kAB/C") == 5000


def test_a_dirty_spelling_converts_and_an_unknown_concept_does_not() -> None:
    assert dictionary().convert("ferritin", Fraction(4420), "mcg/l") == 4420
    assert dictionary().convert("ferritine", Fraction(1), "ng/mL") is None


def test_look_alikes_are_known_and_not_needed() -> None:
    known = dictionary()
    for code in ("1968-7", "1971-1", "2161-8", "86914-9", "94563-4", "50064-5"):
        assert known.find("LN", code) is None
        assert ("LN", code) in known.known_not_needed


SOUND = "lactate:\n  display: Lactate\n  loinc: 2524-7\n  unit: mmol/L\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lactate:\n  display: L\n  unitt: mmol/L\n", r":3: unknown key 'unitt' — did you mean 'unit'"),
        ("lactate:\n  unit: mmol/L\n", r":1: 'lactate.display' is missing"),
        ("lactate:\n  display: L\n", "neither a unit nor answers"),
        (SOUND + "  also: {mg/dL: 9,008}\n", "keys to values|must be a number"),
        (SOUND + "  also: {mg/dL: 1/0}\n", "divides by zero"),
        (SOUND + "  also: [mg/dL]\n", "must be a mapping"),
        (SOUND + "  possible: [5]\n", r":5: 'lactate.possible' must be \[low, high\]"),
        (SOUND + "  possible: [5, 1]\n", "must rise"),
        (SOUND + "  charted: maybe\n", "must be true or false"),
        (SOUND + "  instead: {L/min: oxigen-flow}\n", "unknown concept 'oxigen-flow'"),
        (SOUND + SOUND.replace("lactate", "lactat"), "code 2524-7 stands under 'lactate' and 'lactat'"),
        ("a:\n  display: A\n  answers: {yes: [x], no: [X]}\n", "'X' stands under two answers"),
        ("a:\n  display: A\n  answers: {yes: {x: 1}}\n", "must be a list of texts"),
        ("1: {display: A}\n", "the key 1 must be text"),
    ],
)
def test_a_mistake_is_named_where_it_stands(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "concepts.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_dictionary(assets.load_document(path))


def test_an_unknown_specimen_or_a_doubled_one_is_refused(tmp_path: Path) -> None:
    concepts, specimens = tmp_path / "c.yaml", tmp_path / "s.yaml"
    concepts.write_text(SOUND + "  specimens: [bloud]\n", encoding="utf-8")
    specimens.write_text("blood: [BLD]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="unknown specimen 'bloud' — did you mean 'blood'"):
        read_dictionary(assets.load_document(concepts), specimens=assets.load_document(specimens))
    specimens.write_text("blood: [BLD]\nserum: [bld]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="stands under two specimens"):
        read_dictionary(assets.load_document(concepts), specimens=assets.load_document(specimens))


def test_a_unit_no_concept_speaks_of_is_refused(tmp_path: Path) -> None:
    concepts, units = tmp_path / "c.yaml", tmp_path / "u.yaml"
    concepts.write_text(SOUND, encoding="utf-8")
    units.write_text("spellings:\n  mmol/l: [mM]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"u\.yaml:2: unknown key 'mmol/l' — did you mean 'mmol/L'"):
        read_dictionary(assets.load_document(concepts), units=assets.load_document(units))
