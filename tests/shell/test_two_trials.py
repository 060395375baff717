"""Two trials at once, the second by data alone: each has its rows, its numbers, its alerts and its study in the EDC."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.assets import load_rulebook
from adapter.domain.message import MessageKind
from adapter.domain.truth import Truth
from adapter.fhir.bundle import BundleContext
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study
from adapter.pipeline.outgoing import NotifierOutlet, PushWhen, SinkOutlet
from adapter.screening import actions
from adapter.store import outbox
from tests.builders import adt, obx, oru
from tests.walking import House, open_house

TRIALS = ("immunosep-demo", "example-trial")
STUDIES = {"immunosep-demo": (Study("NCT04990232"), "I4"), "example-trial": (Study("NCT02361528"), "")}
EDC = SinkOutlet(
    "edc", PushWhen.CANDIDATE, BundleContext(b"0" * 32, Dates.EXACT, "test", Study("NCT04990232"), studies=STUDIES)
)
ADMITTED = adt("A01", cls="E", ward="ED", control="A1")
ORGANS = (
    obx("777-3", "90", "10*3/uL"),
    obx("1975-2", "1.2", "mg/dL"),
    obx("2160-0", "1.9", "mg/dL"),
    obx("8478-0", "68", "mm[Hg]"),
    obx("9269-2", "15", "{score}"),
    obx("2703-7", "95", "mm[Hg]"),
    obx("71835-3", "0.21", "1"),
)


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    built = open_house(tmp_path, trials=TRIALS, outlets=(EDC, NotifierOutlet("mail")))
    yield built
    built.database.close()


def told(house: House, ferritin: str, mhladr: str, control: str = "R1") -> dict[str, tuple[str, str]]:
    """Verdict and stratum by trial."""
    lines = (*ORGANS, obx("2276-4", ferritin, "ng/mL"), obx("mhladr", mhladr, "{AB}/{cell}", system="L"))
    house.tell(ADMITTED, oru(*lines, control=control))
    return {row.trial: (row.verdict, row.stratum) for row in house.rows}


def bundles(house: House) -> list[str]:
    """The registry number of every study that something is owed to."""
    with house.database.read() as conn:
        due = outbox.due(conn, "edc", house.now, 50)
    found = []
    for delivery in due:
        resources = [entry["resource"] for entry in json.loads(delivery.payload)["entry"]]
        subject = next(one for one in resources if one["resourceType"] == "ResearchSubject")
        found.append(subject["study"]["identifier"]["value"])
    return sorted(found)


@pytest.mark.parametrize(
    ("ferritin", "mhladr", "expected"),
    [
        (
            "5200",
            "6200",
            {"immunosep-demo": ("candidate", "mals"), "example-trial": ("candidate", "immunosuppression")},
        ),
        ("610", "6200", {"example-trial": ("candidate", "immunosuppression")}),
        ("610", "8000", {}),
        ("5200", "8000", {"immunosep-demo": ("candidate", "mals")}),
    ],
)
def test_each_trial_has_its_own_thresholds(
    house: House, ferritin: str, mhladr: str, expected: dict[str, tuple[str, str]]
) -> None:
    assert told(house, ferritin, mhladr) == expected
    studies = {trial: study.registry for trial, (study, _) in STUDIES.items()}
    assert bundles(house) == sorted(studies[trial] for trial in expected)


def test_one_patient_has_a_row_a_number_and_an_alert_in_each(house: House) -> None:
    told(house, "5200", "6200")
    first, second = house.rows
    assert first.patient == second.patient
    assert first.id != second.id
    assert len(house.owed("mail")) == 2


def test_what_is_answered_for_one_is_not_answered_for_the_other(house: House) -> None:
    told(house, "5200", "6200")
    row = next(one for one in house.rows if one.trial == "example-trial")
    said = actions.determination_body(
        patient=row.patient, trial=row.trial, episode=row.episode, criterion="E1", answer=Truth.MET, at=house.now,
        by="ilse", note="",
    )  # fmt: skip
    house.tell(said, kind=MessageKind.ACTION)
    verdicts = {one.trial: one.verdict for one in house.rows}
    assert verdicts["immunosep-demo"] == "candidate"
    assert verdicts.get("example-trial", "not-candidate") == "not-candidate"


def test_the_second_page_cites_what_it_quotes_and_marks_what_it_simplifies() -> None:
    (trial,) = load_rulebook(None, trials=("example-trial",)).trials
    assert trial.registry == "NCT02361528"
    assert all("PubMed 37267804" in one.source or "simplification" in one.source for one in trial.criteria)
