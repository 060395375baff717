"""Our units beside UCUM: the reference implementation, held by the official functional tests, judges every unit and factor of ours."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
import yaml

from adapter import assets
from adapter.mapping.units import folded
from tests.builders import dictionary
from tests.conftest import ROOT, data_folder
from tests.oracles.java_oracle import JavaOracle, oracle

__all__ = ["oracle"]
FUNCTIONAL = data_folder() / "terminology" / "ucum" / "src" / "test" / "resources" / "UcumFunctionalTests.xml"
SITES = ("attikon", "generic", "nl-example", "us-example")
MEANT_OTHERWISE = {
    "G/L": "giga; UCUM: gauss per litre",
    "G/l": "giga; UCUM: gauss per litre",
    "K/uL": "kilo, a thousand; UCUM: kelvin per microlitre",
    "K/mm3": "kilo, a thousand; UCUM: kelvin per cubic millimetre",
    "nL": "in each nanolitre; UCUM: nanolitre",
    "L/m": "per minute; UCUM: per metre",
    "ug/l.ng/mL": "both written in one; UCUM: their product",
}
"""Spellings that are UCUM of something no laboratory reports for a concept of ours."""
UNCONVERTED = {
    ("bilirubin", "umol/L"): "584.66 g/mol, as clinical 3.1 rounds it",
    ("creatinine", "umol/L"): "113.12 g/mol, as clinical 3.1 rounds it",
    ("creatinine", "mmol/L"): "as umol/L",
    ("ferritin", "pmol/L"): "445 kDa, flagged",
    ("ferritin", "nmol/L"): "445 kDa, flagged",
    ("lactate", "mg/dL"): "90.08 g/mol",
    ("crp", "nmol/L"): "105 kDa for the number sites use",
    ("vasopressin-rate", "U/min"): "U of vasopressin are international units; UCUM's U is of enzymes",
    ("vasopressin-rate", "U/h"): "as U/min",
    ("urine-output-24h", "mL/(24.h)"): "the volume of a day is told as a rate",
    ("urine-output-24h", "L/(24.h)"): "the volume of a day is told as a rate",
}
"""What UCUM cannot convert because it does not know the substance, and what the factor rests on."""
ROUNDED = Fraction("7.50062")
"""kPa in mm[Hg] as clinical 3.1 states it; UCUM rounds the other way (133.322 Pa in a mm[Hg])."""
ROUNDING = Fraction(3, 1_000_000)

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(
        not FUNCTIONAL.is_file(), reason=f"UCUM's functional tests not found at {FUNCTIONAL}; set ADAPTER_TEST_DATA"
    ),
]


def cases(kind: str) -> list[dict[str, str]]:
    return [dict(case.attrib) for case in ET.parse(FUNCTIONAL).getroot().findall(f"{kind}/case")]


def spellings() -> Iterator[tuple[str, str]]:
    """(spelling, UCUM) of mappings/units.yaml and of the shipped sites."""
    listed: dict[str, Any] = yaml.safe_load((ROOT / "mappings" / "units.yaml").read_text("utf-8"))
    for section in (listed["exact"], listed["spellings"]):
        yield from ((spelling, unit) for unit, written in section.items() for spelling in written)
    for site in SITES:
        own: dict[str, Any] = yaml.safe_load((ROOT / "mappings" / "sites" / f"{site}.yaml").read_text("utf-8"))
        yield from own.get("units", {}).items()


def same(oracle: JavaOracle, one: str, other: str) -> bool:
    told = oracle.convert("1", one, other)
    return told is not None and abs(Fraction(told) - 1) < Fraction(1, 10**12)


# --- the judge ----------------------------------------------------------------------------------------------------------------


def test_the_judge_passes_the_official_validation_tests(oracle: JavaOracle) -> None:
    official = cases("validation")
    assert len(official) > 500
    wrong = [one["unit"] for one in official if oracle.valid(one["unit"]) != (one["valid"] == "true")]
    assert wrong == []


def test_the_judge_passes_the_official_conversion_tests(oracle: JavaOracle) -> None:
    official = cases("conversion")
    assert len(official) > 25
    for one in official:
        told = oracle.convert(one["value"], one["srcUnit"], one["dstUnit"])
        assert told is not None, one
        assert abs(Fraction(told) / Fraction(one["outcome"]) - 1) < Fraction(1, 10**9), one


# --- our units ----------------------------------------------------------------------------------------------------------------


def test_every_unit_a_concept_speaks_of_is_ucum(oracle: JavaOracle) -> None:
    assert [unit for unit in sorted(dictionary().units.known) if not oracle.valid(unit)] == []


def test_every_unit_of_the_official_tests_that_we_read_means_there_what_it_means_to_us(oracle: JavaOracle) -> None:
    units = dictionary().units
    known = [(one["unit"], units.ucum(one["unit"])) for one in cases("validation") if one["valid"] == "true"]
    otherwise = set(map(folded, MEANT_OTHERWISE))
    read = [(unit, ours) for unit, ours in known if ours and folded(unit) not in otherwise]
    assert len(read) > 20
    assert [pair for pair in read if not same(oracle, *pair)] == []


def test_a_spelling_means_its_unit_wherever_it_is_ucum_itself(oracle: JavaOracle) -> None:
    every = list(spellings())
    assert len(every) > 200
    assert [unit for _, unit in every if not oracle.valid(unit)] == []
    themselves = [pair for pair in every if oracle.valid(pair[0])]
    assert len(themselves) > 40
    odd = {spelling for spelling, unit in themselves if not same(oracle, spelling, unit)}
    assert odd == set(MEANT_OTHERWISE)


def test_every_spelling_listed_is_read() -> None:
    rules = assets.load_rulebook(None, trials=[])
    units = [rules.sites[site].units for site in SITES]
    assert [pair for pair in spellings() if not any(one.ucum(pair[0]) == pair[1] for one in units)] == []


def test_every_factor_is_the_official_one_or_says_what_it_rests_on(oracle: JavaOracle) -> None:
    pairs = [(c, unit, factor) for c in dictionary().concepts.values() for unit, factor in c.also.items()]
    unconverted = {(c.id, unit) for c, unit, _ in pairs if oracle.convert("1", unit, c.unit) is None}
    assert unconverted == set(UNCONVERTED)
    for concept, unit, factor in pairs:
        if (concept.id, unit) in UNCONVERTED:
            continue
        official = Fraction(oracle.convert("1", unit, concept.unit) or "0")
        if factor == ROUNDED:
            assert abs(official / factor - 1) < ROUNDING
        else:
            assert abs(official / factor - 1) < Fraction(1, 10**12), (concept.id, unit, official)
