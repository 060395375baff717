"""SOFA-2 beside SOFA: worked examples 24 and 26, every cut-point with its neighbours, and the traps of the table."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from adapter.domain.administration import Administration
from adapter.domain.assessment import OrganScore, SofaScore
from adapter.domain.observation import Observation
from adapter.scoring.options import ScoringOptions
from adapter.scoring.sofa import score
from adapter.scoring.sofa2 import score_2
from tests.builders import T0, after, given, observation, quantity, state_of

OPTIONS = ScoringOptions()
MAP_80, KG_80 = observation("map", 80), observation("weight", 80)
LATER = after(3)


def both(*told: Observation, drugs: tuple[Administration, ...] = (), hour: float = 3) -> tuple[SofaScore, SofaScore]:
    state = state_of(*told, administrations=drugs)
    return score(state, after(hour), OPTIONS), score_2(state, after(hour), OPTIONS)


def second(name: str, *told: Observation, drugs: tuple[Administration, ...] = (), hour: float = 3) -> OrganScore:
    return both(*told, drugs=drugs, hour=hour)[1].organs[name]


def points(sofa: SofaScore) -> list[int | None]:
    return [organ.score for organ in sofa.organs.values()]


def test_example_26_the_two_scores_of_one_patient() -> None:
    told = (
        observation("pao2", 84, specimen="arterial"),
        observation("fio2", "0.40"),
        observation("respiratory-support", "niv"),
        observation("platelets", 90),
        observation("bilirubin", "2.5"),
        observation("map", 68),
        observation("gcs-total", 12),
        observation("creatinine", "2.0"),
    )
    drugs = given("norepinephrine", "0.15", until=after(2)), given("vasopressin", "0.03", "U/min", until=after(2))
    one, two = both(*told, drugs=drugs)
    assert (points(one), one.low, one.high) == ([2, 2, 2, 4, 2, 2], 14, 14)
    assert (points(two), two.low, two.high) == ([2, 2, 1, 3, 2, 1], 11, 11)


def test_example_26_a_gcs_of_nine_is_two_here_and_three_there() -> None:
    one, two = both(observation("gcs-total", 9))
    assert (one.organs["cns"].score, two.organs["cns"].score) == (3, 2)


def test_example_24_the_saturation_counts_where_there_is_no_gas() -> None:
    cannula = observation("respiratory-support", "nasal-cannula"), observation("oxygen-flow", 4)
    lung = second("respiration", *cannula, observation("spo2", 92))
    assert (lung.score, lung.low, lung.high) == (1, 0, 1)  # 0.36, or 0.30 by another table
    assert {"sf_imputed", "fio2_estimated", "estimate_sensitive"} <= set(lung.flags)
    assert second("respiration", *cannula, observation("spo2", 99)).score is None


@pytest.mark.parametrize(
    ("organ", "concept", "unit", "edges"),
    [
        ("coagulation", "platelets", None, "151:0 150:1 149:1 101:1 100:2 99:2 81:2 80:3 79:3 51:3 50:4 49:4"),
        ("liver", "bilirubin", None, "1.19:0 1.2:0 1.21:1 2.99:1 3.0:1 3.01:2 6.0:2 6.01:3 12.0:3 12.01:4"),
        ("liver", "bilirubin", "umol/L", "20.6:0 20.7:1 51.3:1 51.4:2 102.6:2 102.7:3 205:3 205.1:4"),
        ("renal", "creatinine", None, "1.2:0 1.21:1 2.0:1 2.01:2 3.5:2 3.51:3 9:3"),
        ("renal", "creatinine", "umol/L", "110:0 111:1 170:1 171:2 300:2 301:3"),
        ("cns", "gcs-total", None, "15:0 14:1 13:1 12:2 9:2 8:3 6:3 5:4 3:4"),
        ("cardiovascular", "map", None, "70:0 69.9:1"),
    ],
)
def test_edges(organ: str, concept: str, unit: str | None, edges: str) -> None:
    for edge in edges.split():
        value, expected = edge.split(":")
        assert second(organ, observation(concept, value, unit)).score == int(expected), edge


@pytest.mark.parametrize(
    ("unit", "edges"),
    [
        ("mm[Hg]", "301:0 300:1 226:1 225:2 151:2 150:3 76:3 75:4"),
        ("kPa", "40.1:0 40:1 30.1:1 30:2 20.1:2 20:3 10.1:3 10:4"),
    ],
)
def test_edges_of_the_lung(unit: str, edges: str) -> None:
    for edge in edges.split():
        value, expected = edge.split(":")
        gas = observation("pao2", value, unit, specimen="arterial"), observation("fio2", "1")
        assert second("respiration", *gas, observation("respiratory-support", "hfnc")).score == int(expected), edge
        assert second("respiration", *gas, observation("respiratory-support", "mask")).score == min(int(expected), 2)


@pytest.mark.parametrize(
    ("drugs", "expected"),
    [
        ({"norepinephrine": "0.2"}, 2),
        ({"norepinephrine": "0.201"}, 3),
        ({"norepinephrine": "0.4"}, 3),
        ({"norepinephrine": "0.401"}, 4),
        ({"norepinephrine": "0.1", "epinephrine": "0.1"}, 2),
        ({"norepinephrine": "0.15", "epinephrine": "0.1"}, 3),
        ({"norepinephrine": "0.05", "dobutamine": "5"}, 3),
        ({"norepinephrine": "0.3", "milrinone": "0.5"}, 4),
        ({"dobutamine": "5"}, 2),
        ({"phenylephrine": "1"}, 2),
        ({"dopamine": "20"}, 2),
        ({"dopamine": "20.1"}, 3),
        ({"dopamine": "40"}, 3),
        ({"dopamine": "40.1"}, 4),
        ({}, 0),
    ],
)
def test_drugs_are_summed_and_companions_add_a_point(drugs: dict[str, str], expected: int) -> None:
    running = tuple(given(name, rate, until=after(2)) for name, rate in drugs.items())
    assert second("cardiovascular", MAP_80, drugs=running).score == expected


def test_drugs_that_overlap_for_less_than_an_hour_are_not_summed() -> None:
    first = given("norepinephrine", "0.15", until=after(2))
    brief = given("epinephrine", "0.15", at=after(0.5), until=after(1.4))
    assert second("cardiovascular", MAP_80, drugs=(first, brief)).score == 2
    long = given("epinephrine", "0.15", at=after(0.5), until=after(1.5))
    assert second("cardiovascular", MAP_80, drugs=(first, long)).score == 3


def test_an_unknown_dose_keeps_its_interval() -> None:
    heart = second("cardiovascular", MAP_80, drugs=(given("norepinephrine", "0.5", "mg/h", until=after(2)),))
    assert (heart.score, heart.low, heart.high) == (2, 2, 4)
    dopamine = second("cardiovascular", MAP_80, drugs=(given("dopamine", "50", "mg/h", until=after(2)),))
    assert (dopamine.score, dopamine.low, dopamine.high) == (2, 2, 4)


def test_machines_are_four_points() -> None:
    assert second("renal", observation("creatinine", "0.9"), observation("renal-replacement", "crrt")).score == 4
    both_organs = both(MAP_80, observation("circulatory-support", "va-ecmo"))[1]
    assert (both_organs.organs["respiration"].score, both_organs.organs["cardiovascular"].score) == (4, 4)
    lung_only = both(MAP_80, observation("circulatory-support", "vv-ecmo"))[1]
    assert (lung_only.organs["respiration"].score, lung_only.organs["cardiovascular"].score) == (4, 0)


@pytest.mark.parametrize(
    ("hourly", "length", "expected"),
    [("40", 30, 0), ("39", 6, 1), ("39", 5, 0), ("39", 12, 2), ("39", 11, 1), ("24", 24, 2), ("23", 24, 3), ("23", 23, 2),
     ("0", 12, 3), ("0", 11, 1)],
)  # fmt: skip
def test_urine_counts_by_weight_and_hours(hourly: str, length: int, expected: int) -> None:
    """80 kg: 40 mL/h is 0.5, 24 mL/h is 0.3 mL/kg/h."""
    entries = [observation("urine-output", hourly, at=T0 + timedelta(hours=hour)) for hour in range(length + 1)]
    creatinine = observation("creatinine", "0.9", at=after(length))
    assert second("renal", *entries, creatinine, KG_80, hour=length).score == expected
    assert second("renal", *entries, creatinine, hour=length).score == 0


def test_hours_without_urine_leave_with_the_day_of_their_last_entry() -> None:
    dry = [observation("urine-output", 0, at=after(hour)) for hour in range(13)]
    entries = *dry, observation("urine-output", 1000, at=after(13)), KG_80
    assert second("renal", *entries, hour=35.9).score == 3
    assert second("renal", *entries, hour=36).score is None


def test_the_equivalent_of_norepinephrine_is_told_beside_the_score_and_gives_no_points() -> None:
    drugs = (
        given("norepinephrine", "0.1", until=after(2)),
        given("vasopressin", "0.04", "U/min", at=after(1), until=after(2)),
        given("dopamine", "5", at=after(1.5), until=after(2)),
    )
    assert both(MAP_80, drugs=drugs)[0].equivalent is not None
    assert float(both(MAP_80, drugs=drugs)[0].equivalent or 0) == pytest.approx(0.25)
    assert both(MAP_80)[0].equivalent is None
    alone = both(MAP_80, drugs=(given("vasopressin", "0.04", "U/min", until=after(2)),))[0]
    assert (float(alone.equivalent or 0), alone.organs["cardiovascular"].score) == (pytest.approx(0.1), 0)
    syringe = replace(given("vasopressin", "3", "mL/h", until=after(2)), concentration=quantity("0.8", "U/mL"))
    assert both(MAP_80, drugs=(syringe,))[0].equivalent == Fraction(1, 10)
