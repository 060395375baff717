"""Trials that ask for other things than ours does: rules that rest on age, on sex or on a test, and what would settle them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from adapter.domain.assessment import Assessment, CriterionResult, OrganScore, OrganStatus
from adapter.domain.encounter import EncounterClass
from adapter.domain.trial import Code, Combination, Comparison, Connective, Needs, Operator, Stratum, Trial
from adapter.domain.truth import Truth
from adapter.eligibility.deciding import Sum
from tests.builders import T0, after, given, observation, state_of, visit

Judge = Callable[..., Assessment]
Make = Callable[..., Any]
Results = Callable[[Assessment, str], CriterionResult]
ED = visit(at=T0)
ADULT = Comparison("age_years", Operator.AT_LEAST, Fraction(18))
POINTS = Comparison("sofa.total", Operator.AT_LEAST, Fraction(2))
MALS = Comparison("ferritin.latest", Operator.ABOVE, Fraction(4420), "ng/mL", timedelta(hours=72))


def both(*rules: Comparison) -> Combination:
    return Combination(Connective.ALL, rules)


def asking(trial: Trial, criterion: str, **changes: Any) -> dict[str, Any]:
    return {"criteria": tuple(replace(c, **changes) if c.id == criterion else c for c in trial.criteria)}


@pytest.mark.parametrize(
    ("born", "met", "onset"), [("1950-06-15", Truth.MET, True), ("2020-06-15", Truth.NOT_MET, False)]
)
def test_sepsis_of_adults_begins_in_adults(
    judged: Judge, immunosep: Trial, six_organs: Make, criterion: Results, born: str, met: Truth, onset: bool
) -> None:
    """Age turns with the calendar, so nothing of it may be remembered from another moment."""
    state = state_of(*six_organs(platelets=90), encounter=ED, birth_date=born)
    found = judged(state, **asking(immunosep, "I6", met_when=both(POINTS, ADULT)))
    assert (criterion(found, "I6").answer, found.sepsis.onset is not None) == (met, onset)
    assert judged(state, after(1), **asking(immunosep, "I6", met_when=both(POINTS, ADULT))).sepsis == found.sepsis


@pytest.mark.parametrize(("born", "stratum"), [("1950-06-15", "mals"), ("2020-06-15", "unclassified")])
def test_a_stratum_of_adults_holds_adults(
    judged: Judge, immunosep: Trial, six_organs: Make, born: str, stratum: str
) -> None:
    told = (*six_organs(platelets=90), observation("ferritin", 5200, at=after(1)))
    found = judged(state_of(*told, encounter=ED, birth_date=born), strata=(Stratum("mals", both(MALS, ADULT)),))
    assert found.stratum == stratum


def test_a_birthday_settles_what_the_day_before_did_not(judged: Judge, immunosep: Trial, six_organs: Make) -> None:
    """Eighteen on the second day in hospital: the score had been there, and the criterion begins with the next result."""
    told = (*six_organs(platelets=90), *six_organs(at=after(22), platelets=90))
    state = state_of(*told, encounter=ED, birth_date="2008-01-03")
    rule = asking(immunosep, "I6", met_when=both(POINTS, ADULT))
    assert judged(state, after(20), **rule).sepsis.onset is None
    assert judged(state, after(23), **rule).sepsis.onset == after(22)


def test_what_sepsis_began_with_is_not_looked_at_again_when_it_leaves_its_window(
    judged: Judge, immunosep: Trial, six_organs: Make
) -> None:
    """A moment that is over is no next one: who goes from one to the next would go back."""
    lactate = Comparison("lactate.latest", Operator.AT_LEAST, Fraction(2), "mmol/L", timedelta(hours=24))
    told = (*six_organs(platelets=90), observation("lactate", "3", "mmol/L"))
    rule = asking(immunosep, "I6", met_when=both(POINTS, lactate))
    for hours in (1, 24, 30, 200):
        found = judged(state_of(*told, encounter=ED), after(hours), **rule)
        assert (found.sepsis.onset, found.review_at is None or found.review_at > found.at) == (T0, True)


def test_where_only_a_person_says_that_it_is_sepsis_the_clock_runs_from_their_answer(
    judged: Judge, immunosep: Trial, six_organs: Make, answered: Make
) -> None:
    rule = asking(immunosep, "I6", met_when=None, needs=Needs.PERSON)
    told = six_organs(platelets=90)
    assert judged(state_of(*told, encounter=ED), **rule).sepsis.onset is None
    said = answered("I6", "met", after(1))
    assert judged(state_of(*told, encounter=ED, determinations=(said,)), **rule).sepsis.onset == after(1)


def test_a_criterion_that_only_a_test_answers_names_no_result_that_is_not_missing(
    judged: Judge, immunosep: Trial, six_organs: Make
) -> None:
    """COVID-19 that is discordant waits for data that no list of concepts names: nothing is called its deciding test."""
    covid = Comparison("covid.active", Operator.IS, value=True, within=timedelta(days=14))
    told = (
        *six_organs(platelets=90),
        observation("ferritin", 5200, at=after(1)),
        observation("sars-cov-2", "detected", at=after(0.5)),
        observation("sars-cov-2", "not-detected", at=after(1)),
    )
    found = judged(state_of(*told, encounter=ED), **asking(immunosep, "E5", met_when=covid, needs=Needs.DATA))
    waiting = next(c for c in found.criteria if c.id == "E5")
    assert (waiting.answer, waiting.needs, found.deciding) == (Truth.UNKNOWN, Needs.DATA, ())


def test_of_several_missing_the_first_may_settle_a_criterion_and_says_how_only_of_a_stratum(
    judged: Judge, immunosep: Trial, six_organs: Make
) -> None:
    crp = Comparison("crp.latest", Operator.ABOVE, Fraction(50), "mg/L", timedelta(hours=48))
    rule = Combination(Connective.ALL, (MALS, crp))
    found = judged(
        state_of(*six_organs(platelets=90), encounter=ED), **asking(immunosep, "E5", met_when=rule, needs=Needs.DATA)
    )
    says = {test.criterion: (test.says, test.alone) for test in found.deciding}
    assert says["E5"] == ("Ferritin may settle E5.", False)
    assert says["I7"][0].startswith("Ferritin may settle I7: mals where")


def test_a_stratum_that_asks_for_a_pair_is_not_said_to_follow_from_one_value(
    judged: Judge, immunosep: Trial, six_organs: Make
) -> None:
    (pair,) = (stratum for stratum in immunosep.strata if stratum.id == "immunoparalysis")
    found = judged(
        state_of(*six_organs(platelets=90), encounter=ED),
        strata=(
            replace(
                pair,
                met_when=both(
                    MALS,
                    Comparison("mhladr.latest", Operator.BELOW, Fraction(5000), "{AB}/{cell}", timedelta(hours=72)),
                ),
            ),
        ),
    )
    assert [test.says for test in found.deciding] == ["Ferritin may settle I7."]


def test_the_test_that_alone_is_waited_for_is_said_to_be(judged: Judge, six_organs: Make) -> None:
    found = judged(state_of(*six_organs(platelets=90), encounter=ED))
    assert [(test.criterion, test.alone) for test in found.deciding] == [("I7", True)]
    low = judged(
        state_of(*six_organs(platelets=140, bilirubin=None), observation("ferritin", 900, at=after(1)), encounter=ED)
    )
    assert [(test.criterion, test.test, test.alone) for test in low.deciding] == [
        ("I6", "bilirubin", False),
        ("I7", "mhladr", False),
    ]


def test_what_settles_a_criterion_whatever_it_says_is_named_first(judged: Judge, six_organs: Make) -> None:
    told = (*six_organs(bilirubin=None, creatinine=None), observation("ferritin", 900, at=after(1)))
    found = judged(state_of(*told, encounter=ED)).deciding
    assert [(test.criterion, test.test, test.always) for test in found] == [
        ("I7", "mhladr", True),
        ("I6", "bilirubin", False),
        ("I6", "creatinine", False),
    ]


def test_on_the_ward_the_deciding_test_is_measured_against_the_sofa_of_admission(
    judged: Judge, six_organs: Make
) -> None:
    """From 2 at admission two points more are wanted: bilirubin must give them, and below 2 mg/dL it does not."""
    ward = visit(at=T0, cls=EncounterClass.INPATIENT, ward="MED")
    told = (*six_organs(at=after(1), platelets=90), *six_organs(at=after(100), platelets=90, bilirubin=None))
    found = judged(state_of(*told, encounter=ward), after(101))
    (test,) = (test for test in found.deciding if test.criterion == "I6")
    assert (test.test, test.always) == ("bilirubin", True)
    assert test.says.startswith("bilirubin >= 2 mg/dL: 2 ")


def test_a_rule_by_another_comparison_has_no_deciding_test(judged: Judge, immunosep: Trial, six_organs: Make) -> None:
    below = Comparison("sofa.total", Operator.BELOW, Fraction(2))
    found = judged(state_of(*six_organs(bilirubin=None), encounter=ED), **asking(immunosep, "I6", met_when=below))
    assert [test for test in found.deciding if test.criterion == "I6"] == []


def of(low: int, high: int) -> OrganScore:
    return OrganScore(None, low, high, OrganStatus.MISSING)


@pytest.mark.parametrize(
    ("total", "organ", "points", "truth"),
    [
        ((0, 4), (0, 4), 2, Truth.MET),
        ((0, 4), (0, 4), 1, Truth.NOT_MET),
        ((0, 5), (0, 4), 1, Truth.UNKNOWN),
        ((3, 6), (3, 4), 3, Truth.MET),
        ((1, 4), (1, 4), 1, Truth.NOT_MET),
        ((2, 9), (2, 4), 1, Truth.UNKNOWN),
    ],
)
def test_an_organ_s_points_settle_a_sum_where_the_other_organs_leave_no_room(
    total: tuple[int, int], organ: tuple[int, int], points: int, truth: Truth
) -> None:
    assert Sum(*total, Fraction(2)).settled(of(*organ), points) is truth


def test_of_two_limits_of_a_dose_the_days_are_those_of_the_one_that_was_reached(
    judged: Judge, immunosep: Trial, criterion: Results
) -> None:
    """28 mg of prednisone at 70 kg, on one day: 0.4 mg/kg, and no 5."""
    high, low = (
        Comparison(
            "steroid.daily",
            Operator.AT_LEAST,
            Fraction(limit),
            "mg/kg",
            timedelta(days=15),
            of="corticosteroid",
            codes=(Code("group", "corticosteroid"),),
        )
        for limit in ("5", "0.4")
    )
    state = state_of(
        observation("weight", 70),
        encounter=ED,
        administrations=(given("prednisone", dose="28", unit="mg", route="oral"),),
    )
    rule = Combination(Connective.ANY, (high, low))
    found = judged(state, after(2), **asking(immunosep, "E11", suggested_when=None, met_when=rule))
    notes = [shown.note.partition("; ")[2] for shown in criterion(found, "E11").evidence if shown.note]
    assert notes == ["1 days of 0.4 mg/kg or more"]
