"""Bulk Data for what was there before the first poll: asked for once, resumed where it broke, and then never again."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapter.settings.polled import FhirSource
from adapter.sources import fhir_export
from adapter.store import inbox
from tests.bulk import Bulk
from tests.fhir_server import START, FhirServer, cut, observation, patient, running, says
from tests.polling import Bench, bench


@pytest.fixture
def fhir() -> Iterator[FhirServer]:
    with running() as server:
        server.put(patient())
        for n in range(5):
            server.put(observation(f"o{n}"))
        server.later(days=30)  # nothing of it is within what polling looks back
        yield server


@pytest.fixture
def bulk(fhir: FhirServer) -> Bulk:
    return Bulk(fhir)


@pytest.fixture
def polled(fhir: FhirServer, bulk: Bulk, tmp_path: Path) -> Iterator[Bench]:
    with bench(fhir, tmp_path, backfill="system", look_back=timedelta(days=7)) as made:
        yield made


def stored(polled: Bench) -> list[str]:
    return sorted(name for name, _ in polled.stored())


ALL = [f"o{n}" for n in range(5)]


def test_it_is_asked_for_waited_for_read_and_never_asked_for_again(polled: Bench, bulk: Bulk, fhir: FhirServer) -> None:
    rounds = 0
    while fhir_export.wanted(polled.crawl()):
        polled.round()
        rounds += 1
    assert rounds == 3  # the request, still at it, the files
    assert stored(polled) == ALL
    assert polled.mark().watermark == fhir.now
    assert polled.mark(fhir_export.EXPORT).watermark == fhir.now
    assert [(method, path.rpartition("/")[2]) for method, path, _ in fhir.seen if method == "DELETE"] == [
        ("DELETE", "1")
    ]
    fhir.later(minutes=5)
    polled.round()
    assert len(bulk.requests) == 1
    assert stored(polled) == ALL


def test_what_is_asked_for(polled: Bench, bulk: Bulk, fhir: FhirServer) -> None:
    polled.round()
    since = (fhir.now - timedelta(days=30)).isoformat(timespec="milliseconds")
    assert bulk.requests == [
        {
            "": "/fhir/$export",
            "_type": "Patient,Observation",
            "_since": since,
            "_outputFormat": "application/fhir+ndjson",
        }
    ]


@pytest.mark.parametrize(("level", "path"), [("patient", "/fhir/Patient/$export"), ("group", "/fhir/Group/g1/$export")])
def test_of_all_patients_or_of_a_group(polled: Bench, bulk: Bulk, level: str, path: str) -> None:
    polled.made(backfill=level, group="g1")
    polled.round()
    assert bulk.requests[0][""] == path


def test_every_message_holds_whose_results_it_has(polled: Bench) -> None:
    for _ in range(3):
        polled.round()
    for body in polled.bodies():
        kinds = {entry["resource"]["resourceType"] for entry in body["entry"]}
        assert "Patient" in kinds


def test_a_file_that_breaks_off_is_taken_up_behind_what_was_stored(
    polled: Bench, fhir: FhirServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fhir_export, "TOGETHER", 1)
    fhir.faults.append(("Observation-1", cut(b'{"resourceType":"Observation","id":"o1"', 5000)))
    for _ in range(3):
        polled.round()
    assert stored(polled) == ["o0", "o2", "o4"]
    assert polled.counted("poll_errors_total", kind="connection") == 1
    polled.made()  # another process: nothing is remembered but what is stored
    polled.round()
    assert stored(polled) == ALL
    assert len(polled.stored()) == 5


def test_a_process_that_ends_goes_on_where_it_was(polled: Bench, bulk: Bulk) -> None:
    polled.round()
    polled.made()
    for _ in range(2):
        polled.round()
    assert (stored(polled), len(bulk.requests)) == (ALL, 1)


@pytest.mark.parametrize("status", [404, 410])
def test_an_export_that_expired_is_asked_for_anew(polled: Bench, bulk: Bulk, fhir: FhirServer, status: int) -> None:
    polled.round()
    fhir.faults.append(("bulk/status", says(status)))
    polled.round()
    polled.made()
    for _ in range(3):
        polled.round()
    assert (stored(polled), len(bulk.requests)) == (ALL, 2)


def test_a_server_without_exports_is_polled_all_the_same(polled: Bench, fhir: FhirServer) -> None:
    fhir.routes = []
    fhir.put(observation("new"))
    polled.round()
    assert stored(polled) == ["new"]
    assert polled.counted("poll_rounds_total", outcome="whole") == 1  # so that nights are reconciled all the same
    assert polled.counted("poll_errors_total", kind="gone") + polled.counted("poll_errors_total", kind="refused") == 1


def test_neither_its_status_nor_its_files_are_fetched_from_elsewhere(polled: Bench, fhir: FhirServer) -> None:
    fhir.faults.append(("$export", says(202, Content_Location="https://evil.example/status")))
    polled.round()
    assert polled.alarms() == ("poll-origin",)
    polled.made()
    polled.round()
    manifest = {
        "transactionTime": "2026-02-01T00:00:00Z",
        "output": [{"type": "Patient", "url": "https://evil.example/p"}],
    }
    fhir.faults.append(("bulk/status", says(200, manifest)))
    polled.round()
    assert polled.alarms() == ("poll-origin",)
    assert stored(polled) == []


@pytest.mark.parametrize(
    "manifest", [{}, {"transactionTime": "soon", "output": []}, {"transactionTime": "2026-02-01T00:00:00Z"}]
)
def test_a_manifest_that_is_none_is_a_failure(polled: Bench, fhir: FhirServer, manifest: dict[str, object]) -> None:
    polled.round()
    fhir.faults.append(("bulk/status", says(200, manifest)))
    polled.round()
    assert polled.counted("poll_errors_total", kind="content") == 1
    assert fhir_export.wanted(polled.crawl())


def test_what_the_server_could_not_export_is_said(polled: Bench, bulk: Bulk) -> None:
    bulk.errors = [{"type": "OperationOutcome", "url": "x"}]
    for _ in range(3):
        polled.round()
    assert polled.alarms() == ("poll-export",)
    assert stored(polled) == ALL


def test_a_line_that_is_no_resource_is_kept_in_quarantine_and_the_others_are_read(polled: Bench, bulk: Bulk) -> None:
    bulk.spoiled["Observation-0"] = b'not json\n{"resourceType":"Patient","id":"px"}\n\n'
    for _ in range(3):
        polled.round()
    assert stored(polled) == ALL
    with polled.database.read() as conn:
        kept = [one.message.body for one in inbox.pending(conn, 99) if one.message.quarantine == "FHIR_PAGE"]
    assert kept == [b"not json"]


def test_a_refused_token_is_renewed_once_for_a_file(polled: Bench, fhir: FhirServer) -> None:
    class Renewed:
        times = 0

        def header(self) -> str:
            return f"Bearer {self.times}"

        def renew(self) -> bool:
            self.times += 1
            return True

    polled.authorization = Renewed()
    fhir.faults.append(("bulk/file/Patient-0", says(401)))
    for _ in range(3):
        polled.round()
    assert (stored(polled), polled.authorization.times) == (ALL, 1)


def test_polling_that_ran_beside_it_keeps_its_own_watermark(polled: Bench, fhir: FhirServer) -> None:
    fhir.put(observation("new"))
    polled.round()
    polled.round()
    before = polled.mark().watermark
    fhir.later(minutes=1)
    polled.round()
    assert polled.mark().watermark == before == START + timedelta(days=30)


def test_a_group_must_be_named() -> None:
    with pytest.raises(ValueError, match="needs the id of a Group"):
        FhirSource(kind="fhir", name="ehr", site="x", base="https://x.example/fhir", backfill="group")
