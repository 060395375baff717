"""What waits for an EDC while it cannot be reached, and may not leave any more; and what must still leave. On both stores."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.domain.message import MessageKind
from adapter.domain.truth import Truth
from adapter.fhir.bundle import BundleContext
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study
from adapter.pipeline.numbers import WHICH_NUMBER
from adapter.pipeline.outgoing import PushWhen, SinkOutlet
from adapter.screening import actions
from adapter.store import outbox
from tests.builders import adt, dtm, obx, oru, pair
from tests.shell.test_follow_up import decide
from tests.walking import NOW, House, open_house

EDC = SinkOutlet("edc", PushWhen.CANDIDATE, BundleContext(b"0" * 32, Dates.EXACT, "test", Study("NCT04990232")))
ORGANS = (obx("777-3", "90", "10*3/uL"), obx("8478-0", "68", "mm[Hg]"), obx("2276-4", "5200", "ng/mL"))
OTHER = {"name": "SMIT^KAREL", "born": "19900101", "sex": "M"}
Json = dict[str, Any]


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    """A candidate of whom the EDC has heard nothing yet."""
    built = open_house(tmp_path, outlets=(EDC,))
    built.tell(adt("A01", cls="E", ward="ED", control="A1"), oru(*ORGANS, control="R1"))
    yield built
    built.database.close()


def waiting(house: House) -> list[list[str]]:
    """Of each bundle that would go, in order, what it tells; nothing is settled."""
    with house.database.read() as conn:
        rows = conn.exec_driver_sql("SELECT payload FROM outbox WHERE state = 'waiting' ORDER BY id").scalars()
        return [[entry["resource"]["resourceType"] for entry in json.loads(row)["entry"]] for row in rows]


def tried_in_vain(house: House) -> None:
    with house.database.write() as tx:
        for one in outbox.due(tx, "edc", house.now, 9):
            outbox.postponed(tx, one.id, "no complete answer", house.now)


def another_person(house: House) -> None:
    """Under the same number."""
    house.tell(adt("A08", cls="E", ward="ED", control="A2", at=dtm(NOW), sent=dtm(NOW), **OTHER))


def said_to_be_one(house: House) -> None:
    row = house.row
    act = actions.determination_body(
        patient=row.patient, trial=row.trial, episode=row.episode, criterion="same-person", answer=Truth.MET, at=house.now,
        by="ilse", note=" ".join(row.assessment["described"]),
    )  # fmt: skip
    house.tell(act, kind=MessageKind.ACTION)


@pytest.mark.parametrize("tried", [False, True])
@pytest.mark.parametrize(("status", "reason"), [("withdrawn", "consent-withdrawn"), ("declined", "patient")])
def test_once_somebody_said_no_no_value_leaves_any_more(house: House, tried: bool, status: str, reason: str) -> None:
    if tried:
        tried_in_vain(house)
    decide(house, status, reason)
    assert waiting(house) == [["ResearchSubject", "Patient", "Device", "Provenance"]]


@pytest.mark.parametrize("tried", [False, True])
def test_what_waits_of_a_doubtful_number_stays_here_until_somebody_has_looked(house: House, tried: bool) -> None:
    if tried:
        tried_in_vain(house)
    another_person(house)
    assert waiting(house) == []
    house.tell(oru(obx("1975-2", "3.1", "mg/dL"), order="L", control="R2"))
    assert waiting(house) == []
    said_to_be_one(house)
    (told,) = waiting(house)
    assert "Observation" in told


def test_what_an_edc_lost_is_not_told_again_while_a_number_is_doubtful(house: House) -> None:
    house.owed("edc")
    another_person(house)
    with house.database.read() as conn:
        assert outbox.held_by(conn, "edc", 0, 9) == []
    said_to_be_one(house)
    house.owed("edc")
    with house.database.read() as conn:
        assert len(outbox.held_by(conn, "edc", 0, 9)) == 1


def test_who_is_randomised_while_the_edc_is_away_is_told_with_the_findings_of_the_screening(house: House) -> None:
    decide(house, "consented")
    decide(house, "on-study")
    screening, registered = waiting(house)
    assert "Observation" in screening, "an EDC that was never away would have them"
    assert registered == ["ResearchSubject", "Patient", "Device", "Provenance"]
    house.later(hours=17)
    house.tell(oru(obx("777-3", "70", "10*3/uL"), order="L", control="R2", at=dtm(NOW + timedelta(hours=2))))
    house.later(hours=24)
    assert waiting(house)[0] == screening
    assert len(waiting(house)) == 2, "days are in the newest, which stands for those before it"


def another_record(house: House) -> None:
    """A second record, a candidate too, which turns out to be the same person's."""
    house.tell(
        adt("A01", patient="200", visit="V2", cls="E", ward="ED", control="B1"),
        oru(*ORGANS, patient="200", visit="V2", order="F2", control="R9"),
    )
    assert len(waiting(house)) == 2
    house.tell(adt("A40", patient="200", merged="100", control="M1", sent="20260102070000"))


def chosen(house: House) -> str:
    row = next(row for row in house.rows if row.assessment.get("screening_ids"))
    number: str = row.assessment["screening_ids"][0]
    act = actions.determination_body(
        patient=row.patient, trial=row.trial, episode=row.episode, criterion=WHICH_NUMBER, answer=Truth.MET, at=house.now,
        by="ilse", note=number,
    )  # fmt: skip
    house.tell(act, kind=MessageKind.ACTION)
    return number


def test_what_waits_under_two_numbers_of_one_person_stays_here_until_somebody_chose(house: House) -> None:
    another_record(house)
    assert waiting(house) == []
    number = chosen(house)
    with house.database.read() as conn:
        assert {one.subject for one in outbox.due(conn, "edc", house.now, 9)} == {number}


def test_what_waits_of_two_records_goes_after_all_where_they_are_two(house: House) -> None:
    another_record(house)
    house.tell(pair("A37", "100", "200", control="M2", sent="20260102070500"))
    assert len(waiting(house)) == 2
