"""Context, baseline, onset, answers of people, verdict and who is shown."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapter.domain import overlay
from adapter.domain.assessment import Assessment, CriterionResult
from adapter.domain.encounter import EncounterAction, EncounterClass
from adapter.domain.observation import Observation
from adapter.domain.patient import Decision, Demographics, Determination, Stated
from adapter.domain.trial import Comparison, Needs, Operator, Trial
from adapter.domain.truth import Truth
from adapter.eligibility.evaluate import assess
from adapter.eligibility.explain import as_json
from adapter.scoring.chart import chart_of
from adapter.scoring.options import ScoringOptions
from tests.builders import PATIENT, T0, after, observation, state_of, visit

Judge = Callable[..., Assessment]
Make = Callable[..., Any]
Results = Callable[[Assessment, str], CriterionResult]
ED = visit(at=T0)
WARD = visit(at=T0, cls=EncounterClass.INPATIENT, ward="MED")
MALS = observation("ferritin", 5200, at=after(1))


@pytest.fixture
def septic(six_organs: Make) -> tuple[Observation, ...]:
    found: tuple[Observation, ...] = six_organs(platelets=90)
    return found


def test_the_onset_is_the_first_moment_sepsis_holds_and_stays(judged: Judge, six_organs: Make) -> None:
    results = (*six_organs(), observation("platelets", 90, at=after(5)), *six_organs(at=after(40)))
    found = judged(state_of(*results, encounter=ED), after(41))
    assert (found.sepsis.onset, found.sofa.low) == (after(5), 0)
    assert (found.sepsis.deadline, found.sepsis.provisional) == (after(77), True)


def test_results_drawn_before_the_registration_give_the_onset_at_arrival(judged: Judge, six_organs: Make) -> None:
    found = judged(state_of(*six_organs(at=after(-1), platelets=90), encounter=ED))
    assert found.sepsis.onset == T0


def test_emergency_becomes_hospital_after_two_days(judged: Judge, six_organs: Make, criterion: Results) -> None:
    late = (*six_organs(), *six_organs(at=after(49), platelets=140, bilirubin="1.5"))
    assert judged(state_of(*six_organs(), encounter=ED), after(48)).sepsis.context == "emergency"
    found = judged(state_of(*late, encounter=ED), after(50))
    assert (found.sepsis.context, found.sepsis.increase_low) == ("inpatient", 2)
    assert criterion(found, "I6").answer is Truth.MET


def test_an_infection_recorded_early_keeps_the_emergency_context(
    judged: Judge, six_organs: Make, answered: Make
) -> None:
    late = (*six_organs(), *six_organs(at=after(60), platelets=90))
    infection = answered("I5", "met", after(10))
    found = judged(state_of(*late, encounter=ED, determinations=(infection,)), after(61))
    assert (found.sepsis.context, found.sepsis.onset, found.sepsis.provisional) == ("emergency", after(60), False)
    culture = observation("culture-organism", "escherichia coli", at=after(4))
    assert judged(state_of(*late, culture, encounter=ED), after(61)).sepsis.infection == after(4)


def test_a_culture_without_growth_is_no_infection(judged: Judge, septic: tuple[Observation, ...]) -> None:
    sterile = observation("culture-organism", "no growth after 5 days", at=after(1))
    assert judged(state_of(*septic, sterile, encounter=ED)).sepsis.infection is None


def test_the_first_two_days_of_another_admission_have_no_baseline(
    judged: Judge, six_organs: Make, criterion: Results
) -> None:
    found = judged(state_of(*six_organs(platelets=90), encounter=WARD), after(47))
    assert (found.sepsis.baseline, found.sepsis.increase_low) == (None, None)
    healthy = judged(state_of(*six_organs(platelets=140), encounter=WARD), after(20))
    assert criterion(healthy, "I6").answer is Truth.NOT_MET


def test_organs_not_measured_at_admission_leave_the_rise_to_a_person(
    judged: Judge, six_organs: Make, criterion: Results
) -> None:
    results = (observation("platelets", 200, at=after(2)), *six_organs(at=after(70), platelets=40))
    found = judged(state_of(*results, encounter=WARD), after(71))
    sepsis = criterion(found, "I6")
    assert found.sepsis.baseline is not None
    assert (found.sepsis.baseline.low, found.sepsis.baseline.high) == (0, 20)
    assert (sepsis.answer, sepsis.needs) == (Truth.UNKNOWN, Needs.PERSON)


def test_an_early_infection_leaves_no_time_for_an_admission_sofa(
    judged: Judge, six_organs: Make, answered: Make
) -> None:
    results = (*six_organs(at=after(2)), *six_organs(at=after(70), platelets=40))
    early = answered("I5", "met", after(48))
    assert judged(state_of(*results, encounter=WARD, determinations=(early,)), after(71)).sepsis.baseline is None


def test_without_a_visit_a_person_says_where_the_patient_lies(
    judged: Judge, septic: tuple[Observation, ...], six_organs: Make, criterion: Results
) -> None:
    found = judged(state_of(*septic, MALS))
    sepsis = criterion(found, "I6")
    assert (found.episode, found.sepsis.context, sepsis.needs) == ("no-visit", "", Needs.PERSON)
    assert "No visit is known" in sepsis.ask
    assert (found.verdict, found.certainty, found.sepsis.onset) == ("candidate", "possible", None)
    healthy = judged(state_of(*six_organs(platelets=140), MALS))
    assert (criterion(healthy, "I6").answer, healthy.verdict) == (Truth.NOT_MET, "not-candidate")
    unmeasured = judged(state_of(MALS))
    assert (criterion(unmeasured, "I6").needs, unmeasured.verdict, unmeasured.shown) == (
        Needs.DATA,
        "incomplete",
        False,
    )


def test_the_episode_without_a_visit_is_over_once_a_visit_is_known(
    judged: Judge, immunosep: Trial, septic: tuple[Observation, ...]
) -> None:
    assert judged(state_of(*septic, MALS)).shown
    now_known = assess(
        replace(immunosep, stratum_requires="any"),
        state_of(*septic, MALS, encounter=ED),
        after(2),
        options=ScoringOptions(),
        rulebook="sha256:0",
        episode="no-visit",
    )
    assert (now_known.episode, now_known.shown, now_known.review_at) == ("no-visit", False, None)


def test_another_page_of_the_same_name_finds_its_own_stratum_on_the_same_chart(immunosep: Trial) -> None:
    """What is remembered of a patient by one edition of the protocol says nothing under the next."""
    chart = chart_of(state_of(MALS, encounter=ED))
    higher = tuple(
        replace(one, met_when=replace(one.met_when, value=Fraction(6000))) if one.id == "mals" else one
        for one in immunosep.strata
        if isinstance(one.met_when, Comparison)
    )
    pages = [replace(immunosep, stratum_requires="any", strata=strata) for strata in (immunosep.strata, higher)]
    found = [assess(page, chart, after(2), options=ScoringOptions(), rulebook="").stratum for page in pages]
    assert found == ["mals", "unclassified"]


def test_a_rule_without_a_context_holds_anywhere(
    judged: Judge, immunosep: Trial, septic: tuple[Observation, ...], criterion: Results
) -> None:
    anywhere = Comparison("sofa.total", Operator.AT_LEAST, Fraction(2))
    criteria = tuple(replace(c, met_when=anywhere) if c.id == "I6" else c for c in immunosep.criteria)
    found = judged(state_of(*septic, encounter=WARD), criteria=criteria)
    assert (criterion(found, "I6").answer, found.sepsis.onset) == (Truth.MET, T0)


def test_a_clinic_visit_is_neither_emergency_nor_inpatient(judged: Judge, septic: tuple[Observation, ...]) -> None:
    clinic = visit(at=T0, cls=EncounterClass.OUTPATIENT, ward="CLINIC")
    found = judged(state_of(*septic, MALS, encounter=clinic))
    assert (found.sepsis.context, found.verdict) == ("outpatient", "not-candidate")


def test_the_running_stay_is_the_episode_whatever_clinics_register(
    judged: Judge, septic: tuple[Observation, ...]
) -> None:
    before = visit(at=after(-900), number="V0")
    left = visit(EncounterAction.DISCHARGE, at=after(-800), number="V0")
    clinic = visit(at=after(1), cls=EncounterClass.OUTPATIENT, number="V2")
    found = judged(state_of(*septic, encounter=[before, left, ED, clinic]))
    assert (found.episode, found.sepsis.onset) == ("V1", T0)


def test_a_visit_of_which_only_a_transfer_is_known_has_no_baseline(
    judged: Judge, septic: tuple[Observation, ...], criterion: Results
) -> None:
    moved = visit(EncounterAction.TRANSFER, at=T0, cls=EncounterClass.INPATIENT, ward="ICU")
    found = judged(state_of(*septic, MALS, encounter=moved))
    assert (found.sepsis.context, found.sepsis.baseline) == ("inpatient", None)
    assert criterion(found, "I6").needs is Needs.PERSON
    assert judged(state_of(encounter=moved)).sepsis.onset is None


def test_a_person_decides_sepsis_where_the_record_cannot(
    judged: Judge, septic: tuple[Observation, ...], answered: Make, criterion: Results
) -> None:
    told = answered("I6", "met", after(1.5), by="dr-x")
    found = judged(state_of(*septic, MALS, encounter=WARD, determinations=(told,)))
    assert (found.verdict, found.certainty, found.sepsis.onset) == ("candidate", "certain", after(1.5))
    assert criterion(found, "I6").determined_by == "dr-x"
    denied = answered("I6", "not-met", after(1.5))
    against = judged(state_of(*septic, MALS, encounter=ED, determinations=(denied,)))
    assert (against.verdict, against.sepsis.onset) == ("not-candidate", None)


def test_the_newest_answer_counts_and_unknown_takes_it_back(
    judged: Judge, septic: tuple[Observation, ...], answered: Make, criterion: Results
) -> None:
    denied, later = answered("E2", "met", after(1)), answered("E2", "unknown", after(1.5))
    assert judged(state_of(*septic, MALS, encounter=ED, determinations=(denied,))).verdict == "not-candidate"
    found = judged(state_of(*septic, MALS, encounter=ED, determinations=(later, denied)))
    assert (found.verdict, criterion(found, "E2").determined_by) == ("candidate", "nurse")


def test_answers_of_another_stay_another_trial_or_the_future_do_not_count(
    judged: Judge, septic: tuple[Observation, ...], answered: Make
) -> None:
    elsewhere = replace(answered("E2", "met"), trial="other")
    told = (answered("E2", "met", after(-5)), answered("E2", "met", after(3)), elsewhere)
    found = judged(state_of(*septic, MALS, encounter=ED, determinations=told))
    assert (found.verdict, found.review_at) == ("candidate", after(3))


def test_shares_and_counts_given_as_bounds_are_not_multiplied(
    judged: Judge, septic: tuple[Observation, ...], criterion: Results
) -> None:
    told = (observation("wbc", "<0.5", at=after(1)), observation("neutrophil-percent", "70", at=after(1)))
    assert criterion(judged(state_of(*septic, *told, encounter=ED)), "E5").answer is Truth.UNKNOWN


def test_oxygen_without_a_gas_asks_for_the_gas_and_a_gas_without_oxygen_for_the_oxygen(
    judged: Judge, six_organs: Make
) -> None:
    no_gas = judged(state_of(*six_organs(pao2=None, platelets=90), MALS, encounter=ED))
    no_oxygen = judged(state_of(*six_organs(fio2=None, platelets=90), MALS, encounter=ED))
    assert (no_gas.missing, no_oxygen.missing) == (("pao2",), ("fio2",))


def test_suggestions_lay_evidence_and_never_answer(
    judged: Judge, septic: tuple[Observation, ...], criterion: Results
) -> None:
    told = (
        observation("code-status", "dnr", at=after(0.5)),
        observation("code-status", "full", at=after(1)),
        observation("hiv-test", "positive", at=after(1)),
        observation("culture-organism", "escherichia coli", at=after(1)),
    )
    found = judged(state_of(*septic, MALS, *told, encounter=ED))
    for suggested in ("E6", "E9", "I5"):
        result = criterion(found, suggested)
        assert (result.answer, result.needs, len(result.evidence)) == (Truth.UNKNOWN, Needs.PERSON, 1), suggested
    assert found.verdict == "candidate"
    full = judged(state_of(*septic, MALS, told[1], encounter=ED))
    assert criterion(full, "E6").evidence == ()


def test_an_incomplete_ward_patient_is_shown_only_with_a_sign_of_infection(
    judged: Judge, six_organs: Make, answered: Make
) -> None:
    rise = (*six_organs(at=after(2)), *six_organs(at=after(70), platelets=40))
    silent = judged(state_of(*rise, encounter=WARD), after(71))
    assert (silent.verdict, silent.shown) == ("incomplete", False)
    grown = observation("culture-organism", "escherichia coli", at=after(69))
    assert judged(state_of(*rise, grown, encounter=WARD), after(71)).shown
    recorded = answered("I5", "met", after(70.5))
    assert judged(state_of(*rise, encounter=WARD, determinations=(recorded,)), after(71)).shown


def test_nobody_discharged_or_dead_is_shown_or_reviewed(judged: Judge, septic: tuple[Observation, ...]) -> None:
    left = visit(EncounterAction.DISCHARGE, at=after(1.5))
    gone = judged(state_of(*septic, MALS, encounter=[ED, left]))
    assert (gone.verdict, gone.shown, gone.review_at) == ("candidate", False, None)
    state = state_of(*septic, MALS, encounter=ED)
    fields = {**state.demographics.fields, "died": Stated("2026-01-02", T0)}
    assert not judged(replace(state, demographics=Demographics(fields))).shown
    still_here = judged(state_of(*septic, MALS, encounter=[ED, visit(EncounterAction.DISCHARGE, at=after(2.5))]))
    assert still_here.shown
    assert still_here.review_at == after(2.5)


@pytest.mark.parametrize(
    ("born", "answer"),
    [
        ("2008-01-02", Truth.MET),
        ("2008-01-03", Truth.NOT_MET),
        ("2008", Truth.UNKNOWN),
        ("2007", Truth.MET),
        ("2008-01", Truth.UNKNOWN),
        ("2007-12", Truth.MET),
        ("", Truth.UNKNOWN),
        ("19500615", Truth.UNKNOWN),
        ("1950-13-01", Truth.UNKNOWN),
        ("1950-06-15T10:00", Truth.MET),
        ("1-2-3-4", Truth.UNKNOWN),
    ],
)
def test_adults_by_completed_years_as_far_as_the_birth_date_is_known(
    judged: Judge, septic: tuple[Observation, ...], criterion: Results, born: str, answer: Truth
) -> None:
    found = judged(state_of(*septic, MALS, encounter=ED, birth_date=born))
    adult, child = criterion(found, "I1"), criterion(found, "E1")
    opposite = {Truth.MET: Truth.NOT_MET, Truth.NOT_MET: Truth.MET, Truth.UNKNOWN: Truth.UNKNOWN}
    assert (adult.answer, child.answer) == (answer, opposite[answer])
    assert found.verdict == ("not-candidate" if answer is Truth.NOT_MET else "candidate")


def test_the_status_is_the_last_decision_of_this_episode(judged: Judge, septic: tuple[Observation, ...]) -> None:
    def decided(status: str, at: datetime, episode: str = "V1") -> Decision:
        return Decision("immunosep", episode, status, at, "nurse")

    told = (decided("declined", after(1.5)), decided("screening", after(1)), decided("eligible", after(1.8), "V0"))
    assert judged(state_of(*septic, MALS, encounter=ED, decisions=told)).status == "declined"


def test_seventy_two_hours_are_elapsed_hours_across_the_night_the_clock_goes_back(
    judged: Judge, six_organs: Make
) -> None:
    athens = ZoneInfo("Europe/Athens")
    arrival = datetime(2026, 10, 24, 20, tzinfo=athens)
    found = judged(
        state_of(*six_organs(at=arrival, platelets=90), encounter=visit(at=arrival)),
        arrival.astimezone(ZoneInfo("UTC")) + timedelta(hours=1),
    )
    assert found.sepsis.deadline is not None
    assert found.sepsis.deadline.astimezone(athens) == datetime(2026, 10, 27, 19, tzinfo=athens)
    assert found.sepsis.hours_left(found.at) == 71


def test_the_zone_of_the_question_does_not_change_the_answer(judged: Judge, septic: tuple[Observation, ...]) -> None:
    state = state_of(*septic, MALS, encounter=ED)
    here, there = judged(state), judged(state, after(2).astimezone(ZoneInfo("Asia/Tehran")))
    assert (here.verdict, here.sepsis, here.review_at) == (there.verdict, there.sepsis, there.review_at)


def test_the_verdict_does_not_depend_on_the_order_of_results(judged: Judge, septic: tuple[Observation, ...]) -> None:
    one = judged(state_of(*septic, MALS, encounter=ED))
    assert one == judged(state_of(MALS, *reversed(septic), encounter=ED))


def test_an_explanation_without_visit_or_onset_says_so(judged: Judge) -> None:
    told = as_json(judged(state_of()), patient="S-2", software="0")
    assert (told["encounter"], told["sepsis"]["onset"], told["sepsis"]["baseline"]) == (None, None, None)
    assert (told["sepsis"]["hours_left"], told["verdict"], told["shown"]) == (None, "incomplete", False)
    assert told["missing"][:2] == ["ferritin", "mhladr"]
    assert {"pao2", "platelets", "bilirubin", "map", "gcs-total", "creatinine"} <= set(told["missing"])


def test_no_number_of_the_hospital_stands_in_an_explanation(judged: Judge, septic: tuple[Observation, ...]) -> None:
    arrival = visit(at=T0, number="VISIT-4711")
    told = str(as_json(judged(state_of(*septic, MALS, encounter=arrival)), patient="S-3", software="0"))
    assert "4711" not in told
    assert "1950-06-15" not in told


def test_a_determination_given_by_hand_is_shown_with_its_note(
    judged: Judge, septic: tuple[Observation, ...], criterion: Results
) -> None:
    consent = Determination("immunosep", "I4", Truth.MET, after(1.5), "dr-x", note="spouse signed")
    result = criterion(judged(state_of(*septic, MALS, encounter=ED, determinations=(consent,))), "I4")
    assert (result.answer, result.needs, result.determined_by, result.note) == (
        Truth.MET,
        Needs.NOTHING,
        "dr-x",
        "spouse signed",
    )


# --- after randomisation (reliability P11) ----------------------------------------------------------------------------


def randomised(at: datetime, trial: str = "immunosep", status: str = "on-study") -> Decision:
    return Decision(trial, ED.visit, status, at, "ilse", digest=f"{status}@{at.isoformat()}")


def test_what_comes_after_randomisation_tells_nothing(judged: Judge, septic: tuple[Observation, ...]) -> None:
    """Ferritin falls under anakinra, and HLA-DR rises under interferon: neither is looked at any more."""
    before = state_of(*septic, MALS, encounter=ED, decisions=(randomised(after(3)),))
    later = (observation("ferritin", 900, at=after(20)), observation("mhladr", 14000, at=after(20)))
    told = state_of(
        *septic,
        MALS,
        *later,
        observation("platelets", 20, at=after(20)),
        encounter=ED,
        decisions=(randomised(after(3)),),
    )
    found, frozen = judged(told, after(30)), judged(before, after(3))
    assert (found.stratum, found.verdict) == ("mals", "candidate")
    assert (found.sofa, found.facts, found.criteria) == (frozen.sofa, frozen.facts, frozen.criteria)
    assert "as-of-randomisation" in found.flags
    assert "as-of-randomisation" not in frozen.flags
    assert (found.status, found.review_at) == ("on-study", datetime(2026, 1, 4, tzinfo=UTC))  # a study day is over


def test_a_correction_of_what_came_before_is_still_heard(judged: Judge, septic: tuple[Observation, ...]) -> None:
    wrong = observation("ferritin", 520, at=after(1))
    told = state_of(*septic, wrong, encounter=ED, decisions=(randomised(after(3)),))
    assert judged(told, after(30)).stratum != "mals"


@pytest.mark.parametrize(
    "decision",
    [randomised(after(3), trial="other-trial"), randomised(after(40)), randomised(after(3), status="consented")],
)
def test_nobody_else_is_blinded(judged: Judge, septic: tuple[Observation, ...], decision: Decision) -> None:
    later = observation("ferritin", 900, at=after(20))
    found = judged(state_of(*septic, MALS, later, encounter=ED, decisions=(decision,)), after(30))
    assert found.facts["ferritin"].value == "900"


def test_whoever_left_the_study_later_stays_blinded(judged: Judge, septic: tuple[Observation, ...]) -> None:
    said = (randomised(after(3)), randomised(after(5), status="withdrawn"))
    later = observation("ferritin", 900, at=after(20))
    found = judged(state_of(*septic, MALS, later, encounter=ED, decisions=said), after(30))
    assert (found.facts["ferritin"].value, found.status) == ("5200", "withdrawn")


def test_a_discharge_after_randomisation_ends_the_search_as_ever(
    judged: Judge, septic: tuple[Observation, ...]
) -> None:
    left = visit(EncounterAction.DISCHARGE, at=after(25))
    told = state_of(*septic, MALS, encounter=(ED, left), decisions=(randomised(after(3)),))
    assert judged(told, after(24)).shown
    assert not judged(told, after(26)).shown


def test_of_two_running_visits_the_one_in_which_the_patient_was_randomised_is_told(
    judged: Judge, septic: tuple[Observation, ...]
) -> None:
    """Another was told while that one ran (a second account of one stay): the study is followed in its own."""
    other = visit(at=after(2), cls=EncounterClass.INPATIENT, number="V9", ward="MED")
    found = judged(state_of(*septic, MALS, encounter=(ED, other), decisions=(randomised(after(3)),)), after(30))
    assert found.encounter is not None
    assert (found.episode, found.encounter.visit, found.sepsis.context) == ("V1", "V1", "emergency")


def test_a_patient_randomised_without_a_visit_is_told_by_the_visit_of_then(
    judged: Judge, septic: tuple[Observation, ...]
) -> None:
    nowhere = replace(randomised(after(3)), episode="no-visit")
    found = judged(state_of(*septic, MALS, encounter=visit(at=after(1)), decisions=(nowhere,)), after(30))
    assert (found.episode, found.encounter and found.encounter.visit) == ("no-visit", "V1")


# --- a record that was deleted ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "deleted", "shown"),
    [("yes", 1.5, False), ("no", 1.5, True), ("yes", -1, True), ("yes", 0, False)],
    ids=["deleted", "spoken of anew", "admitted since", "in the same moment"],
)
def test_nobody_is_looked_for_under_a_record_that_the_hospital_deleted(
    judged: Judge, septic: tuple[Observation, ...], said: str, deleted: float, shown: bool
) -> None:
    """A29 takes a record back; an admission told later speaks of the person again."""
    state = state_of(*septic, MALS, encounter=ED)
    fields = {**state.demographics.fields, "deleted": Stated(said, after(deleted))}
    found = judged(replace(state, demographics=Demographics(fields)))
    assert (found.shown, "record-deleted" in found.flags) == (shown, not shown)


# --- what sepsis rests on -----------------------------------------------------------------------------------------------


def test_sepsis_is_told_with_the_score_of_its_beginning_and_the_increase_of_today(
    judged: Judge, six_organs: Make, answered: Make
) -> None:
    """On the ward: 1 at admission, 3 or more where it began, and one organ not measured again since."""
    told = (
        *six_organs(at=after(1), platelets=140),
        *six_organs(at=after(70), platelets=90, bilirubin="1.5"),
        *six_organs(at=after(95), platelets=40, bilirubin=None),
    )
    recorded = answered("I5", "met", after(71))
    found = judged(state_of(*told, encounter=WARD, determinations=(recorded,)), after(96))
    sepsis = found.sepsis
    assert sepsis.baseline is not None
    assert (sepsis.baseline.low, sepsis.baseline.high) == (1, 1)
    assert (sepsis.onset, sepsis.onset_low, sepsis.onset_high) == (after(70), 3, 3)
    assert (found.sofa.low, found.sofa.high) == (3, 7)
    assert (sepsis.increase_low, sepsis.increase_high) == (2, 6)
    assert (sepsis.infection, sepsis.provisional, sepsis.deadline) == (after(71), False, after(142))
    assert found.patient == PATIENT


@pytest.mark.parametrize(
    ("creatinine", "platelets", "answer", "needs"),
    [
        (171, 200, Truth.UNKNOWN, Needs.PERSON),
        (108, 140, Truth.UNKNOWN, Needs.PERSON),
        (171, 140, Truth.MET, Needs.NOTHING),
        (108, 200, Truth.NOT_MET, Needs.NOTHING),
    ],
    ids=["met by the SI column", "met by the other", "met by both", "met by neither"],
)
def test_where_the_unit_columns_disagree_about_sepsis_a_person_is_asked(
    judged: Judge,
    six_organs: Make,
    criterion: Results,
    creatinine: int,
    platelets: int,
    answer: Truth,
    needs: Needs,
) -> None:
    told = six_organs(creatinine=None, platelets=platelets), (observation("creatinine", creatinine, "umol/L"), MALS)
    found = judged(state_of(*told[0], *told[1], encounter=ED))
    sepsis = criterion(found, "I6")
    assert (sepsis.answer, sepsis.needs) == (answer, needs)
    assert ("which one counts" in sepsis.ask) is (needs is Needs.PERSON)
    if needs is Needs.PERSON:
        assert "points for creatinine" in sepsis.ask
        assert (found.verdict, found.certainty, found.sepsis.onset) == ("candidate", "possible", None)


def test_on_the_ward_the_rise_by_one_unit_column_alone_is_a_question_too(
    judged: Judge, six_organs: Make, criterion: Results
) -> None:
    later = (*six_organs(at=after(70), creatinine=None), observation("creatinine", 171, "umol/L", after(70)))
    sepsis = criterion(judged(state_of(*six_organs(at=after(1)), *later, encounter=WARD), after(71)), "I6")
    assert (sepsis.answer, sepsis.needs) == (Truth.UNKNOWN, Needs.PERSON)
    assert "which one counts" in sepsis.ask


def test_clumped_platelets_alone_are_no_certain_sepsis(judged: Judge, six_organs: Make, criterion: Results) -> None:
    """The next count settles it."""
    clumped = observation("platelets", 60, flags=("platelet_clumps",))
    found = judged(state_of(*six_organs(platelets=None), clumped, MALS, encounter=ED))
    assert (criterion(found, "I6").answer, found.verdict) == (Truth.UNKNOWN, "incomplete")
    assert [test.test for test in found.deciding] == ["platelets"]


def test_without_an_onset_there_is_no_score_of_one(judged: Judge, six_organs: Make) -> None:
    sepsis = judged(state_of(*six_organs(), encounter=ED)).sepsis
    assert (sepsis.onset, sepsis.onset_low, sepsis.onset_high, sepsis.increase_low) == (None, None, None, 0)


@pytest.mark.parametrize(("trial", "doubted"), [("immunosep", False), ("another", True)])
def test_two_persons_under_one_number_are_doubted_until_somebody_of_this_trial_has_looked(
    judged: Judge, septic: tuple[Observation, ...], trial: str, doubted: bool
) -> None:
    one, other = (overlay.field(name, born, sex) for name, born, sex in (("a", "1", "f"), ("b", "2", "m")))
    state = state_of(*septic, MALS, encounter=ED)
    fields = {**state.demographics.fields, **{name: Stated("described", T0) for name in (one, other)}}
    looked = Determination(trial, overlay.SAME_PERSON, Truth.MET, after(1), "nurse", note=f"{one} {other}", digest="d")
    found = judged(replace(state, demographics=Demographics(fields), determinations=(looked,)))
    assert (overlay.POSSIBLE_OVERLAY in found.flags) is doubted


def test_what_is_lacking_for_sepsis_is_asked_for_by_its_names_with_the_question_about_the_place(
    judged: Judge, six_organs: Make, criterion: Results
) -> None:
    nowhere = judged(state_of(*six_organs(platelets=140, bilirubin=None, creatinine=None)))
    assert criterion(nowhere, "I6").ask == (
        "No visit is known: was the patient admitted with infection through emergency, or already in hospital?; "
        "For SOFA, ask for bilirubin, creatinine"
    )
    ward = judged(state_of(*six_organs(platelets=140, bilirubin=None), encounter=WARD))
    assert criterion(ward, "I6").ask == (
        "The SOFA before the infection is not on record: did it rise by the points the protocol asks for?; "
        "For SOFA, ask for bilirubin"
    )
    here = judged(state_of(*six_organs(platelets=140, bilirubin=None), encounter=ED))
    assert (criterion(here, "I6").ask, here.missing[-1]) == ("For SOFA, ask for bilirubin", "bilirubin")


@pytest.mark.parametrize("at_admission", ["0.8", None], ids=["all measured", "one not measured"])
def test_the_score_before_is_asked_for_only_where_the_record_leaves_it_open(
    judged: Judge, six_organs: Make, criterion: Results, at_admission: str | None
) -> None:
    told = (
        *six_organs(at=after(1), bilirubin=at_admission),
        *six_organs(at=after(70), platelets=140, bilirubin=None),
    )
    ask = criterion(judged(state_of(*told, encounter=WARD), after(71)), "I6").ask
    before = "The SOFA before the infection is not on record: did it rise by the points the protocol asks for?; "
    assert ask == ("" if at_admission else before) + "For SOFA, ask for bilirubin"


def test_the_rise_on_the_ward_shows_the_values_of_the_organs_that_score(
    judged: Judge, six_organs: Make, criterion: Results
) -> None:
    told = (*six_organs(at=after(1)), *six_organs(at=after(70), platelets=90, bilirubin="1.5"))
    found = criterion(judged(state_of(*told, encounter=WARD), after(71)), "I6")
    assert (found.answer, found.ask) == (Truth.MET, "")
    assert [(one.concept, one.value) for one in found.evidence] == [("platelets", "90"), ("bilirubin", "1.5")]


def test_a_gas_of_yesterday_is_asked_for_with_its_oxygen(judged: Judge, six_organs: Make) -> None:
    """Both were measured once, and neither is today's."""
    told = (*six_organs(), *six_organs(at=after(30), pao2=None, fio2=None, platelets=140))
    assert judged(state_of(*told, encounter=ED), after(31)).missing[-2:] == ("pao2", "fio2")


def test_what_no_rule_decides_is_for_a_person_whatever_the_page_says_it_needs(
    judged: Judge, immunosep: Trial, criterion: Results
) -> None:
    """Nothing that could come would answer it: it must not keep a patient incomplete."""
    criteria = tuple(replace(c, needs=Needs.DATA) if c.id == "I4" else c for c in immunosep.criteria)
    assert criterion(judged(state_of(encounter=ED), criteria=criteria), "I4").needs is Needs.PERSON
