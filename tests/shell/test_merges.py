"""Records that turn out to be one person: one state, one row, one screening number, in whatever order it is told."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.domain.message import MessageKind
from adapter.domain.patient import PatientId
from adapter.fhir.bundle import BundleContext
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study
from adapter.pipeline.knots import state_of
from adapter.pipeline.numbers import WHICH_NUMBER
from adapter.pipeline.outgoing import NotifierOutlet, PushWhen, SinkOutlet
from adapter.screening import actions
from adapter.store import audit, patients, screening_ids, worklist
from adapter.store.persons import resolve
from tests.builders import adt, obx, oru
from tests.walking import House, open_house

EDC = SinkOutlet("edc", PushWhen.CANDIDATE, BundleContext(b"0" * 32, Dates.EXACT, "test", Study("s", "NCT")))


def who(number: str) -> PatientId:
    return PatientId("generic", "HOSP", number)


def admitted(patient: str, visit: str = "V1") -> bytes:
    return adt("A01", patient=patient, visit=visit, cls="E", ward="ED", control=f"A{patient}{visit}")


def organs(patient: str) -> bytes:
    lines = (obx("777-3", "90", "10*3/uL"), obx("8478-0", "60", "mm[Hg]"))
    return oru(*lines, patient=patient, order=f"O{patient}", control=f"O{patient}")


def ferritin(patient: str) -> bytes:
    return oru(obx("2276-4", "5200", "ng/mL"), patient=patient, order=f"F{patient}", control=f"F{patient}")


def merge(old: str, into: str, minute: int = 0) -> bytes:
    return adt("A40", patient=into, merged=old, control=f"M{old}{into}", sent=f"2026010207{minute:02}00")


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    built = open_house(tmp_path, outlets=(NotifierOutlet("mail"), EDC))
    yield built
    built.database.close()


def test_what_two_records_know_together_makes_the_candidate(house: House) -> None:
    house.tell(admitted("1"), organs("1"), ferritin("2"))
    assert house.row.verdict == "incomplete"
    house.tell(merge("1", "2"))
    row = house.row
    assert (row.verdict, row.stratum, row.patient.value, row.standing) == ("candidate", "mals", "2", True)


def test_the_alert_and_its_link_move_with_the_person(house: House) -> None:
    house.tell(admitted("1"), organs("1"), ferritin("1"))
    former = house.row
    house.tell(merge("1", "2"))
    row = house.row
    assert row.id != former.id
    assert row.raised == former.raised
    assert [line.kind for line in house.history(former.id)] == [line.kind for line in house.history(row.id)]
    assert house.owed("mail") == ["raised"]


def test_what_is_said_of_the_old_record_afterwards_belongs_to_the_person(house: House) -> None:
    house.tell(merge("1", "2"))
    house.tell(admitted("1"), organs("2"), ferritin("1"))
    assert house.row.verdict == "candidate"
    assert house.row.patient.value == "2"


def test_one_number_of_either_side_stays_the_persons_number(house: House) -> None:
    house.tell(admitted("1"), organs("1"), ferritin("1"))
    old = PatientId("generic", "HOSP", "1")
    with house.database.read() as conn:
        number = screening_ids.find(conn, house.keeper.secret, "immunosep-demo", old)
    house.tell(merge("1", "2"), oru(obx("2276-4", "6200", "ng/mL"), patient="2", order="N", control="N"))
    with house.database.read() as conn:
        assert (
            screening_ids.find(conn, house.keeper.secret, "immunosep-demo", PatientId("generic", "HOSP", "2")) is None
        )
        assert screening_ids.resolve(conn, house.keeper.secret, number) == ("immunosep-demo", old)
        assert resolve(conn, old).value == "2"


def test_two_numbers_freeze_the_person_until_somebody_chooses(house: House) -> None:
    for patient in ("1", "2"):
        house.tell(admitted(patient, visit=f"V{patient}"), organs(patient), ferritin(patient))
    house.owed("edc")
    house.owed("mail")
    house.tell(merge("1", "2"), oru(obx("2276-4", "9900", "ng/mL"), patient="2", order="N", control="N"))
    rows = [row for row in house.rows if row.assessment.get("screening_ids")]
    assert rows
    numbers = rows[0].assessment["screening_ids"]
    assert len(numbers) == 2
    assert house.owed("edc") == []
    with house.database.read() as conn:
        assert "identity-conflict" in [line.act.action for line in audit.listing(conn)]
    row = rows[0]
    answer = actions.determination_body(
        patient=row.patient, trial=row.trial, episode=row.episode, criterion=WHICH_NUMBER, answer="met",
        at=house.now, by="kim", note=numbers[0],
    )  # fmt: skip
    house.tell(answer, kind=MessageKind.ACTION)
    assert not any(row.assessment.get("screening_ids") for row in house.rows if row.id == rows[0].id)
    assert "bundle" in house.owed("edc")


def test_a_merge_into_oneself_changes_nothing(house: House) -> None:
    house.tell(admitted("1"), organs("1"), ferritin("1"))
    before = house.rows
    house.tell(merge("1", "1"))
    assert house.rows == before


def test_every_order_of_a_chain_ends_in_the_same_person(each_store: str, tmp_path: Path) -> None:
    told = [merge("1", "2"), merge("2", "3", 1), admitted("1"), organs("2"), ferritin("3")]
    ends = set()
    for number, order in enumerate(itertools.islice(itertools.permutations(told), 0, None, 7)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "secret.key").write_bytes(b"k" * 32)
        (folder / "secret.key").chmod(0o400)
        house = open_house(folder)
        house.tell(*order)
        (row,) = (row for row in house.rows if row.standing)
        with house.database.read() as conn:
            state = state_of(conn, row.patient)
        ends.add(
            (row.id, row.patient, row.verdict, row.stratum, row.standing, len(state.results), len(state.statements))
        )
        house.database.close()
    assert len(ends) == 1


def test_a_batch_that_merges_two_records_may_speak_of_a_third_person(house: House) -> None:
    house.tell(
        b"FHS|^~\\&\rBHS|^~\\&\r" + merge("1", "2") + admitted("3") + organs("3") + ferritin("3") + b"BTS|4\rFTS|1\r"
    )
    assert house.row.patient.value == "3"


def test_a_circle_of_merges_may_be_merged_on(house: House) -> None:
    house.tell(admitted("1"), organs("1"), ferritin("1"))
    first = house.row.id
    house.tell(merge("1", "2"), merge("2", "1", 1), merge("1", "3", 2))
    (row,) = (row for row in house.rows if row.standing)
    assert row.patient.value == "3"
    with house.database.read() as conn:
        found = worklist.find(conn, first)
        assert patients.load(conn, who("1")).results == state_of(conn, who("3")).results
    assert found is not None
    assert found.id == row.id
    assert house.counts().quarantined == 0
