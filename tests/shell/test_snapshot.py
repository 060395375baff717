"""What an EDC ends with: the decision as it stands, with the values it rests on, corrected where they were corrected."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.fhir.bundle import BundleContext
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study
from adapter.pipeline.outgoing import NotifierOutlet, PushWhen, SinkOutlet
from tests.builders import adt, obx, oru
from tests.shell.test_process import ADMITTED, ORGANS, RESULTS
from tests.walking import House, open_house

EDC = SinkOutlet("edc", PushWhen.CANDIDATE, BundleContext(b"0" * 32, Dates.EXACT, "test", Study("s", "NCT")))
LATER = "20260102040000"


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    built = open_house(tmp_path, outlets=(NotifierOutlet("mail"), EDC))
    yield built
    built.database.close()


def newest(house: House) -> dict[str, Any]:
    """The value of each Observation by the text of its code, as the EDC was told last."""
    with house.database.read() as conn:
        payload = conn.exec_driver_sql("SELECT payload FROM outbox WHERE outlet = 'edc' ORDER BY id DESC").scalar()
    told = [entry["resource"] for entry in json.loads(str(payload))["entry"]]
    return {one["code"]["text"]: one for one in told if one["resourceType"] == "Observation"}


def sofa_components(house: House) -> dict[str, int | None]:
    parts = newest(house)["SOFA total score"]["component"]
    return {p["code"]["text"]: p.get("valueQuantity", {}).get("value") for p in parts}


def test_a_corrected_value_reaches_the_edc_though_the_verdict_stays(house: House) -> None:
    house.tell(ADMITTED, RESULTS)
    assert house.owed("edc") == ["bundle"]
    corrected = oru(
        *ORGANS,
        obx("2276-4", "5300", "ng/mL", status="C"),
        control="R2",
        issued="20260102050000",
        sent="20260102050000",
    )
    house.tell(corrected)
    assert house.owed("edc") == ["bundle"]
    assert newest(house)["Ferritin"]["valueQuantity"]["value"] == 5300
    assert newest(house)["Ferritin"]["status"] == "corrected"
    assert house.owed("mail") == ["raised"], "people are told of decisions, not of values"


def test_a_later_result_of_the_day_is_no_decision(house: House) -> None:
    house.tell(ADMITTED, RESULTS)
    assert house.owed("edc") == ["bundle"]
    before = sofa_components(house)
    house.tell(oru(obx("777-3", "40", "10*3/uL"), at=LATER, order="F2", control="R2", sent=LATER))
    assert house.owed("edc") == []
    assert sofa_components(house) == before


def test_an_organ_drawn_at_the_time_of_the_decision_but_reported_later_is_told(house: House) -> None:
    house.tell(ADMITTED, oru(*ORGANS[1:], obx("2276-4", "5200", "ng/mL"), control="R1"))
    assert sofa_components(house)["SOFA coagulation"] is None
    house.owed("edc")
    house.tell(oru(obx("777-3", "40", "10*3/uL"), order="F2", control="R2"))
    assert house.owed("edc") == ["bundle"]
    assert sofa_components(house)["SOFA coagulation"] == 3


def test_a_value_corrected_there_and_back_is_told_each_time(house: House) -> None:
    house.tell(ADMITTED, RESULTS)
    for hour, value in ((5, "5300"), (6, "5200")):
        sent = f"202601020{hour}0000"
        changed = obx("2276-4", value, "ng/mL", status="C")
        house.tell(oru(*ORGANS, changed, control=f"R{hour}", issued=sent, sent=sent))
        house.owed("edc")
        assert newest(house)["Ferritin"]["valueQuantity"]["value"] == float(value)


def test_an_episode_ends_when_a_newer_visit_begins_though_nobody_told_its_discharge(house: House) -> None:
    house.tell(ADMITTED, RESULTS)
    first = house.row
    house.tell(adt("A01", visit="V2", cls="I", at="20260102070000", control="A2", sent="20260102070000"))
    row = next(row for row in house.rows if row.id == first.id)
    assert (row.standing, row.shown) == (False, False)
    assert house.history(first.id)[-1].text == "a newer visit has begun"
