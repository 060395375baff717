"""The deciding test, and the score told in words with what would change it."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapter.domain.assessment import Assessment
from adapter.domain.condition import Condition, ConditionStatus
from adapter.domain.encounter import EncounterClass
from adapter.domain.observation import Observation
from adapter.eligibility.explain import as_json
from adapter.eligibility.flag_words import FLAGS
from tests.builders import T0, after, given, observation, state_of, visit

Judge = Callable[..., Assessment]
Make = Callable[..., tuple[Observation, ...]]
EMERGENCY = visit(at=T0)
SCORING = Path(__file__).parents[2] / "adapter/scoring"
NO_FLAGS = {"native_table", "none", "hfnc", "invasive"}


def deciding(found: Assessment, criterion: str = "I6") -> list[tuple[str, bool, str]]:
    return [(test.test, test.always, test.says) for test in found.deciding if test.criterion == criterion]


def test_with_one_organ_open_its_test_settles_sepsis_whatever_it_says(judged: Judge, six_organs: Make) -> None:
    found = judged(state_of(*six_organs(platelets=140, bilirubin=None), encounter=EMERGENCY))
    says = "bilirubin >= 1.2 mg/dL: 1 (Sepsis-3 Table 1) would settle I6 as met; any other settles it as not met."
    assert deciding(found) == [("bilirubin", True, says)]


@pytest.mark.parametrize(("bilirubin", "answer"), [("1.19", "not-met"), ("1.2", "met"), ("13", "met")])
def test_the_deciding_test_decides(judged: Judge, six_organs: Make, bilirubin: str, answer: str) -> None:
    """Told as it would come, it does what was said of it."""
    found = judged(state_of(*six_organs(platelets=140, bilirubin=bilirubin), encounter=EMERGENCY))
    assert next(str(c.answer) for c in found.criteria if c.id == "I6") == answer
    assert deciding(found) == []


def test_with_several_organs_open_each_test_says_at_which_value_it_would_settle(judged: Judge) -> None:
    found = judged(state_of(observation("platelets", 140), encounter=EMERGENCY))
    tests = {test: says for test, always, says in deciding(found) if not always}
    assert list(tests) == ["bilirubin", "creatinine", "map", "gcs-total", "pao2"]
    assert tests["map"] == "MAP < 70 mm[Hg]: 1 (Sepsis-3 Table 1) would settle I6 as met."
    nothing = judged(state_of(observation("platelets", 200), encounter=EMERGENCY))
    says = "creatinine >= 2 mg/dL: 2 (Sepsis-3 Table 1) would settle I6 as met."
    assert ("creatinine", False, says) in deciding(nothing)
    assert "map" not in {test for test, _, _ in deciding(nothing)}, "a pressure gives one point at most"


def test_two_open_organs_of_which_none_can_settle_alone_as_not_met(judged: Judge, six_organs: Make) -> None:
    found = judged(state_of(*six_organs(bilirubin=None, creatinine=None), encounter=EMERGENCY))
    assert {(test, always) for test, always, _ in deciding(found)} == {("bilirubin", False), ("creatinine", False)}


def test_a_pressure_alone_settles_sepsis_as_not_met_whatever_it_says(judged: Judge, six_organs: Make) -> None:
    """It gives one point at most; a second would need a drug, and none is charted."""
    found = judged(state_of(*six_organs(map=None), encounter=EMERGENCY))
    assert deciding(found) == [("map", True, "MAP would settle I6 as not met, whatever it says.")]
    low = judged(state_of(*six_organs(map=60), encounter=EMERGENCY))
    assert next(str(c.answer) for c in low.criteria if c.id == "I6") == "not-met"


def test_a_weight_is_the_deciding_test_where_a_dose_waits_for_it(judged: Judge, six_organs: Make) -> None:
    """On the ward the rise from 1 asks for four points of the heart: 3 or 4 by a dose nobody can work out."""
    ward = visit(at=T0, cls=EncounterClass.INPATIENT, ward="MED")
    admission = six_organs(at=after(1), platelets=80)
    later = six_organs(at=after(100), bilirubin="0.8", platelets=200)
    drug = given("norepinephrine", "0.5", "mg/h", after(98), until=after(101))
    found = judged(state_of(*admission, *later, encounter=ward, administrations=(drug,)), after(101))
    assert (found.sofa.low, found.sofa.high) == (3, 4)
    says = "Weight is what the points already possible wait for: it may settle I6."
    assert deciding(found) == [("weight", True, says)]


def test_ferritin_may_settle_the_stratum_alone_and_hladr_does(judged: Judge, six_organs: Make) -> None:
    septic = six_organs(platelets=90)
    none = judged(state_of(*septic, encounter=EMERGENCY))
    says = "Ferritin may settle I7: mals where ferritin.latest above 4420 ng/mL"
    ((test, always, told),) = deciding(none, "I7")
    assert (test, always, told.startswith(says)) == ("ferritin", False, True)
    one = judged(state_of(*septic, observation("ferritin", 900, at=after(1)), encounter=EMERGENCY))
    assert deciding(one, "I7") == [("mhladr", True, "mHLA-DR would settle I7.")]


def organs(found: Assessment) -> dict[str, Any]:
    told: dict[str, Any] = as_json(found, patient="S", software="0")["sofa"]["components"]
    return told


def test_a_score_is_told_in_a_sentence_with_value_time_and_rule(judged: Judge, six_organs: Make) -> None:
    low = observation("platelets", 90, "10*9/L")
    found = organs(judged(state_of(*six_organs(platelets=None), low, encounter=EMERGENCY)))
    assert found["coagulation"]["says"] == (
        "Coagulation: 2 points. Platelets 90 10*3/uL on 2026-01-02 at 03:00 (reported as 90 10*9/L); "
        "platelets < 100 10*3/uL: 2 (Sepsis-3 Table 1)."
    )


def test_what_would_change_it_is_the_rest_of_its_ladder_in_its_own_unit(judged: Judge, six_organs: Make) -> None:
    found = organs(judged(state_of(*six_organs(creatinine=None), observation("creatinine", 175, "umol/L"))))
    assert found["renal"]["score"] == 2
    assert [(other["points"], other["when"]) for other in found["renal"]["otherwise"]] == [
        (0, "creatinine not >= 110 umol/L: 0 (Sepsis-3 Table 1)"),
        (1, "creatinine >= 110 umol/L: 1 (Sepsis-3 Table 1)"),
        (3, "creatinine >= 300 umol/L: 3 (Sepsis-3 Table 1)"),
        (4, "creatinine > 440 umol/L: 4 (Sepsis-3 Table 1)"),
    ]
    assert "The two unit columns of the table disagree" in found["renal"]["says"]


def test_an_unsupported_lung_says_what_support_would_make_of_it(judged: Judge, six_organs: Make) -> None:
    gas = six_organs(pao2=68, fio2="0.40")
    found = organs(judged(state_of(*gas, observation("respiratory-support", "mask"), encounter=EMERGENCY)))
    assert found["respiration"]["score"] == 2
    assert {"points": 3, "when": "the same value under respiratory support"} in found["respiration"]["otherwise"]


def test_a_missing_organ_says_so_and_which_results_would_score(judged: Judge) -> None:
    found = organs(judged(state_of(observation("platelets", 140), encounter=EMERGENCY)))
    assert found["liver"]["says"].startswith("Liver: not known, so 0 to 4 points.")
    assert [other["points"] for other in found["liver"]["otherwise"]] == [0, 1, 2, 3, 4]


def test_every_criterion_says_what_would_change_it(judged: Judge, six_organs: Make) -> None:
    told = as_json(judged(state_of(*six_organs(platelets=90), encounter=EMERGENCY)), patient="S", software="0")
    said = {criterion["id"]: criterion["otherwise"] for criterion in told["criteria"]}
    assert said["I6"].startswith("It would no longer be met without: sofa.total at least 2")
    assert said["E1"].startswith("It would be met by: age_years")
    assert said["I2"] == ""


def test_what_a_person_answered_another_answer_changes(
    judged: Judge, six_organs: Make, answered: Callable[..., Any]
) -> None:
    state = state_of(*six_organs(platelets=90), encounter=EMERGENCY, determinations=(answered("E3", "not-met"),))
    told = as_json(judged(state), patient="S", software="0")
    said = {criterion["id"]: criterion["otherwise"] for criterion in told["criteria"]}
    assert said["E3"] == "Another answer by a person; this one is of nurse."


def test_an_organ_says_how_far_its_points_may_go_and_each_doubt_in_a_sentence(judged: Judge, six_organs: Make) -> None:
    drug = given("norepinephrine", "0.5", "mg/h", T0, until=after(2))
    found = organs(judged(state_of(*six_organs(), encounter=EMERGENCY, administrations=(drug,))))
    says = found["cardiovascular"]["says"]
    assert says == (
        "Circulation: 3 points (it may be 3 to 4). Norepinephrine rate on 2026-01-02 at 03:00 (reported as 0.5 mg/h) "
        "(sustained for 60 min); norepinephrine at an unknown dose: 3 to 4 (Sepsis-3 Table 1). "
        "No weight is on record: the dose per kilogram is not known."
    )


def test_a_gcs_from_before_sedation_is_told_as_one(judged: Judge, six_organs: Make) -> None:
    sedated = given("propofol", "3", "mg/kg/h", after(1), until=after(10))
    told = (*six_organs(**{"gcs-total": 14}), observation("gcs-total", 3, at=after(6)))
    found = organs(judged(state_of(*told, encounter=EMERGENCY, administrations=(sedated,)), after(6)))
    assert (
        "GCS 14 on 2026-01-02 at 03:00, from before sedation (GCS 14, charted 1.0 h before sedation); "
        in found["cns"]["says"]
    )


def test_a_running_drug_has_its_name_for_a_sentence(judged: Judge, six_organs: Make) -> None:
    drug = given("angiotensin-ii", "0.03", "ug/kg/min", T0, until=after(2))
    found = organs(judged(state_of(*six_organs(), encounter=EMERGENCY, administrations=(drug,))))
    assert found["cardiovascular"]["says"].endswith(" Angiotensin ii running.")


def test_every_flag_of_the_score_has_its_sentence() -> None:
    named = {
        constant.value
        for path in SCORING.glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign)
        for constant in ast.walk(node.value)
        if isinstance(constant, ast.Constant)
        and isinstance(constant.value, str)
        and isinstance(node.targets[0], ast.Name)
        if constant is node.value and constant.value.replace("_", "").isalnum() and constant.value.islower()
    }
    assert len(named) > 30
    assert named - NO_FLAGS <= set(FLAGS)


def diagnosis(code: str, status: str = "active", hour: float = -1) -> Condition:
    return Condition(code, "icd-10", code, ConditionStatus(status), after(hour), "1", digest=code)


@pytest.mark.parametrize(
    ("told", "flagged"),
    [
        (diagnosis("N18.6"), True),
        (diagnosis("Z992"), True),
        (diagnosis("N18.3"), False),
        (diagnosis("K74.6"), False),
        (diagnosis("N18.6", "refuted"), False),
        (diagnosis("N18.6", hour=90), False),
    ],
    ids=["end-stage", "dialysis", "stage 3", "another organ", "ruled out", "later"],
)
def test_a_chronic_diagnosis_of_a_scoring_organ_is_flagged(
    judged: Judge, six_organs: Make, told: Condition, flagged: bool
) -> None:
    found = judged(state_of(*six_organs(creatinine="2.5"), encounter=EMERGENCY, conditions=(told,)))
    assert ("chronic_dysfunction_possible" in found.flags) == flagged
    assert (found.sofa.low, next(str(c.answer) for c in found.criteria if c.id == "I6")) == (2, "met")


def test_a_diagnosis_on_record_stops_nobody_whose_organ_has_no_chronic_set(judged: Judge, six_organs: Make) -> None:
    """Pressure and consciousness may fail for long too, but no code of ours says so."""
    told = state_of(*six_organs(map=60, gcs_total=11), encounter=EMERGENCY, conditions=(diagnosis("N18.6"),))
    found = judged(told)
    assert (found.sofa.low, "chronic_dysfunction_possible" in found.flags) == (3, False)
