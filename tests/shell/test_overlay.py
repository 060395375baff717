"""A number under which two persons were described (reliability C08): on both stores, held until a person has looked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.domain.message import MessageKind
from adapter.domain.overlay import POSSIBLE_OVERLAY, SAME_PERSON
from adapter.domain.truth import Truth
from adapter.fhir.bundle import BundleContext
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study
from adapter.pipeline.outgoing import PushWhen, SinkOutlet
from adapter.screening import actions
from tests.builders import adt, obx, oru
from tests.walking import House, open_house
from tests.web_house import first_candidate, hidden, mals, settled
from tests.web_house import house as web_house

ORGANS = (
    obx("777-3", "140", "10*3/uL"),
    obx("1975-2", "1.2", "mg/dL"),
    obx("2160-0", "1.9", "mg/dL"),
    obx("8478-0", "68", "mm[Hg]"),
    obx("2276-4", "5200", "ng/mL"),
)
EDC = SinkOutlet(
    "edc", PushWhen.CANDIDATE, BundleContext(b"0" * 32, Dates.EXACT, "test", Study("https://clinicaltrials.gov", "X"))
)
JANE = adt("A01", cls="E", ward="ED", control="A1")
RICHARD = adt(
    "A08", cls="E", ward="ED", control="A2", name="ROE^RICHARD", born="19800101", sex="M", sent="20260102025000"
)


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    built = open_house(tmp_path, outlets=(EDC,))
    yield built
    built.database.close()


def test_nothing_leaves_until_somebody_has_looked(house: House) -> None:
    house.tell(JANE, RICHARD, oru(*ORGANS, control="R1", name="ROE^RICHARD", born="19800101", sex="M"))
    assert POSSIBLE_OVERLAY in house.row.assessment["flags"]
    assert house.owed("edc") == []
    looked = actions.determination_body(
        patient=house.row.patient, trial=house.row.trial, episode=house.row.episode, criterion=SAME_PERSON,
        answer=Truth.MET, at=house.now, by="ilse", note=" ".join(house.row.assessment["described"]),
    )  # fmt: skip
    house.tell(looked, kind=MessageKind.ACTION)
    assert POSSIBLE_OVERLAY not in house.row.assessment["flags"]
    assert len(house.owed("edc")) == 1


def test_what_was_sent_before_is_not_updated_while_it_is_doubted(house: House) -> None:
    house.tell(JANE, oru(*ORGANS, control="R1"))
    assert len(house.owed("edc")) == 1
    corrected = (line.replace("|F|", "|C|").replace("|140|", "|40|") for line in ORGANS)
    house.tell(RICHARD, oru(*corrected, control="R2", sent="20260102041000"))
    assert house.owed("edc") == []


def test_the_page_asks_and_is_answered(tmp_path: Path) -> None:
    with web_house(tmp_path) as home:
        client = home.signed_in()
        home.tell(*mals())
        candidate = first_candidate(client)
        assert "One number, two persons?" not in client.get(f"{candidate}").text
        refused = client.post(
            f"{candidate}/same-person", data=hidden(client.get(f"{candidate}").text) | {"reason": "?"}
        )
        assert "Nobody doubts" in refused.text
        home.tell(
            adt(
                "A08",
                patient="100",
                visit="V100",
                cls="E",
                ward="ED",
                control="O",
                name="ROE^RICHARD",
                born="19800101",
                sex="M",
            )
        )
        page = client.get(f"{candidate}").text
        assert "One number, two persons?" in page
        settled(home, candidate, "same-person")
        assert "One number, two persons?" not in client.get(f"{candidate}").text
