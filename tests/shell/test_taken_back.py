"""A result that the hospital takes back does not stand at the EDC as final; what the EDC was never told it is not told so."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.fhir.bundle import BundleContext
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study
from adapter.pipeline.outgoing import PushWhen, SinkOutlet
from adapter.store import outbox
from tests.builders import adt, dtm, obx, oru
from tests.walking import NOW, House, open_house

EDC = SinkOutlet("edc", PushWhen.CANDIDATE, BundleContext(b"0" * 32, Dates.EXACT, "test", Study("NCT")))
PLATELETS, FERRITIN = "26515-7", "2276-4"
Json = dict[str, Any]


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    built = open_house(tmp_path, outlets=(EDC,))
    yield built
    built.database.close()


def result(order: str, *lines: str, sent: int) -> bytes:
    at = dtm(NOW + timedelta(minutes=sent))
    return oru(*lines, order=order, control=f"{order}-{sent}", issued=at, sent=at)


def admitted(house: House) -> None:
    organs = (obx("8478-0", "60", "mm[Hg]"), obx("2160-0", "2.4", "mg/dL"), obx(FERRITIN, "5200", "ng/mL"))
    house.tell(adt("A01", cls="E", ward="ED"), result("R", *organs, sent=1))


def delivered(house: House) -> dict[str, list[Json]]:
    """The newest bundle that waits, by code; everything that waits is settled."""
    with house.database.read() as conn:
        due = outbox.due(conn, "edc", house.now + timedelta(days=1), 9)
    house.owed("edc")
    found: dict[str, list[Json]] = {}
    for entry in json.loads(due[-1].payload)["entry"] if due else []:
        if entry["resource"]["resourceType"] == "Observation":
            found.setdefault(entry["resource"]["code"]["coding"][0]["code"], []).append(entry["resource"])
    return found


def test_a_withdrawn_result_is_entered_in_error_there_until_it_is_said_again(house: House) -> None:
    admitted(house)
    house.tell(result("P", obx("777-3", "90", "10*3/uL"), sent=2))
    (first,) = delivered(house)[PLATELETS]
    assert first["valueQuantity"]["value"] == 90
    house.tell(result("P", obx("777-3", "", status="D"), sent=3))
    (gone,) = delivered(house)[PLATELETS]
    assert (gone["id"], gone["status"]) == (first["id"], "entered-in-error")
    assert not any(name.startswith("value") for name in gone)
    house.tell(result("Q", obx("2160-0", "3.9", "mg/dL"), sent=4))
    assert delivered(house)[PLATELETS] == [gone], "also where the bundle before did not arrive"
    house.tell(result("P", obx("777-3", "88", "10*3/uL", status="C"), sent=5))
    (again,) = delivered(house)[PLATELETS]
    assert (again["id"], again["status"], again["valueQuantity"]["value"]) == (first["id"], "corrected", 88)


def test_a_result_that_no_score_rests_on_any_more_is_taken_back_too(house: House) -> None:
    admitted(house)
    house.tell(result("P", obx("777-3", "90", "10*3/uL"), sent=2))
    (first,) = delivered(house)[PLATELETS]
    house.tell(result("W", obx("777-3", "40", "10*3/uL"), sent=3))
    (worse,) = delivered(house)[PLATELETS]
    house.tell(result("P", obx("777-3", "", status="D"), sent=4))
    told = {one["id"]: one["status"] for one in delivered(house)[PLATELETS]}
    assert told == {first["id"]: "entered-in-error", worse["id"]: "final"}


def test_what_the_edc_was_never_told_is_not_told_to_be_an_error(house: House) -> None:
    house.tell(result("P", obx("777-3", "90", "10*3/uL"), sent=1), result("P", obx("777-3", "", status="D"), sent=2))
    admitted(house)
    told = delivered(house)
    assert FERRITIN in told
    assert PLATELETS not in told
    house.tell(result("L", obx("1975-2", "3.1", "mg/dL"), sent=3), result("L", obx("1975-2", "", status="D"), sent=4))
    assert "1975-2" not in delivered(house), "superseded before it was sent"
