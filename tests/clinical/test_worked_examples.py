"""The worked examples of the clinical specification, by number: the part that a trial decides."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from adapter.domain.assessment import Assessment, CriterionResult, Verdict
from adapter.domain.encounter import EncounterClass
from adapter.domain.observation import Observation, ResultStatus
from adapter.domain.patient import Determination
from adapter.domain.quantity import decimal_text
from adapter.domain.trial import Needs
from adapter.domain.truth import Truth
from adapter.eligibility.explain import as_json
from tests.builders import T0, after, observation, state_of, visit

Judge = Callable[..., Assessment]
Make = Callable[..., Any]
Results = Callable[[Assessment, str], CriterionResult]

EMERGENCY = visit(at=T0)
WARD = visit(at=T0, cls=EncounterClass.INPATIENT, ward="MED")


@pytest.fixture
def septic(six_organs: Make) -> tuple[Observation, ...]:
    """Emergency, SOFA 2 by platelets alone, all six organs measured."""
    found: tuple[Observation, ...] = six_organs(platelets=90)
    return found


def example_one() -> tuple[Observation, ...]:
    return (
        observation("pao2", 68, specimen="arterial"),
        observation("fio2", 40, "%"),
        observation("respiratory-support", "mask"),
        observation("platelets", 140),
        observation("bilirubin", 1.2),
        observation("map", 68),
        observation("gcs-total", 15),
        observation("creatinine", 1.9),
        observation("ferritin", 5200, at=after(1)),
    )


def test_example_01_plain_mals(judged: Judge) -> None:
    found = judged(state_of(*example_one(), encounter=EMERGENCY))
    assert {name: organ.score for name, organ in found.sofa.organs.items()} == {
        "respiration": 2,
        "coagulation": 1,
        "liver": 1,
        "cardiovascular": 1,
        "cns": 0,
        "renal": 1,
    }
    assert (found.sofa.low, found.stratum, found.verdict, found.certainty) == (6, "mals", "candidate", "certain")
    assert found.shown
    assert (found.sepsis.context, found.sepsis.onset, found.missing) == ("emergency", T0, ())


def test_example_01_everything_not_found_is_a_question_and_never_blocks(judged: Judge, criterion: Results) -> None:
    found = judged(state_of(*example_one(), encounter=EMERGENCY))
    open_questions = [c for c in found.criteria if c.answer is Truth.UNKNOWN]
    assert {c.needs for c in open_questions} == {Needs.PERSON}
    assert criterion(found, "E5").ask
    assert criterion(found, "I2").answer is Truth.MET


def test_example_07_a_correction_takes_sepsis_back(judged: Judge, six_organs: Make) -> None:
    ferritin = observation("ferritin", 5200, at=after(1))
    wrong = observation("platelets", 18, identity="P", issued=after(0.5))
    right = observation("platelets", 181, identity="P", issued=after(1.2), status=ResultStatus.CORRECTED)
    organs = six_organs(platelets=None)
    before = judged(state_of(*organs, wrong, ferritin, encounter=EMERGENCY))
    since = judged(state_of(*organs, wrong, right, ferritin, encounter=EMERGENCY))
    assert (before.verdict, before.shown, before.sofa.low) == ("candidate", True, 4)
    assert (since.verdict, since.shown, since.sofa.low) == ("not-candidate", False, 0)


@pytest.mark.parametrize(
    ("ferritin", "hladr", "stratum", "verdict"),
    [
        ("4420", "4999", "immunoparalysis", "candidate"),
        ("4420.1", None, "mals", "candidate"),
        ("4420", "5000", "unclassified", "not-candidate"),
    ],
)
def test_example_09_the_thresholds_are_strict(
    judged: Judge, septic: tuple[Observation, ...], ferritin: str, hladr: str | None, stratum: str, verdict: str
) -> None:
    immune = [observation("ferritin", ferritin, at=after(1))]
    immune += [observation("mhladr", hladr, at=after(1))] if hladr else []
    found = judged(state_of(*septic, *immune, encounter=EMERGENCY))
    assert (found.stratum, found.verdict) == (stratum, verdict)


def test_example_10_both_states_belong_to_mals(judged: Judge, septic: tuple[Observation, ...]) -> None:
    immune = (observation("ferritin", 6000, at=after(1)), observation("mhladr", 2500, at=after(1)))
    assert judged(state_of(*septic, *immune, encounter=EMERGENCY)).stratum == "mals"


def test_example_11_covid_blocks_immunoparalysis_and_not_mals(judged: Judge, septic: tuple[Observation, ...]) -> None:
    pcr = observation("sars-cov-2", "detected", at=after(-20))
    low = (observation("ferritin", 3000, at=after(1)), observation("mhladr", 4200, at=after(1)))
    blocked = judged(state_of(*septic, pcr, *low, encounter=EMERGENCY))
    assert (blocked.stratum, blocked.verdict) == ("immunoparalysis-blocked-by-covid", "not-candidate")
    again = observation("ferritin", 4421, at=after(1.5))
    back = judged(state_of(*septic, pcr, *low, again, encounter=EMERGENCY))
    assert (back.stratum, back.verdict) == ("mals", "candidate")


def test_example_11_no_test_on_file_is_a_question_not_a_block(judged: Judge, septic: tuple[Observation, ...]) -> None:
    low = (observation("ferritin", 3000, at=after(1)), observation("mhladr", 4200, at=after(1)))
    found = judged(state_of(*septic, *low, encounter=EMERGENCY))
    assert (found.stratum, found.verdict) == ("immunoparalysis", "candidate")
    assert any("COVID-19" in question for question in found.questions)


def test_example_12a_emergency_needs_a_total_of_two(judged: Judge, six_organs: Make, criterion: Results) -> None:
    two = judged(state_of(*six_organs(platelets=90), encounter=EMERGENCY))
    one = judged(state_of(*six_organs(platelets=140), encounter=EMERGENCY))
    assert criterion(two, "I6").answer is Truth.MET
    assert (criterion(one, "I6").answer, one.verdict) == (Truth.NOT_MET, "not-candidate")


@pytest.mark.parametrize(("bilirubin", "answer"), [("1.5", Truth.NOT_MET), ("2.5", Truth.MET)])
def test_example_12b_on_the_ward_the_rise_counts_not_the_total(
    judged: Judge, six_organs: Make, criterion: Results, bilirubin: str, answer: Truth
) -> None:
    admission = six_organs(at=after(2), creatinine="2.5", platelets=80)
    day_six = six_organs(at=after(140), creatinine="2.5", platelets=80, bilirubin=bilirubin)
    found = judged(state_of(*admission, *day_six, encounter=WARD), after(141))
    assert found.sepsis.baseline is not None
    assert (found.sepsis.baseline.low, found.sepsis.baseline.high, found.sepsis.context) == (4, 4, "inpatient")
    assert criterion(found, "I6").answer is answer


def test_example_12c_a_transfer_without_admission_sofa_is_a_question_for_a_person(
    judged: Judge, six_organs: Make, criterion: Results
) -> None:
    now = six_organs(at=after(2), platelets=40, bilirubin="2.5")
    found = judged(state_of(*now, observation("ferritin", 5200, at=after(2)), encounter=WARD), after(3))
    sepsis = criterion(found, "I6")
    assert (found.sofa.low, sepsis.answer, sepsis.needs) == (5, Truth.UNKNOWN, Needs.PERSON)
    assert "SOFA before" in sepsis.ask
    assert (found.verdict, found.certainty) == ("candidate", "possible")


@pytest.mark.parametrize(
    ("counts", "answer"),
    [
        ((("wbc", "2.0"), ("neutrophil-percent", "70")), Truth.MET),
        ((("neutrophils", "1.5"),), Truth.NOT_MET),
        ((("neutrophils", "1.499"),), Truth.MET),
        ((("wbc", "2.0"),), Truth.UNKNOWN),
    ],
)
def test_example_18_neutropenia_by_count_or_by_share(
    judged: Judge,
    septic: tuple[Observation, ...],
    criterion: Results,
    counts: tuple[tuple[str, str], ...],
    answer: Truth,
) -> None:
    measured = [observation(concept, value, at=after(1)) for concept, value in counts]
    ferritin = observation("ferritin", 5200, at=after(1))
    found = judged(state_of(*septic, *measured, ferritin, encounter=EMERGENCY))
    assert criterion(found, "E5").answer is answer
    assert (found.verdict is Verdict.NOT_CANDIDATE) == (answer is Truth.MET)


def test_example_18_the_derived_count_shows_both_of_its_parts(
    judged: Judge, septic: tuple[Observation, ...], criterion: Results
) -> None:
    parts = (observation("wbc", "2.0", at=after(1)), observation("neutrophil-percent", "70", at=after(1)))
    evidence = criterion(judged(state_of(*septic, *parts, encounter=EMERGENCY)), "E5").evidence
    assert [(e.concept, e.value, e.original_value) for e in evidence] == [("neutrophils", "1.4", "2.0 × 70 %")]


def test_example_20_the_clock_warns_and_ends_strictly(judged: Judge, six_organs: Make, criterion: Results) -> None:
    organs = six_organs(platelets=90)
    kept = [six_organs(at=after(hour), platelets=90) for hour in (24, 48, 70)]
    ferritin = observation("ferritin", 3000, at=after(60))
    hladr = observation("mhladr", 4200, at=after(60))
    state = state_of(*organs, *(o for day in kept for o in day), ferritin, hladr, encounter=EMERGENCY)
    at_70 = judged(state, after(70))
    assert (at_70.verdict, at_70.sepsis.hours_left(after(70))) == ("candidate", 2.0)
    assert "less_than_12_h_left" in at_70.flags
    assert at_70.review_at is not None
    assert at_70.review_at <= after(72)
    just = judged(state, after(72) - timedelta(minutes=1))
    assert (just.verdict, criterion(just, "I8").answer) == ("candidate", Truth.MET)
    late = judged(state, after(72))
    assert (late.verdict, criterion(late, "I8").answer, late.shown) == ("expired", Truth.NOT_MET, False)


def test_example_20_a_person_who_recorded_the_start_in_time_stops_the_clock(
    judged: Judge, septic: tuple[Observation, ...], answered: Callable[..., Determination]
) -> None:
    ferritin = observation("ferritin", 5200, at=after(71))
    state = state_of(*septic, ferritin, encounter=EMERGENCY, determinations=(answered("I8", "met", after(71.9)),))
    assert judged(state, after(80)).verdict is Verdict.CANDIDATE


@pytest.mark.parametrize(
    ("value", "unit", "canonical", "stratum"),
    [
        ("9931", "pmol/L", "4419.67", "indeterminate"),
        ("9932", "pmol/L", "4420.12", "mals"),
        ("442", "ug/dL", "4420", "indeterminate"),
    ],
)
def test_example_21_molar_ferritin_is_exact_and_near_the_threshold(
    judged: Judge, septic: tuple[Observation, ...], value: str, unit: str, canonical: str, stratum: str
) -> None:
    flags = ("molar_ferritin",) if unit == "pmol/L" else ()
    ferritin = observation("ferritin", value, unit, after(1), flags=flags)
    found = judged(state_of(*septic, ferritin, encounter=EMERGENCY))
    assert ferritin.quantity is not None
    assert (decimal_text(ferritin.quantity.value)[: len(canonical)], found.stratum) == (canonical, stratum)
    assert set(found.flags) >= {"near_threshold", *flags}


@pytest.mark.parametrize(("concept", "value"), [("mhladr-percent", "22"), ("mhladr-mfi", "310")])
def test_example_22_hladr_as_share_or_brightness_is_no_count(
    judged: Judge, septic: tuple[Observation, ...], criterion: Results, concept: str, value: str
) -> None:
    found = judged(
        state_of(
            *septic,
            observation("ferritin", 900, at=after(1)),
            observation(concept, value, at=after(1)),
            encounter=EMERGENCY,
        )
    )
    assert (found.stratum, found.verdict, found.missing) == ("indeterminate", "incomplete", ("mhladr",))
    assert "antibodies bound per cell" in criterion(found, "I7").ask


@pytest.mark.parametrize(
    ("ferritin", "stratum", "verdict"),
    [(">2000", "indeterminate", "incomplete"), (">7500", "mals", "candidate"), (">4420", "mals", "candidate")],
)
def test_example_23_a_bound_decides_only_where_it_can(
    judged: Judge, septic: tuple[Observation, ...], criterion: Results, ferritin: str, stratum: str, verdict: str
) -> None:
    found = judged(state_of(*septic, observation("ferritin", ferritin, at=after(1)), encounter=EMERGENCY))
    assert (found.stratum, found.verdict) == (stratum, verdict)
    if stratum == "indeterminate":
        assert "dilute" in criterion(found, "I7").ask


@pytest.mark.parametrize(
    ("ferritin", "hladr", "stratum"),
    [
        ("<4420", "<5000", "immunoparalysis"),
        ("<4420", "<=5000", "indeterminate"),
        ("<5000", "3000", "indeterminate"),
        ("4000", ">5000", "unclassified"),
        (">=4420", "3000", "indeterminate"),
    ],
)
def test_example_23_bounds_of_both_values(
    judged: Judge, septic: tuple[Observation, ...], ferritin: str, hladr: str, stratum: str
) -> None:
    immune = (observation("ferritin", ferritin, at=after(1)), observation("mhladr", hladr, at=after(1)))
    assert judged(state_of(*septic, *immune, encounter=EMERGENCY)).stratum == stratum


def test_example_25_the_lower_bound_is_enough(judged: Judge, criterion: Results) -> None:
    platelets, pressure = observation("platelets", 120), observation("map", 66)
    two = judged(state_of(platelets, pressure, encounter=EMERGENCY))
    assert (two.sofa.low, len(two.sofa.missing), criterion(two, "I6").answer) == (2, 4, Truth.MET)
    assert (two.verdict, two.certainty, two.shown) == ("incomplete", "possible", True)
    assert two.missing[:2] == ("ferritin", "mhladr")
    one = judged(state_of(platelets, encounter=EMERGENCY))
    assert (one.sofa.low, len(one.sofa.missing), criterion(one, "I6").answer) == (1, 5, Truth.UNKNOWN)
    assert (criterion(one, "I6").needs, one.shown) == (Needs.DATA, False)


def test_example_27_pregnancy(judged: Judge, septic: tuple[Observation, ...], criterion: Results) -> None:
    ferritin = observation("ferritin", 5200, at=after(1))
    told = observation("pregnancy-test", "positive", at=after(1))
    woman = {"birth_date": "1991-03-01", "sex": "female", "encounter": EMERGENCY}
    pregnant = judged(state_of(*septic, ferritin, told, **woman))
    assert (criterion(pregnant, "E15").answer, pregnant.verdict) == (Truth.MET, "not-candidate")
    untested = judged(state_of(*septic, ferritin, **woman))
    assert (criterion(untested, "E15").answer, untested.verdict) == (Truth.UNKNOWN, "candidate")
    assert "urine pregnancy test" in criterion(untested, "E15").ask
    older = judged(state_of(*septic, ferritin, **{**woman, "birth_date": "1958-03-01"}))
    assert criterion(older, "E15").needs is Needs.PERSON


def test_example_27_a_negative_test_leaves_lactation_open_and_a_man_is_settled(
    judged: Judge, septic: tuple[Observation, ...], criterion: Results
) -> None:
    negative = observation("pregnancy-test", "negative", at=after(1))
    woman = judged(state_of(*septic, negative, sex="female", encounter=EMERGENCY))
    assert criterion(woman, "E15").answer is Truth.UNKNOWN
    man = judged(state_of(*septic, encounter=EMERGENCY))
    assert (criterion(man, "E15").answer, criterion(man, "I3").answer) == (Truth.NOT_MET, Truth.MET)


def test_the_explanation_has_the_shape_the_interface_promises(judged: Judge) -> None:
    told = as_json(judged(state_of(*example_one(), encounter=EMERGENCY)), patient="S-1", software="0")
    promised = "patient trial at verdict certainty stratum sofa sepsis criteria missing rulebook software"
    assert set(told) >= set(promised.split())
    assert (told["patient"], told["sofa"]["low"], told["sepsis"]["hours_left"]) == ("S-1", 6, 70.0)
    assert set(told["criteria"][0]) >= {"id", "kind", "text", "answer", "needs", "ask", "evidence"}
    organ = told["sofa"]["components"]["respiration"]
    assert set(organ) >= {"score", "low", "high", "status", "flags", "evidence"}
    assert set(organ["evidence"][0]) >= {"concept", "value", "unit", "effective", "message"}
    assert "100" not in (told["patient"], told["encounter"]["ward"])
