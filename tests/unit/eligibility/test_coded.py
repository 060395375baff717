"""Codes on record lay evidence before a person and never answer (clinical 3.3, 4): set by set, dose by dose."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from adapter.assets import load_rows
from adapter.domain.administration import Administration
from adapter.domain.assessment import Assessment, CriterionResult
from adapter.domain.condition import Condition, ConditionStatus
from adapter.domain.observation import Observation, Original
from adapter.domain.trial import Comparison, Operator, Rule, Trial
from adapter.domain.truth import Truth
from adapter.errors import ConfigError
from adapter.mapping.codesets import read_sets
from adapter.scoring.thresholds import PREDNISONE_FACTORS
from tests.builders import T0, after, dictionary, given, observation, state_of, visit

Judge = Callable[..., Assessment]
Results = Callable[[Assessment, str], CriterionResult]
ED = visit(at=T0)
LATER = after(2)
WEIGHT = observation("weight", 70, at=T0)


def told(code: str, system: str = "icd-10", **said: Any) -> Condition:
    status = said.pop("status", ConditionStatus.ACTIVE)
    made = Condition(
        f"{system}|{code}", system, code, status, said.pop("at", T0), "1", sender_time=said.pop("sent", T0)
    )
    return replace(made, digest=f"{system}|{code}|{status}")


def shown(found: CriterionResult) -> list[tuple[str, str]]:
    return [(one.concept, one.value) for one in found.evidence]


@pytest.mark.parametrize(
    ("criterion_id", "system", "code", "named"),
    [
        ("E3", "icd-10", "N10", "pyelonephritis"),
        ("E3", "icd-10", "O23.01", "pyelonephritis"),
        ("E3", "icd-10", "K65.0", "intra-abdominal-infection"),
        ("E3", "icd-10", "K57.20", "intra-abdominal-infection"),
        ("E3", "icd-10", "K85.92", "intra-abdominal-infection"),
        ("E3", "icd-10", "T81.4", "intra-abdominal-infection"),
        ("E3", "icd-10", "T81.43XA", "intra-abdominal-infection"),
        ("E3", "icd-10", "T81.41XA", "skin-infection"),
        ("E3", "icd-10", "G00.1", "meningitis"),
        ("E3", "icd-10", "L03.115", "skin-infection"),
        ("E3", "snomed-ct", "48661000", "intra-abdominal-infection"),
        ("E4", "icd-10", "C79.51", "metastatic-malignancy"),
        ("E6", "icd-10", "Z66", "do-not-resuscitate"),
        ("E7", "icd-10", "T80.211A", "catheter-infection"),
        ("E8", "icd-10", "A15.0", "tuberculosis"),
        ("E9", "icd-10", "B20", "hiv"),
        ("E10", "icd-10", "D81.0", "primary-immunodeficiency"),
        ("E10", "icd-10", "D84.8", "primary-immunodeficiency"),
        ("E10", "icd-10", "D84.89", "primary-immunodeficiency"),
        ("E13", "icd-10", "M32.14", "lupus"),
        ("E14", "icd-10", "G35D", "demyelination"),
        ("E15", "icd-10", "Z33.1", "pregnancy-or-lactation"),
        ("I5", "icd-10", "J18.9", "pneumonia"),
        ("I5", "snomed-ct", "5758002", "bacteraemia"),
    ],
)
def test_a_diagnosis_is_laid_before_whoever_answers(
    judged: Judge, criterion: Results, criterion_id: str, system: str, code: str, named: str
) -> None:
    found = criterion(judged(state_of(encounter=ED, conditions=(told(code, system),), sex="female")), criterion_id)
    assert found.answer is Truth.UNKNOWN
    assert (named, code) in shown(found)


@pytest.mark.parametrize(
    ("criterion_id", "code"),
    [
        ("E3", "N39.0"),
        ("E3", "L89.1"),
        ("E3", "K57.30"),
        ("E3", "K85.90"),
        ("E4", "C50.9"),
        ("E9", "Z11.4"),
        ("E10", "D84.821"),
        ("E10", "D84.81"),
        ("E13", "L93.0"),
        ("E14", "H46"),
    ],
)
def test_a_neighbour_is_not_meant(judged: Judge, criterion: Results, criterion_id: str, code: str) -> None:
    assert criterion(judged(state_of(encounter=ED, conditions=(told(code),))), criterion_id).evidence == ()


@pytest.mark.parametrize(
    "said",
    [
        {"status": ConditionStatus.REFUTED},
        {"at": after(3)},
    ],
)
def test_what_is_ruled_out_or_not_yet_so_is_no_ground(judged: Judge, criterion: Results, said: dict[str, Any]) -> None:
    state = state_of(encounter=ED, conditions=(told("M32.1", **said),))
    assert criterion(judged(state), "E13").evidence == ()


def test_covid_on_record_blocks_immunoparalysis_and_beside_a_negative_test_is_asked_with_its_code(
    judged: Judge, six_organs: Callable[..., tuple[Observation, ...]]
) -> None:
    immune = (observation("ferritin", 900, at=after(1)), observation("mhladr", 4200, at=after(1)))
    septic = (*six_organs(platelets=90), *immune)
    state = state_of(*septic, encounter=ED, conditions=(told("U07.1"),))
    blocked = judged(state)
    assert (blocked.verdict, blocked.stratum) == ("not-candidate", "immunoparalysis-blocked-by-covid")
    negative = observation("sars-cov-2", "not-detected", at=after(1))
    asked = judged(state_of(*septic, negative, encounter=ED, conditions=(told("U07.1"),)))
    assert (asked.verdict, asked.stratum) == ("candidate", "immunoparalysis")
    assert {("covid-19", "U07.1"), ("sars-cov-2", "not-detected")} <= {
        (e.concept, e.value) for e in asked.stratum_evidence
    }


@pytest.mark.parametrize(
    ("criterion_id", "code", "shown_too"),
    [
        ("E9", "B20", True),
        ("E10", "D83.9", True),
        ("E13", "M32.10", True),
        ("E14", "G35", True),
        ("E3", "N10", False),
        ("I5", "J18.9", False),
        ("E4", "C79.9", False),
    ],
)
def test_what_is_over_is_history_where_the_protocol_asks_for_history(
    judged: Judge, criterion: Results, criterion_id: str, code: str, shown_too: bool
) -> None:
    state = state_of(encounter=ED, conditions=(told(code, status=ConditionStatus.RESOLVED),))
    found = criterion(judged(state), criterion_id)
    assert [one.note for one in found.evidence] == (["resolved"] if shown_too else [])


@pytest.mark.parametrize(("criterion_id", "code"), [("E3", "N10"), ("I5", "J18.9"), ("E13", "M32.10")])
def test_a_suspicion_is_laid_before_a_person_and_begins_no_infection(
    judged: Judge, criterion: Results, criterion_id: str, code: str
) -> None:
    found = judged(state_of(encounter=ED, conditions=(told(code, status=ConditionStatus.SUSPECTED),)))
    assert (criterion(found, criterion_id).answer, found.sepsis.infection) == (Truth.UNKNOWN, None)
    assert [(one.value, one.note) for one in criterion(found, criterion_id).evidence] == [(code, "suspected")]


def test_a_diagnosis_that_was_ruled_out_later_leaves_nothing_in_any_order(judged: Judge, criterion: Results) -> None:
    said = [told("M32.1"), told("M32.1", status=ConditionStatus.REFUTED, sent=after(1))]
    for order in (said, said[::-1]):
        assert criterion(judged(state_of(encounter=ED, conditions=tuple(order))), "E13").evidence == ()


@pytest.mark.parametrize(
    ("grown", "laid"),
    [
        ("staphylococcus epidermidis", True),
        ("staphylococcus hominis", True),
        ("coagulase-negative staphylococcus", True),
        ("corynebacterium jeikeium", True),
        ("corynebacterium diphtheriae", False),
        ("bacillus cereus", True),
        ("bacillus anthracis", False),
        ("streptococcus mitis", True),
        ("streptococcus pneumoniae", False),
        ("staphylococcus aureus", False),
        ("staphylococcus", False),
        ("escherichia coli", False),
    ],
)
def test_a_skin_commensal_is_shown_as_one(judged: Judge, criterion: Results, grown: str, laid: bool) -> None:
    found = judged(state_of(observation("culture-organism", grown, at=after(1)), encounter=ED))
    assert bool(criterion(found, "E7").evidence) is laid
    assert criterion(found, "I5").evidence


# --- drugs -----------------------------------------------------------------------------------------------------------


def drugs(judged: Judge, criterion: Results, which: str, *said: Any, **more: Any) -> CriterionResult:
    observed = more.pop("observed", ())
    at = more.pop("at", LATER)
    return criterion(judged(state_of(*observed, encounter=ED, administrations=said), at), which)


@pytest.mark.parametrize(("days", "laid"), [(1, True), (29.9, True), (30.2, False)])
def test_a_biologic_of_the_last_thirty_days(judged: Judge, criterion: Results, days: float, laid: bool) -> None:
    found = drugs(
        judged, criterion, "E12", given("tocilizumab", dose="400", unit="mg", at=LATER - timedelta(days=days))
    )
    assert (found.answer, bool(found.evidence)) == (Truth.UNKNOWN, laid)


MINUTE = timedelta(minutes=1)


def dose(substance: str, days: float, **said: Any) -> Administration:
    return given(substance, dose="400", unit="mg", at=LATER - timedelta(days=days), **said)


@pytest.mark.parametrize(
    ("which", "doses", "leaves"),
    [
        ("E12", [dose("tocilizumab", 29)], 1),
        ("E12", [dose("tocilizumab", 29), dose("anakinra", 28)], 1),
        ("E8", [dose("isoniazid", 6), dose("rifampicin", 6)], 1),
        ("E11", [dose("hydrocortisone", 13, route="iv")], 2),
    ],
)
def test_a_dose_that_leaves_its_window_is_looked_at_in_that_moment(
    judged: Judge, criterion: Results, which: str, doses: list[Administration], leaves: int
) -> None:
    chart = state_of(WEIGHT, encounter=ED, administrations=doses)
    then = LATER + timedelta(days=leaves)
    before, after_it = judged(chart, then - MINUTE), judged(chart, then)
    assert before.review_at == then
    assert len(shown(criterion(before, which))) > len(shown(criterion(after_it, which)))


def test_a_dose_told_ahead_is_looked_at_when_it_begins(judged: Judge, criterion: Results) -> None:
    chart = state_of(encounter=ED, administrations=[dose("tocilizumab", -1)])
    begins = LATER + timedelta(days=1)
    assert judged(chart, begins - MINUTE).review_at == begins
    assert shown(criterion(judged(chart, begins), "E12"))


def test_a_culture_that_leaves_its_window_is_looked_at_in_that_moment(judged: Judge, criterion: Results) -> None:
    grown = observation("culture-organism", "staphylococcus epidermidis", at=T0)
    chart, then = state_of(grown, encounter=ED), T0 + timedelta(days=7)
    assert judged(chart, then - MINUTE).review_at == then
    assert shown(criterion(judged(chart, then - MINUTE), "E7"))
    assert not shown(criterion(judged(chart, then), "E7"))


def alone(trial: Trial, which: str, rule: Rule | None = None) -> dict[str, Any]:
    """A page on which no other criterion has anything laid before a person; `which` has `rule`, or what it has."""
    kept = {c.id: c.suggested_when if rule is None else rule for c in trial.criteria if c.id == which}
    return {"criteria": tuple(replace(c, suggested_when=kept.get(c.id)) for c in trial.criteria)}


@pytest.mark.parametrize(
    ("concept", "word", "which"),
    [("culture-organism", "staphylococcus epidermidis", "E7"), ("code-status", "dnr", "E6")],
)
def test_what_is_dated_ahead_is_looked_at_when_it_begins(
    judged: Judge, immunosep: Trial, criterion: Results, concept: str, word: str, which: str
) -> None:
    then, page = LATER + timedelta(days=1), alone(immunosep, which)
    chart = state_of(observation(concept, word, at=then), encounter=ED)
    before = judged(chart, then - MINUTE, **page)
    assert (before.review_at, criterion(before, which).evidence) == (then, ())
    assert criterion(judged(chart, then, **page), which).evidence


@pytest.mark.parametrize("platelets", [90, 200])
def test_what_is_laid_beside_the_criterion_of_sepsis_is_looked_at_as_that_of_any_other(
    judged: Judge, immunosep: Trial, criterion: Results, six_organs: Callable[..., Any], platelets: int
) -> None:
    week, commensals = timedelta(days=7), immunosep.parameters.commensal_codes
    grown = Comparison("culture.organism", Operator.IS, value=True, within=week, codes=commensals)
    page, leaves = alone(immunosep, "I6", grown), after(1) + week
    culture = observation("culture-organism", "staphylococcus epidermidis", at=after(1))
    chart = state_of(*six_organs(platelets=platelets), culture, encounter=ED)
    before, after_it = judged(chart, leaves - MINUTE, **page), judged(chart, leaves, **page)
    assert (before.sepsis.onset is not None, before.review_at) == (platelets == 90, leaves)
    assert len(criterion(before, "I6").evidence) == len(criterion(after_it, "I6").evidence) + 1


@pytest.mark.parametrize("state", ["ordered", "dispensed", "not-given", "withdrawn"])
def test_what_was_not_given_is_no_exposure(judged: Judge, criterion: Results, state: str) -> None:
    assert drugs(judged, criterion, "E12", given("anakinra", dose="100", unit="mg", at=T0, state=state)).evidence == ()


def test_two_drugs_against_tuberculosis_on_one_day_or_one_alone_are_shown(judged: Judge, criterion: Results) -> None:
    one, other = (given(name, dose="300", unit="mg", at=T0) for name in ("isoniazid", "rifampicin"))
    assert shown(drugs(judged, criterion, "E8", one)) == [("isoniazid", "300")]
    assert {name for name, _ in shown(drugs(judged, criterion, "E8", one, other))} == {"isoniazid", "rifampicin"}
    fixed = given("antituberculosis-combination", dose="1", unit="mg", at=T0)
    assert shown(drugs(judged, criterion, "E8", fixed)) == [("antituberculosis-combination", "1")]


@pytest.mark.parametrize(
    ("drug", "dose", "laid"),
    [
        ("prednisone", "28", True),
        ("prednisone", "27.99", False),
        ("hydrocortisone", "112", True),
        ("hydrocortisone", "111.9", False),
        ("methylprednisolone", "22.4", True),
        ("methylprednisolone", "22.3", False),
        ("dexamethasone", "4.2", True),
        ("dexamethasone", "4.19", False),
    ],
)
def test_corticosteroids_in_prednisone_by_weight_at_the_threshold(
    judged: Judge, criterion: Results, drug: str, dose: str, laid: bool
) -> None:
    """0.4 mg/kg a day at 70 kg is 28 mg of prednisone."""
    found = drugs(judged, criterion, "E11", given(drug, dose=dose, unit="mg", at=T0, route="iv"), observed=(WEIGHT,))
    assert (found.answer, bool(found.evidence)) == (Truth.UNKNOWN, laid)


def test_the_doses_of_a_day_add_up_and_the_sum_is_shown(judged: Judge, criterion: Results) -> None:
    doses = [given("hydrocortisone", dose="50", unit="mg", at=T0 + timedelta(minutes=n), route="iv") for n in range(4)]
    random.Random(3).shuffle(doses)
    found = drugs(judged, criterion, "E11", *doses, observed=(WEIGHT,))
    assert shown(found)[0] == ("steroid.daily", "0.714286")
    assert len(found.evidence) == 5


@pytest.mark.parametrize("more", [{"route": "inhaled"}, {"route": "topical"}, {"at": LATER - timedelta(days=16)}])
def test_what_does_not_reach_the_body_or_is_long_ago_does_not_count(
    judged: Judge, criterion: Results, more: dict[str, Any]
) -> None:
    said = given("prednisone", dose="50", unit="mg", **({"at": T0} | more))
    assert drugs(judged, criterion, "E11", said, observed=(WEIGHT,)).evidence == ()


def test_without_a_weight_the_doses_are_shown_and_nothing_is_worked_out(judged: Judge, criterion: Results) -> None:
    found = drugs(judged, criterion, "E11", given("prednisone", dose="50", unit="mg", at=T0, route="oral"))
    assert (found.answer, shown(found)) == (Truth.UNKNOWN, [("prednisone", "50")])


@pytest.mark.parametrize(
    ("rate", "unit", "more", "daily"),
    [
        ("10", "mg/h", {}, "0.571429"),  # 16 h x 10 mg x 5/20 = 40 mg of prednisone over 70 kg
        ("10", "mg/h", {"concentration": "1"}, "0.571429"),
        ("5", "mL/h", {"concentration": "2"}, "0.571429"),
        ("5", "mL/h", {}, None),  # nobody told the strength
        ("0.1", "mg/kg/h", {}, "0.4"),
        ("20000", "U/h", {}, None),
    ],
)
def test_an_infusion_counts_by_what_flowed_each_day(
    judged: Judge, criterion: Results, rate: str, unit: str, more: dict[str, Any], daily: str | None
) -> None:
    """From 08:00 for 24 hours: sixteen of them on the first day."""
    start = T0 + timedelta(hours=5)
    flowed = given("hydrocortisone", rate, unit, start, until=start + timedelta(hours=24), route="iv", **more)
    found = drugs(judged, criterion, "E11", flowed, observed=(WEIGHT,), at=T0 + timedelta(days=3))
    assert dict(shown(found)).get("steroid.daily") == daily


def test_what_has_not_flowed_yet_is_not_counted_and_what_has_no_end_flows_on(judged: Judge, criterion: Results) -> None:
    running = given("hydrocortisone", "10", "mg/h", T0, until=T0 + timedelta(hours=20), route="iv")
    soon, later = (
        drugs(judged, criterion, "E11", running, observed=(WEIGHT,), at=T0 + timedelta(hours=h)) for h in (11, 12)
    )
    assert (bool(soon.evidence), dict(shown(later))["steroid.daily"]) == (False, "0.428571")
    endless = given("hydrocortisone", "100", "mg/h", T0, route="iv")
    stop = given("hydrocortisone", "", at=T0 + timedelta(hours=4), state="stopped")
    less = given("hydrocortisone", "1", "mg/h", T0 + timedelta(hours=2), route="iv")
    for more, daily in (((), "8.57143"), ((stop,), "1.42857"), ((less, stop), "0.721429")):
        found = drugs(judged, criterion, "E11", endless, *more, observed=(WEIGHT,), at=T0 + timedelta(days=2))
        assert shown(found)[0] == ("steroid.daily", daily)


@pytest.mark.parametrize(
    ("drug", "more"),
    [
        (given("hydrocortisone", "8.3", "mL/h", T0, until=T0 + timedelta(hours=9)), ()),
        (given("prednisolone", dose="4", unit="{tbl}", at=T0, route="oral"), ()),
        (replace(given("prednisolone", at=T0, route="oral"), original=Original("4", "tablets", "x", "TEST")), ()),
        (given("methylprednisolone", "5.4", "mg/kg/h", T0, until=T0 + timedelta(hours=9)), ("no weight",)),
    ],
)
def test_what_was_given_is_shown_where_its_amount_cannot_be_worked_out(
    judged: Judge, criterion: Results, drug: Administration, more: tuple[str, ...]
) -> None:
    found = drugs(judged, criterion, "E11", drug, observed=() if more else (WEIGHT,))
    assert (found.answer, [one.concept for one in found.evidence]) == (Truth.UNKNOWN, [drug.substance])
    little = given("prednisone", dose="7", unit="mg", at=T0, route="oral")
    beside = drugs(judged, criterion, "E11", drug, little, observed=() if more else (WEIGHT,))
    assert drug.substance in dict(shown(beside))


def test_an_infusion_that_midnight_cuts_in_two_is_shown(judged: Judge, criterion: Results) -> None:
    """200 mg of hydrocortisone in a day are 0.625 mg/kg of prednisone at 80 kg, and less on either date."""
    start = T0 + timedelta(hours=9)
    flowed = given("hydrocortisone", "200", "mg/d", start, until=start + timedelta(hours=24), route="iv")
    weight = observation("weight", 80, at=T0)
    found = drugs(judged, criterion, "E11", flowed, observed=(weight,), at=T0 + timedelta(days=3))
    assert shown(found)[0] == ("steroid.daily", "0.3125")
    assert found.evidence[0].note.endswith("; 0.625 mg/kg in 24 hours on end")


def test_a_course_can_be_told_from_a_single_dose(judged: Judge, criterion: Results) -> None:
    doses = [
        given("prednisone", dose=mg, unit="mg", at=T0 + timedelta(days=n), route="oral")
        for n, mg in enumerate(("70", "7", "35"))
    ]
    found = drugs(judged, criterion, "E11", *doses, observed=(WEIGHT,), at=T0 + timedelta(days=4))
    assert found.evidence[0].value == "1"
    assert found.evidence[0].note == "median 0.5 mg/kg over 3 days with any; 2 days of 0.4 mg/kg or more"


def test_every_corticosteroid_of_the_formulary_has_its_factor() -> None:
    steroids = {s.name for s in dictionary().formulary.substances.values() if s.group == "corticosteroid"}
    assert steroids == PREDNISONE_FACTORS.keys()
    assert PREDNISONE_FACTORS["dexamethasone"] == Fraction(20, 3)


# --- the file --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("x,icd-11,A,exact,true,s", "unknown system 'icd-11'"),
        ("x,icd-10,A,begins,true,s", "unknown match 'begins'"),
        ("x,icd-10,,exact,true,s", "filled in"),
    ],
)
def test_a_mistake_in_the_code_sets_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "conditions.csv"
    path.write_text(f"set,system,code,match,verified,source\n{line}\n")
    with pytest.raises(ConfigError, match=complaint):
        read_sets(load_rows(path))
