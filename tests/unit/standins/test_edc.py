"""The stand-in EDC is strict, so that what it takes a real one may take."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from adapter.fhir.bundle import candidate_bundle
from adapter.fhir.codes import SCREENING_NUMBER
from adapter.standins.edc import create_edc
from adapter.standins.edc_store import EdcStore
from tests.assessments import CONTEXT, assessment
from tests.peers import serving

Json = dict[str, Any]
FHIR = {"Content-Type": "application/fhir+json"}
GOOD = candidate_bundle(assessment(), screening_id="7Q2KX", context=CONTEXT)


@pytest.fixture(scope="module")
def edc() -> Iterator[tuple[str, EdcStore]]:
    store = EdcStore()
    with serving(create_edc(store)) as base:
        yield base, store


@pytest.fixture
def base(edc: tuple[str, EdcStore]) -> str:
    edc[1].resources.clear()
    return edc[0]


def post(base: str, bundle: Json) -> requests.Response:
    return requests.post(base, data=json.dumps(bundle), headers=FHIR, timeout=5)


def changed(position: int, **changes: Any) -> Json:
    bundle = copy.deepcopy(GOOD)
    bundle["entry"][position]["resource"] |= changes
    return bundle


def test_a_transaction_is_answered_entry_by_entry(base: str) -> None:
    reply = post(base, GOOD).json()
    assert reply["type"] == "transaction-response"
    assert [e["response"]["status"] for e in reply["entry"]] == ["201 Created"] * len(GOOD["entry"])
    again = post(base, GOOD).json()
    assert again["entry"][0]["response"]["status"] == "200 OK"
    assert again["entry"][0]["response"]["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    ("bundle", "status"),
    [
        (GOOD | {"type": "batch"}, 400),
        ({"resourceType": "Patient"}, 400),
        (changed(0, status="found"), 422),
        (changed(0, surprise=1), 400),
        (changed(0, individual={"reference": "urn:uuid:00000000-0000-8000-8000-000000000000"}), 422),
        (changed(0, individual={"reference": "Patient/unknown"}), 422),
        (changed(3, status="finished"), 422),
        (GOOD | {"entry": [*GOOD["entry"], GOOD["entry"][1]]}, 400),
    ],
)
def test_what_is_not_r4_is_refused_whole(base: str, edc: tuple[str, EdcStore], bundle: Json, status: int) -> None:
    answer = post(base, bundle)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert edc[1].resources == {}


def test_a_stale_version_is_refused(base: str) -> None:
    post(base, GOOD)
    patient = GOOD["entry"][1]["resource"]
    url = f"{base}/Patient/{patient['id']}"
    stale = requests.put(url, data=json.dumps(patient), headers=FHIR | {"If-Match": 'W/"7"'}, timeout=5)
    fresh = requests.put(url, data=json.dumps(patient), headers=FHIR | {"If-Match": 'W/"1"'}, timeout=5)
    assert (stale.status_code, fresh.status_code, fresh.headers["ETag"]) == (412, 200, 'W/"2"')


def test_subjects_are_found_by_number_and_the_number_stays_out_of_the_url(base: str) -> None:
    post(base, GOOD)
    form = {"identifier": f"{SCREENING_NUMBER}|7Q2KX"}
    found = requests.post(f"{base}/ResearchSubject/_search", data=form, timeout=5).json()
    assert found["total"] == 1
    assert requests.get(f"{base}/ResearchSubject", params=form, timeout=5).json()["total"] == 1
    assert requests.get(f"{base}/ResearchSubject", params={"colour": "red"}, timeout=5).status_code == 400
    assert requests.get(f"{base}/Encounter", timeout=5).status_code == 404


def test_the_page_shows_what_arrived(base: str) -> None:
    post(base, GOOD)
    page = requests.get(base, timeout=5).text
    for word in ("7Q2KX", "candidate", "mals", "5 to 9", "5200 ng/mL", "4200 {AB}/{cell}"):
        assert word in page


def test_it_says_what_it_can(base: str) -> None:
    statement = requests.get(f"{base}/metadata", timeout=5).json()
    assert statement["fhirVersion"] == "4.0.1"
    from fhir.resources.R4B.capabilitystatement import CapabilityStatement

    CapabilityStatement.model_validate(statement)


def test_what_is_no_fhir_request_is_refused(base: str) -> None:
    assert requests.post(base, data="{", headers=FHIR, timeout=5).status_code == 400
    assert requests.post(base, data="[]", headers=FHIR, timeout=5).status_code == 400
    assert requests.post(base, data="<x/>", headers={"Content-Type": "text/xml"}, timeout=5).status_code == 415
