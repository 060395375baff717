"""P11: what is measured after randomisation reaches no page, no alert and no EDC of its trial; on both stores."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapter.domain.message import MessageKind
from adapter.fhir.bundle import BundleContext
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study
from adapter.pipeline.outgoing import NotifierOutlet, PushWhen, SinkOutlet
from adapter.screening import actions
from adapter.store import outbox
from tests.builders import adt, dtm, obx, oru
from tests.walking import NOW, House, open_house

EDC = SinkOutlet(
    "edc", PushWhen.CANDIDATE, BundleContext(b"0" * 32, Dates.EXACT, "test", Study("https://clinicaltrials.gov", "X"))
)
ORGANS = (obx("777-3", "90", "10*3/uL"), obx("8478-0", "68", "mm[Hg]"), obx("9269-2", "15", "{score}"))
TOLD = ("613.47", "16123.59")
"""A ferritin under anakinra and an mHLA-DR under interferon, as no other figure here is written."""


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    built = open_house(tmp_path, outlets=(EDC, NotifierOutlet("mail")))
    yield built
    built.database.close()


def everything(house: House) -> str:
    """All that is owed to anybody, and all that the pages are made of."""
    with house.database.read() as conn:
        owed = [one.payload for outlet in ("edc", "mail") for one in outbox.due(conn, outlet, house.now, 99)]
    shown = [json.dumps(row.assessment) for row in house.rows]
    lines = [str(line) for row in house.rows for line in house.history(row.id)]
    return "\n".join([*owed, *shown, *lines])


@pytest.mark.parametrize("enrolled", [False, True])
def test_later_values_are_told_only_of_whoever_was_not_randomised(house: House, enrolled: bool) -> None:
    house.tell(adt("A01", cls="E", ward="ED", control="A1"), oru(*ORGANS, obx("2276-4", "5200", "ng/mL"), control="R1"))
    row = house.row
    if enrolled:
        act = actions.status_body(
            patient=row.patient, trial=row.trial, episode=row.episode, status="on-study", at=house.now, by="ilse",
            reason="", note="",
        )  # fmt: skip
        house.tell(act, kind=MessageKind.ACTION)
    house.now += timedelta(hours=20)
    at = dtm(NOW + timedelta(hours=19))
    later = (obx("2276-4", TOLD[0], "ng/mL"), obx("mhladr", TOLD[1], "{AB}/{cell}", system="L"))
    house.tell(oru(*later, control="R2", order="F2", at=at, issued=at, sent=at))
    house.later(hours=1)
    assert any(value in everything(house) for value in TOLD) is not enrolled
    assert house.row.stratum == "mals" or not enrolled
