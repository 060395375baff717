"""COVID-19, age, codes and pairs as a clinician reads them: until when an answer holds, and what is shown beside it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapter.domain.administration import Administration
from adapter.domain.assessment import Assessment, CriterionResult, Evidence
from adapter.domain.condition import Condition, ConditionStatus
from adapter.domain.observation import Observation, Original
from adapter.domain.patient import PatientState
from adapter.domain.quantity import Interval
from adapter.domain.trial import Code, Comparison, Operator, Trial
from adapter.domain.truth import Truth
from adapter.eligibility.answers import age_years, coded_answer, completed_years, covid_active, culture_growth
from adapter.eligibility.coded import given as drug_given
from adapter.eligibility.coded import listed, on_record, organism, together
from adapter.eligibility.finding import Reading, compare
from adapter.eligibility.newest import DERIVED, DISCORDANT, latest, named, neutrophils
from adapter.eligibility.plan import plan_of
from adapter.eligibility.steroids import steroid
from adapter.eligibility.view import Stay, View
from adapter.scoring.chart import chart_of
from adapter.scoring.options import ScoringOptions
from tests.builders import T0, after, given, observation, state_of, visit

Judge = Callable[..., Assessment]
Make = Callable[..., Any]
Results = Callable[[Assessment, str], CriterionResult]
Look = Callable[..., Reading]
ED = visit(at=T0)
TWO_WEEKS = timedelta(days=14)


@pytest.fixture
def look(immunosep: Trial) -> Look:
    """`look(covid_active, comparison, *observations)`: the fact as read at `at`."""

    def read(fact: Callable[[View, Comparison], Reading], asked: Comparison, state: PatientState, at: datetime) -> Any:
        return fact(View(Stay(immunosep, plan_of(immunosep), chart_of(state), ScoringOptions(), None, None), at), asked)

    return read


def shown(found: Reading) -> list[tuple[str, str]]:
    return [(one.concept, one.value) for one in found.evidence]


# --- COVID-19 --------------------------------------------------------------------------------------------------------

COVID = Comparison("covid.active", Operator.IS, value=True, within=TWO_WEEKS)


def test_a_detection_is_looked_at_again_when_its_fourteen_days_are_over(look: Look) -> None:
    found = look(covid_active, COVID, state_of(observation("sars-cov-2", "detected", at=after(1))), after(2))
    assert (found.word, found.changes) == (True, after(1) + TWO_WEEKS)
    later = look(covid_active, COVID, state_of(observation("sars-cov-2", "detected", at=after(1))), found.changes)
    assert (later.word, later.evidence) == (None, ())


def diagnosed(code: str, system: str = "icd-10", status: str = "active") -> PatientState:
    said = Condition("1", system, code, ConditionStatus(status), after(1), "7", digest=f"{code}{status}")
    return state_of(conditions=(said,))


@pytest.mark.parametrize(("system", "code"), [("icd-10", "U07.1"), ("icd-10", "J12.82"), ("snomed-ct", "840539006")])
def test_a_diagnosis_is_covid_and_a_negative_test_beside_it_a_question(look: Look, system: str, code: str) -> None:
    found = look(covid_active, COVID, diagnosed(code, system), after(2))
    assert (found.word, shown(found)) == (True, [("covid-19", code)])
    negative = observation("sars-cov-2", "not-detected", at=after(0))
    tested = replace(diagnosed(code, system), results=state_of(negative).results)
    doubt = look(covid_active, COVID, tested, after(2))
    assert (doubt.word, shown(doubt)) == (None, [("sars-cov-2", "not-detected"), ("covid-19", code)])
    assert "another test did not detect it" in doubt.asks[0]


@pytest.mark.parametrize(
    ("code", "status"), [("U09.9", "active"), ("U07.1", "resolved"), ("U07.1", "suspected"), ("U07.1", "refuted")]
)
def test_a_history_or_a_suspicion_of_covid_is_no_diagnosis(look: Look, code: str, status: str) -> None:
    assert look(covid_active, COVID, diagnosed(code, status=status), after(2)).word is None


def test_a_negative_before_the_detection_is_not_shown_beside_it_and_one_after_it_is(look: Look) -> None:
    earlier, found, later = (
        observation("sars-cov-2", word, at=after(hour))
        for hour, word in ((1, "not-detected"), (2, "detected"), (3, "not-detected"))
    )
    assert shown(look(covid_active, COVID, state_of(earlier, found), after(5))) == [("sars-cov-2", "detected")]
    discordant = look(covid_active, COVID, state_of(earlier, found, later), after(5))
    assert (discordant.word, len(discordant.evidence)) == (None, 2)
    assert "another test did not detect it" in discordant.asks[0]


def test_what_is_doubtful_about_a_test_stays_with_the_answer(look: Look) -> None:
    doubtful = observation("sars-cov-2", "detected", at=after(1), flags=("specimen_unsure",))
    assert look(covid_active, COVID, state_of(doubtful), after(2)).flags == ("specimen_unsure",)


def test_a_stratum_is_looked_at_again_when_the_detection_that_blocks_it_runs_out(
    judged: Judge, six_organs: Make
) -> None:
    """Ferritin and mHLA-DR hold for three days, the detection of two weeks ago for six hours more."""
    told = (
        *six_organs(platelets=90),
        observation("ferritin", 900, at=after(1)),
        observation("mhladr", 4200, at=after(1)),
        observation("sars-cov-2", "detected", at=after(8) - TWO_WEEKS),
    )
    blocked = judged(state_of(*told, encounter=ED))
    assert (blocked.stratum, blocked.review_at) == ("immunoparalysis-blocked-by-covid", after(8))
    assert judged(state_of(*told, encounter=ED), after(8)).stratum == "immunoparalysis"


def test_a_stratum_is_looked_at_again_when_a_test_of_tomorrow_may_block_it(judged: Judge, six_organs: Make) -> None:
    told = (
        *six_organs(platelets=90),
        observation("ferritin", 900, at=after(1)),
        observation("mhladr", 4200, at=after(1)),
        observation("sars-cov-2", "detected", at=after(3)),
    )
    assert judged(state_of(*told, encounter=ED)).review_at == after(3)


@pytest.mark.parametrize(("fact", "concept"), [("pregnancy.test", "pregnancy-test"), ("hiv.test", "hiv-test")])
def test_a_test_is_looked_at_again_when_its_window_is_over(look: Look, fact: str, concept: str) -> None:
    rule = Comparison(fact, Operator.IS, "positive", within=TWO_WEEKS)
    state = state_of(observation(concept, "positive", at=after(1)))
    found = look(coded_answer, rule, state, after(2))
    assert (found.word, found.changes) == ("positive", after(1) + TWO_WEEKS)
    assert look(coded_answer, rule, state, found.changes).word is None


# --- age -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("born", "told"), [("2008", "17-18"), ("1950-06-15", "75"), ("2008-01-02", "18")])
def test_an_age_is_shown_as_far_as_it_is_known(judged: Judge, criterion: Results, born: str, told: str) -> None:
    assert [one.value for one in criterion(judged(state_of(encounter=ED, birth_date=born)), "I1").evidence] == [told]


@pytest.mark.parametrize(
    ("born", "on", "years"),
    [
        ("2008", date(2026, 1, 1), (17, 18)),
        ("2008", date(2025, 12, 31), (17, 17)),
        ("2007", date(2025, 12, 31), (18, 18)),
        ("2007", date(2025, 12, 30), (17, 18)),
        ("2008-02", date(2026, 2, 1), (17, 18)),
        ("2008-02", date(2026, 2, 28), (17, 18)),
        ("2008-02", date(2026, 3, 1), (18, 18)),
        ("2008-02-29", date(2026, 2, 28), (17, 17)),
        ("2008-02-29", date(2026, 3, 1), (18, 18)),
        ("2008-02-30", date(2026, 3, 1), None),
        ("", date(2026, 3, 1), None),
    ],
)
def test_years_are_completed_on_the_birthday_and_as_far_as_it_is_known(
    born: str, on: date, years: tuple[int, int] | None
) -> None:
    assert completed_years(born, on) == years


@pytest.mark.parametrize(("zone", "years"), [("America/New_York", 17), ("UTC", 18), ("Asia/Tokyo", 18)])
def test_a_birthday_begins_where_the_site_lies(immunosep: Trial, zone: str, years: int) -> None:
    """The evening before, in New York."""
    adult, options = Comparison("age_years", Operator.AT_LEAST, Fraction(18)), ScoringOptions(timezone=ZoneInfo(zone))
    chart, at = chart_of(state_of(birth_date="2008-05-01")), datetime(2026, 5, 1, 1, 0, tzinfo=UTC)
    found = age_years(View(Stay(immunosep, plan_of(immunosep), chart, options, None, None), at), adult)
    assert list(found.intervals) == [exactly(years)]


@pytest.mark.parametrize(
    ("born", "lacks"), [("", "No date of birth is on file"), ("2008", "The date of birth is not complete")]
)
def test_an_age_that_does_not_decide_is_asked_for(look: Look, born: str, lacks: str) -> None:
    adult = Comparison("age_years", Operator.AT_LEAST, Fraction(18))
    found = look(age_years, adult, state_of(birth_date=born), after(2))
    assert (found.asks, found.missing) == ((f"How old is the patient? {lacks}",), ("age_years",))


# --- codes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "code", "wanted", "found"),
    [
        ("icd-10", "M32.1", Code("icd-10", "M32", prefix=True), True),
        ("icd-10", "m32.1", Code("icd-10", "M32", prefix=True), True),
        ("icd-10", "N10", Code("icd-10", "N10"), True),
        ("icd-10", "N10.1", Code("icd-10", "N10"), False),
        ("icd-10", "N11", Code("icd-10", "N10"), False),
        ("snomed-ct", "N10", Code("icd-10", "N10"), False),
        ("organism", "Streptococcus sp.", Code("organism", "streptococcus sp."), True),
        ("organism", "Streptococcus spp", Code("organism", "streptococcus sp."), False),
    ],
)
def test_a_code_is_listed_whole_or_by_its_beginning_as_the_set_says(
    system: str, code: str, wanted: Code, found: bool
) -> None:
    """The dot of an ICD-10 code is a matter of taste, that of an organism's name is not."""
    assert listed(system, code, (wanted,)) is found


def asked(fact: str, *groups: str) -> Comparison:
    codes = tuple(Code("group", group) for group in groups)
    return Comparison(fact, Operator.AT_LEAST, Fraction(1), within=timedelta(days=14), of=groups[0], codes=codes)


TUBERCULOSIS = asked("drug.together", "antituberculosis", "antituberculosis-combination")
STEROIDS = asked("steroid.daily", "corticosteroid")
WEIGHT = observation("weight", 50, at=T0)


def at_once(look: Look, *drugs: Administration) -> list[Interval]:
    return list(look(together, TUBERCULOSIS, state_of(administrations=drugs), after(60)).intervals)


def exactly(number: Fraction | int) -> Interval:
    return Interval(Fraction(number), Fraction(number))


def test_drugs_against_tuberculosis_are_counted_by_day_and_a_fixed_combination_is_two(look: Look) -> None:
    one, other = (given(name, dose="300", unit="mg", at=T0) for name in ("isoniazid", "rifampicin"))
    fixed = given("antituberculosis-combination", dose="1", unit="mg", at=T0)
    assert at_once(look, one) == [exactly(1)]
    assert at_once(look, one, other) == [exactly(2)]
    assert at_once(look, fixed) == [exactly(2)]
    assert at_once(look, one, given("rifampicin", dose="300", unit="mg", at=after(30))) == [exactly(1)]


@pytest.mark.parametrize(
    ("dose", "unit", "daily"),
    [("50", "mg", 1), ("0.05", "g", 1), ("50000", "ug", 1), ("50", "[drp]", None), ("", "", None)],
)
def test_a_corticosteroid_is_weighed_in_milligrams_or_not_at_all(
    look: Look, dose: str, unit: str, daily: int | None
) -> None:
    drug = given("prednisone", dose=dose, unit=unit, at=T0, route="oral")
    found = look(steroid, STEROIDS, state_of(WEIGHT, administrations=(drug,)), after(2))
    assert list(found.intervals) == ([] if daily is None else [Interval(Fraction(daily), None)])


def test_a_mineralocorticoid_is_no_prednisone(look: Look) -> None:
    drug = given("fludrocortisone", dose="50", unit="mg", at=T0, route="iv")
    asked_widely = asked("steroid.daily", "corticosteroid", drug.group)
    assert look(steroid, asked_widely, state_of(WEIGHT, administrations=(drug,)), after(2)).intervals == ()


def test_the_question_about_a_weight_names_the_weight(look: Look) -> None:
    drug = given("prednisone", dose="50", unit="mg", at=T0, route="oral")
    found = look(steroid, STEROIDS, state_of(administrations=(drug,)), after(2))
    assert (found.intervals, found.missing, shown(found)) == ((), ("weight",), [("prednisone", "50")])


def test_a_drug_is_shown_with_its_dose_as_the_ward_wrote_it_or_as_given(look: Look) -> None:
    anakinra = Comparison(
        "drug.given", Operator.IS, value=True, within=TWO_WEEKS, codes=(Code("group", "anti-cytokine"),)
    )
    told = (
        given("anakinra", dose="100", unit="mg", at=T0, message="7"),
        given("tocilizumab", at=after(1), unit="", message="8"),
    )
    first, second = look(drug_given, anakinra, state_of(administrations=told), after(2)).evidence
    assert (first.value, first.unit, first.message) == ("100", "mg", "7")
    assert (first.original_value, first.original_unit) == ("100", "mg")
    assert (second.value, second.unit, second.message) == ("given", "", "8")


LUPUS = Comparison(
    "condition.on_record", Operator.IS, value=True, of="lupus", codes=(Code("icd-10", "M32", prefix=True),)
)
SKIN = Comparison(
    "culture.organism", Operator.IS, value=True, within=TWO_WEEKS, of="skin", codes=(Code("organism", "s. hominis"),)
)
CYTOKINE = Comparison("drug.given", Operator.IS, value=True, within=TWO_WEEKS, codes=(Code("group", "anti-cytokine"),))


@pytest.mark.parametrize(
    ("fact", "asked_for"),
    [(on_record, LUPUS), (organism, SKIN), (drug_given, CYTOKINE), (together, TUBERCULOSIS), (steroid, STEROIDS)],
)
def test_no_code_on_record_is_neither_yes_nor_no(
    look: Look, fact: Callable[[View, Comparison], Reading], asked_for: Comparison
) -> None:
    """What other hospitals wrote and gave nobody told: silence answers nothing, for and against."""
    assert look(fact, asked_for, state_of(), after(2)) == Reading()


def test_a_diagnosis_and_an_organism_are_shown_as_they_were_told(look: Look) -> None:
    told = Condition("1", "icd-10", "M32.1", ConditionStatus.ACTIVE, after(2), "7", kind="admission", digest="d")
    grown = observation("culture-organism", "s. hominis", at=after(2), message="8")
    state = state_of(grown, conditions=(told,))
    assert look(on_record, LUPUS, state, after(1.9)) == Reading(), "the moment is looked at for all diagnoses at once"
    assert look(organism, SKIN, state, after(1.9)) == Reading(changes=after(2))
    (diagnosis,) = look(on_record, LUPUS, state, after(2)).evidence
    assert diagnosis == Evidence("lupus", "M32.1", "", after(2), "7", "M32.1", "icd-10", note="admission")
    (culture,) = look(organism, SKIN, state, after(2)).evidence
    assert culture == Evidence("culture-organism", "s. hominis", "", after(2), "8", "s. hominis")


def test_an_organism_of_a_month_ago_is_none_of_now(look: Look) -> None:
    state = state_of(observation("culture-organism", "s. hominis", at=T0))
    assert look(organism, SKIN, state, T0 + TWO_WEEKS - timedelta(seconds=1)).word is True
    assert look(organism, SKIN, state, T0 + TWO_WEEKS).word is None


def test_growth_asked_for_without_a_window_counts_however_old(look: Look) -> None:
    ever = Comparison("culture.growth", Operator.IS, value=True)
    told = (observation("culture-organism", "s. aureus", at=after(-9000)), observation("culture-organism", "sterile"))
    found = look(culture_growth, ever, state_of(*told), after(2))
    assert (found.word, shown(found)) == (True, [("culture-organism", "s. aureus")])


def test_the_day_with_most_drugs_counts_whichever_came_first(look: Look) -> None:
    one, other = (given(name, dose="300", unit="mg", at=after(30)) for name in ("isoniazid", "rifampicin"))
    alone = given("pyrazinamide", dose="300", unit="mg", at=T0)
    for drugs in ((alone, one, other), (other, one, alone)):
        assert at_once(look, *drugs) == [exactly(2)]


# --- pairs, and what is missing of them ------------------------------------------------------------------------------


HLADR = Comparison(
    "mhladr.latest", Operator.BELOW, Fraction(5000), "{AB}/{cell}", timedelta(hours=72), paired_with="ferritin"
)


@pytest.mark.parametrize(("apart", "a_pair"), [(24, True), (24.1, False)])
def test_a_pair_is_a_pair_up_to_a_day_apart(look: Look, apart: float, a_pair: bool) -> None:
    told = (observation("ferritin", 900, at=after(30 - apart)), observation("mhladr", 4200, at=after(30)))
    found = look(latest, HLADR, state_of(*told), after(31))
    assert bool(found.intervals) is a_pair
    assert found.missing == ("mhladr",)
    if not a_pair:
        assert found.asks == ("Ask for ferritin and mHLA-DR from one draw",)


def test_the_partner_is_the_one_that_is_compared_too(look: Look) -> None:
    """A ferritin drawn with it does not vouch for one of two days later."""
    one_draw = (observation("ferritin", 6000, at=after(2)), observation("mhladr", 4000, at=after(2)))
    later = observation("ferritin", 3900, at=after(48))
    assert look(latest, HLADR, state_of(*one_draw, later), after(47)).intervals
    found = look(latest, HLADR, state_of(*one_draw, later), after(49))
    assert (found.intervals, found.asks) == ((), ("Ask for ferritin and mHLA-DR from one draw",))


def test_a_partner_drawn_this_very_moment_is_one(look: Look) -> None:
    told = (observation("mhladr", 4200, at=T0), observation("ferritin", 900, at=after(2)))
    assert look(latest, HLADR, state_of(*told), after(2)).intervals
    assert look(latest, HLADR, state_of(*told), after(1.9)).intervals == ()


def test_only_a_recent_result_in_another_unit_is_told_to_be_one(look: Look) -> None:
    """A percentage of last month says nothing of what the laboratory does today."""
    percent = observation("mhladr-percent", 30, at=T0)
    now, later = (look(latest, HLADR, state_of(percent), at) for at in (after(2), after(80)))
    assert "never converts" in now.asks[0]
    assert later.asks == ("Ask for mHLA-DR",)


@pytest.mark.parametrize(
    ("told", "value", "truth"),
    [
        ({"neutrophil-percent": 60, "band-percent": 20}, "1.6", Truth.NOT_MET),
        ({"neutrophil-percent": 60, "band-percent": 10}, "1.4", Truth.MET),
        ({"neutrophil-percent": 60, "band-percent": "<5"}, ">=1.2", Truth.UNKNOWN),
        ({"neutrophil-percent": 60}, "1.2", Truth.MET),
    ],
)
def test_bands_are_neutrophils(look: Look, told: dict[str, Any], value: str, truth: Truth) -> None:
    results = [observation(concept, share, at=T0) for concept, share in told.items()]
    found = look(neutrophils, NEUTROPHILS, state_of(observation("wbc", 2, at=T0), *results), after(1))
    assert (found.evidence[0].value, compare(NEUTROPHILS, found).truth) == (value, truth)


def test_where_bands_are_counted_apart_a_share_without_them_is_a_lower_bound(look: Look) -> None:
    earlier = [observation("wbc", 3, at=after(-9)), observation("band-percent", 8, at=after(-9))]
    for share, truth in ((60, Truth.UNKNOWN), (75, Truth.NOT_MET)):
        told = (*earlier, observation("wbc", 2, at=T0), observation("neutrophil-percent", share, at=T0))
        found = look(neutrophils, NEUTROPHILS, state_of(*told), after(1))
        assert (compare(NEUTROPHILS, found).truth, found.asks) == (truth, ("Ask for the absolute neutrophil count",))


NEUTROPHILS = Comparison("neutrophils.latest", Operator.BELOW, Fraction(3, 2), "10*3/uL", timedelta(hours=48))


def test_a_derived_count_says_what_it_was_made_of(look: Look) -> None:
    told: tuple[Observation, ...] = (
        observation("wbc", 2, at=T0, flags=("clumped",)),
        observation("neutrophil-percent", 70, at=T0, flags=("manual",)),
    )
    found = look(neutrophils, NEUTROPHILS, state_of(*told), after(1))
    assert list(found.intervals) == [exactly(Fraction(14, 10))]
    assert found.flags == ("clumped", "manual", DERIVED)
    (one,) = found.evidence
    assert (one.concept, one.value, one.unit, one.original_value) == ("neutrophils", "1.4", "10*3/uL", "2 × 70 %")


def test_a_share_without_a_unit_ends_with_its_number(look: Look) -> None:
    share = observation("neutrophil-percent", 70, original=Original("70", "", "neutrophil-percent", "TEST"))
    (one,) = look(neutrophils, NEUTROPHILS, state_of(observation("wbc", 2), share), after(1)).evidence
    assert one.original_value == "2 × 70"


def test_a_count_of_three_days_ago_is_no_neutropenia_of_today(look: Look) -> None:
    """Older than the page allows: white cells and shares grow old together."""
    for told in (
        (observation("neutrophils", "0.4", at=T0),),
        (observation("wbc", 2, at=T0), observation("neutrophil-percent", 20, at=T0)),
    ):
        found = look(neutrophils, NEUTROPHILS, state_of(*told), after(2))
        assert (len(found.intervals), found.changes) == (1, after(48))
        gone = look(neutrophils, NEUTROPHILS, state_of(*told), after(48))
        assert (gone.intervals, gone.missing, gone.asks) == (
            (),
            ("neutrophils",),
            ("Ask for the absolute neutrophil count",),
        )


def test_a_count_may_be_wanted_from_one_draw_with_another(look: Look) -> None:
    paired = replace(NEUTROPHILS, paired_with="wbc")
    told = (observation("neutrophils", "0.4", at=after(30)), observation("wbc", 2, at=after(1)))
    assert look(neutrophils, paired, state_of(*told), after(31)).asks == (
        "Ask for a white cell count and the absolute neutrophil count from one draw",
    )
    assert look(neutrophils, paired, state_of(), after(31)).asks == ("Ask for the absolute neutrophil count",)


LACTATE = Comparison("lactate.latest", Operator.ABOVE, Fraction(2), "mmol/L", timedelta(hours=6))


def test_two_results_of_one_moment_that_differ_are_flagged_and_two_that_agree_are_not(look: Look) -> None:
    def read(*values: str) -> Reading:
        told = (observation("lactate", value, at=T0, identity=f"{n}") for n, value in enumerate(values))
        found: Reading = look(latest, LACTATE, state_of(*told), after(1))
        return found

    assert read("3", "3").flags == ()
    differ = read("3", "1")
    assert (differ.flags, differ.missing) == ((DISCORDANT,), ("lactate",))
    assert differ.asks == ("Two results of lactate at one time differ: which one holds?",)
    bound = read("<3")
    assert (bound.flags, len(bound.intervals)) == ((), 1)
    assert bound.asks == (
        "lactate is reported as a bound that does not decide: ask the laboratory to dilute and repeat",
    )


def test_a_result_holds_until_its_window_ends_and_not_at_its_end(look: Look) -> None:
    state = state_of(observation("lactate", 3, at=T0))
    for hour, there in ((0, True), (5.99, True), (6, False)):
        found = look(latest, LACTATE, state, after(hour))
        assert bool(found.intervals) is there
        assert found.changes == (after(6) if there else None)


def test_a_concept_is_called_as_at_the_bedside() -> None:
    assert [named(concept) for concept in ("mhladr", "gcs-total", "crp")] == ["mHLA-DR", "gcs total", "CRP"]
