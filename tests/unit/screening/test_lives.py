"""What holds of each person of tied records: visits go with their results, drugs and decisions, and back again."""

from dataclasses import replace

import pytest

from adapter.domain.condition import Condition, ConditionStatus
from adapter.domain.events import AdministrationStated, ClinicalEvent, ObservationReceived
from adapter.domain.observation import ResultStatus
from adapter.domain.patient import Decision, Demographics, PatientId, PatientState, Stated
from adapter.domain.persons import knot_of
from adapter.domain.ties import Merge, Move, Tie, Unlink
from adapter.screening.lives import is_known, lives, visits_in, whose_visit
from adapter.screening.state import told_again, union
from tests.builders import PATIENT, T0, after, given, observation, state_of, visit

OTHER = PatientId("generic", "HOSP", "200")


def decision(episode: str, status: str = "screening") -> Decision:
    return Decision("immunosep", episode, status, after(1), "nurse", digest=f"{episode}{status}")


def record(who: PatientId, number: str, **more: object) -> PatientState:
    """One visit with a result, a drug, a diagnosis and a decision of its own."""
    made = state_of(
        observation("platelets", 90, visit=number, identity=f"p{number}"),
        encounter=visit(number=number),
        patient=who,
        administrations=(replace(given("norepinephrine", "0.1"), visit=number, digest=f"d{number}"),),
        conditions=(Condition("c", "icd-10", "N18.6", ConditionStatus.ACTIVE, T0, "1", visit=number, digest=number),),
        decisions=(decision(number),),
    )
    return replace(made, **more)


def lived(*ties: Tie, **records: PatientState) -> dict[PatientId, PatientState]:
    known = {state.patient: state for state in records.values()}
    return lives(knot_of(known, ties), known)


def numbers(state: PatientState) -> list[str]:
    """Of the visit, its result, drug, diagnosis and decision."""
    results = [v.visit for known in state.results.values() for result in known for v in result.versions]
    told = [one.visit for one in (*state.statements, *state.administrations, *state.conditions)]
    return sorted(results + told + [one.episode for one in state.decisions])


def test_a_visit_that_moved_takes_everything_said_of_it_along() -> None:
    found = lived(Move(PATIENT, OTHER, "V1", "V9", after(5)), one=record(PATIENT, "V1"), other=record(OTHER, "V2"))
    assert numbers(found[PATIENT]) == []
    assert numbers(found[OTHER]) == ["V2"] * 5 + ["V9"] * 5
    assert found[PATIENT].demographics.fields, "who somebody is does not move with a visit"


def test_only_the_visit_that_moved_goes() -> None:
    both = union(record(PATIENT, "V1"), record(PATIENT, "V2"))
    found = lived(Move(PATIENT, OTHER, "V1", "V1", after(5)), one=both)
    assert (numbers(found[PATIENT]), numbers(found[OTHER])) == (["V2"] * 5, ["V1"] * 5)


def test_a_result_goes_with_the_visit_its_newest_version_names_although_a_correction_is_silent() -> None:
    first = observation("platelets", 90, visit="V1", identity="p")
    corrected = observation(
        "platelets", 40, identity="p", status=ResultStatus.CORRECTED, issued=after(2), sender_time=after(2)
    )
    state = state_of(first, corrected, encounter=visit(number="V1"))
    found = lived(Move(PATIENT, OTHER, "V1", "V9", after(5)), one=state)
    assert [v.visit for v in found[OTHER].results["platelets"][0].versions] == ["V9", "V9"]
    assert found[PATIENT].results == {}


def test_a_visit_of_an_account_that_moved_is_the_other_s_by_its_own_number() -> None:
    state = record(PATIENT, "V1")
    held = replace(state, statements=tuple(replace(said, account="K1") for said in state.statements))
    found = lived(Move(PATIENT, OTHER, "K1", "K2", after(5), account=True), one=held)
    assert (numbers(found[PATIENT]), numbers(found[OTHER])) == ([], ["V1"] * 5)
    both = union(held, record(PATIENT, "V3"))
    assert numbers(lived(Move(PATIENT, OTHER, "K1", "K2", after(5), account=True), one=both)[PATIENT]) == ["V3"] * 5
    stays = lived(Move(PATIENT, OTHER, "K7", "K2", after(5), account=True), one=held)
    assert numbers(stays[PATIENT]) == ["V1"] * 5


def test_two_merged_records_are_one_life_and_two_again_when_the_merge_is_taken_back() -> None:
    records = {"one": record(PATIENT, "V1"), "other": record(OTHER, "V2")}
    merge = Merge(OTHER, PATIENT, after(5))
    assert {who: numbers(state) for who, state in lived(merge, **records).items()} == {PATIENT: ["V1"] * 5 + ["V2"] * 5}
    apart = lived(merge, Unlink(OTHER, PATIENT, after(6)), **records)
    assert (numbers(apart[PATIENT]), numbers(apart[OTHER])) == (["V1"] * 5, ["V2"] * 5)


def test_what_people_decided_under_one_name_goes_back_with_the_visit_it_was_of() -> None:
    """While the two were one, the click came under the survivor's name."""
    survivor = replace(record(PATIENT, "V1"), decisions=(decision("V1"), decision("V2", "eligible")))
    apart = lived(
        Merge(OTHER, PATIENT, after(5)),
        Unlink(OTHER, PATIENT, after(6)),
        one=survivor,
        other=replace(record(OTHER, "V2"), decisions=()),
    )
    assert [one.episode for one in apart[PATIENT].decisions] == ["V1"]
    assert [one.episode for one in apart[OTHER].decisions] == ["V2"]
    undecided = lived(
        Merge(OTHER, PATIENT, after(5)),
        Unlink(OTHER, PATIENT, after(6)),
        one=replace(record(PATIENT, "V1"), decisions=()),
        other=replace(record(OTHER, "V2"), decisions=()),
    )
    assert len(undecided) == 2


def test_whoever_deletes_a_record_that_was_merged_away_deletes_no_person() -> None:
    gone = Demographics({"deleted": Stated("yes", after(6)), "sex": Stated("male", T0)})
    records = {
        "one": record(PATIENT, "V1", demographics=Demographics()),
        "other": record(OTHER, "V2", demographics=gone),
    }
    together = lived(Merge(OTHER, PATIENT, after(5)), **records)[PATIENT]
    assert (together.demographics.get("deleted"), together.demographics.get("sex")) == ("", "male")
    alone = lived(Merge(PATIENT, OTHER, after(5)), **records)[OTHER]
    assert alone.demographics.get("deleted") == "yes"


def test_a_person_of_whom_nothing_was_said_is_nobody_known() -> None:
    found = lived(Merge(OTHER, PATIENT, after(5)))
    assert found == {PATIENT: PatientState(PATIENT)}
    assert not is_known(found[PATIENT])
    assert is_known(record(PATIENT, "V1"))


def test_a_visit_is_whose_the_hospital_said_else_whose_results_name_it() -> None:
    told = {PATIENT: record(PATIENT, "V1"), OTHER: replace(record(OTHER, "V2"), statements=())}
    assert visits_in(told[OTHER]) == {"V2"}
    assert [whose_visit(told, number, PATIENT) for number in ("V1", "V2", "V3")] == [PATIENT, OTHER, PATIENT]
    assert whose_visit(told, "V1", OTHER) == PATIENT


# --- what is read anew ------------------------------------------------------------------------------------------------------


def said_of(*events: ClinicalEvent) -> tuple[ClinicalEvent, ...]:
    return events


@pytest.mark.parametrize("reread", [("1",), ("1", "2")])
def test_what_a_message_does_not_say_any_more_is_not_believed_any_more(reread: tuple[str, ...]) -> None:
    """A mended mapping reads another value from the same message; what other messages said stays."""
    wrong = observation("platelets", 900, identity="p", message="1")
    right = observation("platelets", 90, identity="p", message="1")
    elsewhere = observation("platelets", 80, identity="q", message="3", at=after(1))
    drug = replace(given("norepinephrine", "0.1", message="1"), digest="n")
    kept = replace(given("epinephrine", "0.1", message="3"), digest="e")
    before = state_of(wrong, elsewhere, administrations=(drug, kept))
    after_all = told_again(before, [ObservationReceived(PATIENT, right)], reread)
    (first, second) = after_all.results["platelets"]
    assert [v.quantity and v.quantity.value for v in first.versions] == [90]
    assert second.versions == (elsewhere,)
    assert after_all.administrations == (kept,)


def test_what_a_message_still_says_stays() -> None:
    result, drug = observation("platelets", 90, message="1"), given("norepinephrine", "0.1", message="1")
    before = state_of(result, administrations=(drug,))
    events = [ObservationReceived(PATIENT, result), AdministrationStated(PATIENT, drug)]
    assert told_again(before, events, ["1"]) == before


def test_a_result_of_which_nothing_else_is_known_keeps_its_last_statement() -> None:
    alone = observation("platelets", 90, message="1")
    assert told_again(state_of(alone), [], ["1"]).results["platelets"][0].versions == (alone,)
