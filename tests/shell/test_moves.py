"""Records that come apart again, and visits that move: who is asked changes, what was said stays where it was said."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.domain.message import MessageKind
from adapter.domain.patient import PatientId, PatientState
from adapter.domain.visits import visits
from adapter.pipeline.knots import state_of
from adapter.pipeline.numbers import WHICH_NUMBER
from adapter.pipeline.outgoing import NotifierOutlet
from adapter.screening import actions
from adapter.store import audit, outbox, patients, screening_ids, worklist
from adapter.store.candidate_rows import CandidateRow
from tests.builders import account_move, adt, move, obx, oru, pair
from tests.shell.test_merges import EDC, admitted, ferritin, merge, organs, who
from tests.walking import House, open_house

TRIAL = "immunosep-demo"


def unlink(one: str, other: str, minute: int = 30) -> bytes:
    return pair("A37", one, other, sent=f"2026010207{minute:02}00", control=f"U{one}{other}{minute}")


def moved(source: str, target: str, minute: int = 0, *, visit: str = "V1", into: str = "V1") -> bytes:
    sent = f"2026010207{minute:02}00"
    return move(source, target, visit=visit, into=into, sent=sent, control=f"M{source}{target}{minute}")


def candidate(patient: str, visit: str = "V1") -> tuple[bytes, bytes, bytes]:
    lines = (obx("777-3", "90", "10*3/uL"), obx("8478-0", "60", "mm[Hg]"))
    return (
        admitted(patient, visit),
        oru(*lines, patient=patient, order=f"O{patient}", control=f"O{patient}{visit}", visit=visit),
        oru(obx("2276-4", "5200", "ng/mL"), patient=patient, order=f"F{patient}", control=f"F{patient}", visit=visit),
    )


def state(house: House, patient: str) -> PatientState:
    with house.database.read() as conn:
        return state_of(conn, who(patient))


def number(house: House, patient: str) -> str | None:
    with house.database.read() as conn:
        return screening_ids.find(conn, house.keeper.secret, TRIAL, who(patient))


def standing(house: House) -> list[CandidateRow]:
    return [row for row in house.rows if row.standing]


def rivals(house: House) -> dict[str, list[str]]:
    asked = ((row.patient.value, row.assessment.get("screening_ids")) for row in house.rows)
    return {patient: numbers for patient, numbers in asked if numbers}


def choose(house: House, row: CandidateRow, chosen: str) -> None:
    said = actions.determination_body(
        patient=row.patient, trial=row.trial, episode=row.episode, criterion=WHICH_NUMBER, answer="met",
        at=house.now, by="kim", note=chosen,
    )  # fmt: skip
    house.tell(said, kind=MessageKind.ACTION)


def subjects(house: House) -> set[str]:
    """Whom the EDC is owed a bundle of, taken."""
    with house.database.write() as tx:
        due = outbox.due(tx, "edc", house.now, 50)
        for one in due:
            outbox.delivered(tx, one.id, None, house.now)
    return {one.subject for one in due}


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    built = open_house(tmp_path, outlets=(NotifierOutlet("mail"), EDC))
    yield built
    built.database.close()


# --- records that come apart ------------------------------------------------------------------------------------------


def test_an_unlink_gives_each_record_back_what_was_said_of_it(house: House) -> None:
    house.tell(admitted("1"), organs("1"), ferritin("2").replace(b"V1", b"V2"))
    alone = state(house, "1"), state(house, "2")
    house.tell(merge("1", "2"))
    assert state(house, "1") == state(house, "2") != alone[1]
    house.tell(unlink("1", "2"))
    assert state(house, "1").results == alone[0].results
    assert state(house, "2").results == alone[1].results
    assert house.row.patient == who("1")


def test_an_unlink_told_before_the_merge_it_takes_back_counts_all_the_same(house: House) -> None:
    house.tell(admitted("1"), organs("1"), ferritin("2"), unlink("1", "2"), merge("1", "2"))
    assert "ferritin" not in state(house, "1").results
    house.tell(merge("1", "2", 45))
    assert "ferritin" in state(house, "1").results


def test_in_a_chain_the_record_leaves_and_the_others_stay_together(house: House) -> None:
    house.tell(admitted("1"), ferritin("2"), organs("3"), merge("1", "2"), merge("2", "3", 1), unlink("1", "3"))
    assert (
        state(house, "2").results.keys()
        == {"ferritin", "platelets", "sbp"} - {"sbp"} | state(house, "3").results.keys()
    )
    assert not state(house, "1").results
    assert [visit.visit for visit in visits(state(house, "1").statements)] == ["V1"]


def test_an_alert_and_what_was_decided_of_it_go_back_with_the_visit(house: House) -> None:
    house.tell(*candidate("1", "V1"), admitted("2", "V0"))
    house.tell(merge("1", "2"))
    (row,) = standing(house)
    declined = actions.status_body(
        patient=row.patient, trial=TRIAL, episode="V1", status="declined", reason="", note="", at=house.now, by="kim"
    )
    house.tell(declined, kind=MessageKind.ACTION)
    house.owed("mail")
    house.tell(unlink("1", "2"))
    (back,) = (row for row in house.rows if row.patient == who("1"))
    assert (back.episode, back.status, back.raised) == ("V1", "declined", row.raised)
    with house.database.read() as conn:
        found = worklist.find(conn, row.id)
    assert found is not None
    assert found.id == back.id


def test_a_number_of_the_joined_person_is_nobodys_until_somebody_says_whose(house: House) -> None:
    house.tell(merge("1", "2"), *candidate("1", "V1"), *candidate("2", "V2"))
    given = number(house, "2")
    assert given is not None
    assert subjects(house) == {given}
    house.tell(unlink("1", "2"))
    assert rivals(house) == {"1": [given], "2": [given]}
    assert subjects(house) == set()
    with house.database.read() as conn:
        assert "identity-conflict" in [line.act.action for line in audit.listing(conn)]
    house.tell(oru(obx("2276-4", "6100", "ng/mL"), patient="2", order="X", control="X", visit="V2"))
    assert subjects(house) == set()
    row = next(row for row in standing(house) if row.patient == who("1"))
    choose(house, row, given)
    assert rivals(house) == {}
    assert number(house, "1") == given
    other = number(house, "2")
    assert other not in {None, given}
    assert subjects(house) == {given, other}
    with house.database.read() as conn:
        assert screening_ids.resolve(conn, house.keeper.secret, given) == (TRIAL, who("1"))


def test_a_number_that_was_given_away_cannot_be_given_twice(house: House) -> None:
    house.tell(merge("1", "2"), *candidate("1", "V1"), *candidate("2", "V2"), unlink("1", "2"))
    given = number(house, "2")
    assert given is not None
    rows = {row.patient.value: row for row in standing(house)}
    choose(house, rows["1"], given)
    choose(house, rows["2"], given)
    assert (number(house, "1"), rivals(house)) == (given, {})
    assert number(house, "2") not in {None, given}


def test_a_merge_that_comes_after_all_ends_the_dispute(house: House) -> None:
    house.tell(merge("1", "2"), *candidate("1", "V1"), *candidate("2", "V2"), unlink("1", "2"))
    given = number(house, "2")
    house.tell(merge("1", "2", 50))
    assert rivals(house) == {}
    assert {number(house, "1"), number(house, "2")} == {None, given}


def test_two_numbers_that_nobody_chose_between_go_back_to_where_they_came_from(house: House) -> None:
    house.tell(*candidate("1", "V1"), *candidate("2", "V2"))
    before = number(house, "1"), number(house, "2")
    house.tell(merge("1", "2"))
    assert len(rivals(house)["2"]) == 2
    house.tell(unlink("1", "2"))
    assert rivals(house) == {}
    assert (number(house, "1"), number(house, "2")) == before


# --- visits that move -------------------------------------------------------------------------------------------------


def test_a_visit_goes_with_its_results_its_alert_and_what_comes_late(house: House) -> None:
    house.tell(adt("A28", patient="2", control="P2"), *candidate("1")[:2])
    late = candidate("1")[2]
    raised = house.row
    house.tell(moved("1", "2"), late)
    (row,) = standing(house)
    assert (row.patient, row.raised, row.verdict) == (who("2"), raised.raised, "candidate")
    assert not state(house, "1").results
    with house.database.read() as conn:
        assert patients.load(conn, who("1")).results
        found = worklist.find(conn, raised.id)
    assert found is not None
    assert found.id == row.id


def test_a_visit_may_move_on_and_back(house: House) -> None:
    house.tell(*candidate("1"), moved("1", "2"), moved("2", "3", 1))
    assert [row.patient for row in standing(house)] == [who("3")]
    house.tell(moved("3", "1", 2))
    assert [row.patient for row in standing(house)] == [who("1")]
    assert not state(house, "2").statements
    assert not state(house, "3").statements


def test_a_visit_may_get_another_number_on_its_way(house: House) -> None:
    house.tell(*candidate("1"), moved("1", "2", into="V9"))
    (row,) = standing(house)
    assert (row.patient, row.episode) == (who("2"), "V9")


def test_an_account_moves_with_all_its_visits(house: House) -> None:
    house.tell(
        adt("A01", patient="1", visit="V1", account="C1", control="1"),
        adt("A01", patient="1", visit="V2", account="C1", control="2"),
        adt("A01", patient="1", visit="V3", account="C2", control="3"),
        account_move("1", "2", account="C1", into="C7", sent="20260102070000", control="4"),
    )
    assert [visit.visit for visit in visits(state(house, "1").statements)] == ["V3"]
    assert [visit.visit for visit in visits(state(house, "2").statements)] == ["V1", "V2"]


def test_every_order_of_moves_ends_alike(each_store: str, tmp_path: Path) -> None:
    told = [*candidate("1"), moved("1", "2"), moved("2", "3", 1), merge("4", "1", 2)]
    ends = set()
    for count, order in enumerate(itertools.islice(itertools.permutations(told), 0, None, 240)):
        folder = tmp_path / str(count)
        folder.mkdir()
        house = open_house(folder)
        house.tell(*order)
        ends.add(tuple((row.episode, row.patient, row.verdict, row.shown) for row in standing(house)))
        house.database.close()
    assert len(ends) == 1, ends
    (end,) = ends
    assert [row[1] for row in end] == [who("3")]


def test_a_number_given_for_a_visit_that_moves_is_asked_about(house: House) -> None:
    house.tell(*candidate("1", "V1"), admitted("1", "V0"), adt("A28", patient="2", control="P2"))
    given = number(house, "1")
    house.tell(moved("1", "2"))
    assert rivals(house)["2"] == [given]
    row = next(row for row in standing(house) if row.patient == who("2"))
    choose(house, row, given or "")
    assert (number(house, "1"), number(house, "2")) == (None, given)


# --- the other movements ----------------------------------------------------------------------------------------------


def test_a_deleted_person_is_asked_for_no_more_until_somebody_speaks_of_them_anew(house: House) -> None:
    house.tell(*candidate("1"))
    house.owed("mail")
    house.tell(adt("A29", patient="1", control="D", sent="20260102050000"))
    (row,) = house.rows
    assert not row.standing
    assert house.owed("mail") == ["withdrawn"]
    assert "record deleted" in [line.text for line in house.history(row.id)]
    house.tell(adt("A08", patient="1", control="E", sent="20260102060000"), ferritin("1"))
    assert standing(house) == []
    house.tell(adt("A31", patient="1", control="G", sent="20260102060100"))
    assert standing(house) == [house.row]


def test_an_admission_told_after_the_deletion_revives_in_either_order(house: House) -> None:
    again = adt("A01", patient="1", cls="E", ward="ED", control="H", sent="20260102060000")
    house.tell(*candidate("1"), again, adt("A29", patient="1", control="D", sent="20260102050000"))
    assert standing(house)


def test_deleting_a_record_that_was_merged_away_deletes_no_person(house: House) -> None:
    house.tell(*candidate("1"), merge("2", "1"), adt("A29", patient="2", control="D", sent="20260102080000"))
    assert standing(house)


def test_beds_that_are_swapped_are_two_transfers(house: House) -> None:
    first = adt("A01", patient="1", visit="V1", ward="ICU", bed="1", control="1")
    second = adt("A01", patient="2", visit="V2", ward="ICU", bed="2", control="2")
    swap = pair("A17", "1", "2", sent="20260102060000", control="S", at="20260102060000", visit="V1", ward="W", bed="2")
    house.tell(first, second, swap)
    beds = {number: [visit.bed for visit in visits(state(house, number).statements)] for number in "12"}
    assert beds == {"1": ["2"], "2": ["2", "2"]}


def test_every_pair_of_a_merge_counts(house: House) -> None:
    both = merge("1", "2").rstrip(b"\r") + b"\r" + b"\r".join(merge("3", "4").split(b"\r")[2:])
    house.tell(organs("1"), ferritin("3"), both)
    assert state(house, "1") == state(house, "2")
    assert state(house, "3") == state(house, "4")
    assert PatientId("generic", "HOSP", "2") != state(house, "4").patient
