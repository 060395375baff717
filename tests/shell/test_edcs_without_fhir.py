"""From the feed to a REDCap project and a drop folder, by the real daemon: one outbox, one gate, no patient."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapter.daemon.clock import utc_now
from tests import redcap_server
from tests.builders import adt, dtm, obx, oru
from tests.installation import Installation, tell, until
from tests.peers import Script, misbehaving, serving

pytestmark = pytest.mark.slow
OUTLETS = """
[[sink]]
kind = "redcap"
name = "redcap"
url = "{url}/api/"
token = "file:{folder}/token"
push_when = "candidate"
dates = "exact"
timezone = "Europe/Athens"

[[sink]]
kind = "csv"
name = "files"
path = "{folder}/drop"
push_when = "candidate"
dates = "exact"

[[sink]]
kind = "csv"
name = "later"
path = "{folder}/later"
push_when = "consented"
dates = "exact"
"""
ORGANS = (
    obx("777-3", "40", "10*3/uL"),
    obx("1975-2", "1.2", "mg/dL"),
    obx("2160-0", "1.9", "mg/dL"),
    obx("8478-0", "68", "mm[Hg]"),
    obx("9269-2", "15", "{score}"),
    obx("2276-4", "5200", "ng/mL"),
)
NUMBER, NAME = "90817263", "CANARYFAMILY^ZOE"
PATIENT = (NUMBER, "CANARYFAMILY", "19500615")
WORDS = "does not obey"
"""What a proxy before REDCap says."""


@dataclass
class Stage:
    place: Installation
    there: redcap_server.Project
    folder: Path

    def record(self) -> dict[str, str]:
        (number,) = self.there.records
        return self.there.row(number)

    def dropped(self, name: str = "drop") -> list[Path]:
        return sorted((self.folder / name).glob("[!.]*"))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    for name in ("drop", "later"):
        (tmp_path / name).mkdir()
    (tmp_path / "token").write_text(f"{redcap_server.TOKEN}\n")
    there = redcap_server.Project()
    script = Script([(200, {}, b"<html>does not obey</html>")])
    with serving(there.app()) as direct, misbehaving(direct, script) as url:
        place = Installation(tmp_path / "house", OUTLETS.format(url=url, folder=tmp_path))
        try:
            yield Stage(place, there, tmp_path)
        finally:
            place.end()


def results(at: datetime, *lines: str, control: str) -> bytes:
    return oru(
        *lines, patient=NUMBER, name=NAME, control=control, order="O1", at=dtm(at), issued=dtm(at), sent=dtm(utc_now())
    )


def test_a_candidate_becomes_a_record_and_files_and_a_correction_follows(stage: Stage) -> None:
    now = utc_now().replace(microsecond=0)
    came, drawn = now - timedelta(hours=3), now - timedelta(hours=2)
    stage.place.start()
    tell(
        stage.place.mllp,
        adt(
            "A01",
            patient=NUMBER,
            name=NAME,
            cls="E",
            ward="ED",
            at=dtm(came),
            sent=dtm(came),
            control="A1",
        ),
    )
    tell(stage.place.mllp, results(drawn, *ORGANS, control="R1"))
    until(lambda: stage.there.records and stage.dropped(), 40)
    assert (stage.record()["scr_status"], stage.record()["scr_stratum"]) == ("candidate", "mals")
    tell(stage.place.mllp, results(drawn, obx("777-3", "90", "10*3/uL").replace("|F|", "|C|"), control="R2"))
    until(lambda: stage.record()["scr_sofa_coag"] == "2" and len(stage.dropped()) == 2, 40)
    (number,) = stage.there.records
    first, second = (json.loads((place / "manifest.json").read_text()) for place in stage.dropped())
    assert (first["screening_number"], second["supersedes"]) == (number, first["snapshot"])
    with (stage.dropped()[-1] / "observations.csv").open(newline="") as file:
        values = {row["concept"]: (row["value"], row["status"], row["id"]) for row in csv.DictReader(file)}
    assert values["platelets"][:2] == ("90", "corrected")
    held = {row["obs_concept"]: row for row in stage.there.rows(number, "screening_values")}
    assert (held["platelets"]["obs_value"], held["platelets"]["obs_id"]) == ("90", values["platelets"][2])
    assert stage.dropped("later") == []
    checked = stage.place.command("check", check=False).stdout.decode()
    assert "outlets: redcap, files, later" in checked
    assert "/api/ has every field that is sent" in checked
    assert stage.place.stop() == 0, stage.place.log.read_text()
    silent(stage)


def silent(stage: Stage) -> None:
    """Nothing of the patient went out, and nothing that REDCap said is in the log."""
    out = json.dumps(stage.there.asked) + "".join(p.read_text() for p in stage.folder.glob("drop/*/*"))
    log = stage.place.log.read_text()
    assert redcap_server.TOKEN not in log
    assert "delivery postponed" in log
    assert not any(word in log for word in (WORDS, *stage.there.records))
    assert not any(word in out for word in (*PATIENT, "HOSP"))
    assert not any(word in log for word in PATIENT)
