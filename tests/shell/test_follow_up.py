"""After randomisation the EDC hears the SOFA of each study day when it is over, and survival; on both stores."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.domain.message import MessageKind
from adapter.fhir.bundle import BundleContext
from adapter.fhir.calendar import Dates
from adapter.fhir.codes import IMPUTED_EXTENSION, STUDY_DAY_EXTENSION
from adapter.fhir.subject import Study
from adapter.pipeline.outgoing import PushWhen, SinkOutlet
from adapter.screening import actions
from adapter.store import outbox
from adapter.web.followed import followed
from tests.builders import adt, dtm, obx, oru
from tests.walking import NOW, House, open_house

Json = dict[str, Any]
EDC = SinkOutlet("edc", PushWhen.CANDIDATE, BundleContext(b"0" * 32, Dates.EXACT, "test", Study("NCT04990232")))
DAY_1_OVER = datetime(2026, 1, 3, tzinfo=UTC)
FERRITIN, HLADR = "613.47", "16123.59"
"""Under treatment, as no other figure here is written."""


@pytest.fixture
def house(each_store: str, tmp_path: Path) -> Iterator[House]:
    """A candidate, randomised at 08:00 of 2 January."""
    built = open_house(tmp_path, outlets=(EDC,))
    organs = (obx("777-3", "90", "10*3/uL"), obx("8478-0", "68", "mm[Hg]"), obx("9269-2", "15", "{score}"))
    built.tell(adt("A01", cls="E", ward="ED", control="A1"), oru(*organs, obx("2276-4", "5200", "ng/mL"), control="R1"))
    decide(built, "on-study")
    yield built
    built.database.close()


def decide(house: House, status: str, reason: str = "") -> None:
    row = house.row
    act = actions.status_body(
        patient=row.patient, trial=row.trial, episode=row.episode, status=status, at=house.now, by="ilse", reason=reason, note=""
    )  # fmt: skip
    house.tell(act, kind=MessageKind.ACTION)


def result(house: House, control: str, at: datetime, *results: str, status: str = "F") -> None:
    house.tell(oru(*results, control=control, order=control, at=dtm(at), issued=dtm(house.now), sent=dtm(house.now)))


def pushed(house: House) -> list[Json]:
    """What the EDC is owed and has not been told yet, oldest first."""
    found: list[Json] = []
    while True:
        with house.database.read() as conn:
            due = outbox.due(conn, "edc", house.now + timedelta(days=400), 50)
        if not due:
            return found
        with house.database.write() as tx:
            for delivery in due:
                found.append(json.loads(delivery.payload))
                outbox.delivered(tx, delivery.id, None, house.now)


def resources(bundle: Json, kind: str = "Observation") -> list[Json]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def on_day(bundle: Json, day: int, code: str = "96790-1") -> Json:
    (found,) = (
        one
        for one in resources(bundle)
        if one["code"]["coding"][0]["code"] == code
        and {"url": STUDY_DAY_EXTENSION, "valueInteger": day} in one.get("extension", ())
    )
    return found


def points(score: Json) -> dict[str, int | None]:
    return {part["code"]["text"]: part.get("valueQuantity", {}).get("value") for part in score["component"]}


def test_the_day_goes_out_when_it_is_over_and_nothing_before(house: House) -> None:
    result(house, "R2", NOW + timedelta(hours=2), obx("777-3", "45", "10*3/uL"))
    pushed(house)
    house.now = DAY_1_OVER - timedelta(seconds=1)
    house.later()
    assert pushed(house) == []
    house.now = DAY_1_OVER
    house.later()
    (bundle,) = pushed(house)
    score = on_day(bundle, 1)
    assert points(score)["SOFA coagulation"] == 3
    assert score["effectivePeriod"] == {"start": "2026-01-02T00:00:00Z", "end": "2026-01-02T23:59:59Z"}
    named = {reference["reference"] for reference in score["derivedFrom"]}
    assert named <= {entry["fullUrl"] for entry in bundle["entry"]}
    assert resources(bundle, "ResearchSubject")[0]["status"] == "on-study"


def test_what_comes_late_renews_the_same_observation(house: House) -> None:
    house.later(hours=17)
    before = on_day(pushed(house)[-1], 1)
    result(house, "R3", NOW + timedelta(hours=3), obx("777-3", "18", "10*3/uL"))
    (bundle,) = pushed(house)
    after = on_day(bundle, 1)
    assert (points(before)["SOFA coagulation"], points(after)["SOFA coagulation"]) == (2, 4)
    assert before["id"] == after["id"]
    result(house, "R4", house.now, obx("777-3", "200", "10*3/uL"))
    assert pushed(house) == []  # of a day that is not over


def test_an_organ_nobody_measured_says_that_it_was_carried(house: House) -> None:
    house.later(hours=17)
    house.later(hours=24)
    score = on_day(pushed(house)[-1], 2)
    carried = [
        part["code"]["text"]
        for part in score["component"]
        if {"url": IMPUTED_EXTENSION, "valueCode": "locf"} in part.get("extension", ())
    ]
    assert carried == ["SOFA coagulation", "SOFA cardiovascular", "SOFA cns"]
    assert points(score)["SOFA liver"] is None
    assert "valueQuantity" not in score


def test_neither_ferritin_nor_hladr_of_the_study_ever_leaves(house: House) -> None:
    later = (
        obx("2276-4", FERRITIN, "ng/mL"),
        obx("mhladr", HLADR, "{AB}/{cell}", system="L"),
        obx("777-3", "45", "10*3/uL"),
    )
    result(house, "R5", NOW + timedelta(hours=5), *later)
    house.later(hours=30 * 24)
    told = json.dumps([*pushed(house), house.row.assessment])
    assert '"45"' in told or "45.0" in told or ":45" in told
    assert FERRITIN not in told
    assert HLADR not in told


def test_survival_is_told_with_its_day_and_unknown_stays_unknown(house: House) -> None:
    house.later(hours=28 * 24)
    unknown = on_day(pushed(house)[-1], 28, "vital-status")
    assert "valueCodeableConcept" not in unknown
    assert unknown["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    result(house, "R6", house.now, obx("8478-0", "80", "mm[Hg]"))
    alive = on_day(pushed(house)[-1], 28, "vital-status")
    assert alive["valueCodeableConcept"]["coding"][0]["code"] == "alive"
    house.tell(
        adt("A03", cls="E", ward="ED", control="A3", died=dtm(NOW + timedelta(days=3)), dead="Y", sent=dtm(house.now))
    )
    died = on_day(pushed(house)[-1], 28, "vital-status")
    assert died["valueCodeableConcept"]["coding"][0]["code"] == "died"
    assert (alive["id"], died["id"]) == (unknown["id"],) * 2


def test_whoever_leaves_the_study_is_followed_no_more(house: House) -> None:
    house.later(hours=17)
    decide(house, "withdrawn", "consent-withdrawn")
    (*_, last) = pushed(house)
    assert resources(last) == []
    house.later(hours=48)
    assert pushed(house) == []


def test_the_page_shows_the_days(house: House) -> None:
    house.later(hours=17)
    house.later(hours=24)
    told = followed(house.row.assessment or {})
    assert told is not None
    assert [row.day for row in told.days] == [2, 1]
    assert [cell.text for cell in told.days[0].cells] == ["?", "2", "?", "1", "0", "?"]
    assert told.carried


def test_whoever_has_left_the_house_is_followed_to_the_end(house: House) -> None:
    """Discharged on day 2, seen again by nobody until a measurement of day 30."""
    house.later(hours=20)
    gone = dtm(house.now)
    house.tell(adt("A03", cls="E", ward="ED", control="A3", at=gone, sent=gone))
    pushed(house)
    house.later(hours=28 * 24)
    told = pushed(house)
    assert on_day(told[-1], 9) is not None
    assert "dataAbsentReason" in on_day(told[-1], 28, "vital-status")
    result(house, "R9", house.now, obx("8478-0", "80", "mm[Hg]"))
    assert on_day(pushed(house)[-1], 28, "vital-status")["valueCodeableConcept"]["coding"][0]["code"] == "alive"
