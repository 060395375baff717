"""From a FHIR server to the worklist: what is polled is read, scored and shown, and a correction takes the flag back."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapter.daemon.clock import utc_now
from adapter.store import worklist
from adapter.store.candidate_rows import CandidateRow
from adapter.store.database import Database
from tests import as_fhir
from tests.builders import adt, dtm, obx, oru
from tests.fhir_server import FhirServer, running
from tests.installation import Installation, until
from tests.shell.test_polling import polled

ORGANS = (
    obx("777-3", "140", "10*3/uL"),
    obx("1975-2", "1.2", "mg/dL"),
    obx("2160-0", "1.9", "mg/dL"),
    obx("8478-0", "68", "mm[Hg]"),
    obx("9269-2", "15", "{score}"),
    obx("2276-4", "5200", "ng/mL"),
)


def put(fhir: FhirServer, body: bytes) -> None:
    for entry in json.loads(as_fhir.bundle(body))["entry"]:
        fhir.put({name: value for name, value in entry["resource"].items() if name != "meta"})


def results(at: datetime, *lines: str) -> bytes:
    return oru(*lines, order="O1", at=dtm(at), issued=dtm(at), sent=dtm(at))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[tuple[Installation, FhirServer, datetime]]:
    now = utc_now().replace(microsecond=0)
    came = now - timedelta(hours=3)
    with running(FhirServer(now=now - timedelta(minutes=5))) as fhir:
        put(fhir, adt("A01", cls="E", ward="ED", at=dtm(came), sent=dtm(came)))
        put(fhir, results(came + timedelta(hours=1), *ORGANS))
        lines = polled(fhir).replace('["Patient", "Observation"]', '["Patient", "Encounter", "Observation"]')
        made = Installation(tmp_path / "house", lines)
        try:
            yield made, fhir, came
        finally:
            made.end()


def rows(place: Installation) -> list[CandidateRow]:
    database = Database.open(f"sqlite:///{place.database}", read_only=True)
    try:
        with database.read() as conn:
            return [row for row in worklist.shown(conn, utc_now()) if row.standing]
    finally:
        database.close()


def test_a_polled_patient_is_a_candidate_until_the_server_corrects(
    house: tuple[Installation, FhirServer, datetime],
) -> None:
    place, fhir, came = house
    place.start()
    until(lambda: [row.verdict for row in rows(place)] == ["candidate"])  # a page of results comes after another
    (row,) = rows(place)
    assert (row.verdict, row.stratum, row.ward, row.patient.value) == ("candidate", "mals", "ED", "100")
    fhir.later(minutes=1)
    healthy = (
        line.replace("|F|", "|C|")
        for line in (obx("777-3", "240", "10*3/uL"), obx("2160-0", "0.9", "mg/dL"), obx("8478-0", "88", "mm[Hg]"))
    )
    put(fhir, results(came + timedelta(hours=1), *healthy))
    until(lambda: rows(place) == [])
    assert place.stop() == 0
