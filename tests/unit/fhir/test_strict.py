"""Strict JSON and what stands in a page (reliability F16 to F25, F39)."""

import json
from typing import Any

import pytest

from adapter.errors import MalformedMessageError
from adapter.fhir import gather
from adapter.fhir.contents import contents_of
from adapter.fhir.strict import Decimal, Unsound, read

PATIENT = {"resourceType": "Patient", "id": "p1"}
DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<html><body>Sign in</body></html>", "XML"),
        (b"\xff\xfe{\x00}\x00", "CHARSET"),
        (b'{"a": "\xff"}', "CHARSET"),
        (b'{"a": NaN}', "JSON"),
        (b'{"a": -Infinity}', "JSON"),
        (b'{"a": 1e400}', "JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "JSON"),
        (b'{"a": 1,}', "JSON"),
        (b'{"a": 1} {"b": 2', "JSON"),
        (DEEP, "JSON"),
        (b"", "JSON"),
    ],
    ids=lambda one: one[:12].decode("latin-1") if isinstance(one, bytes) else one,
)
def test_what_is_no_json_of_fhir_is_refused_and_quotes_nothing(body: bytes, code: str) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        read(body)
    assert caught.value.code == code
    assert "—" in str(caught.value)
    assert "Sign in" not in str(caught.value)


def test_a_number_keeps_every_digit() -> None:
    found = read(b'{"value": 1.50, "whole": 4420, "small": 1E-3}')
    assert found == {"value": "1.50", "whole": "4420", "small": "1E-3"}
    assert all(isinstance(one, Decimal) for one in found.values())


def test_a_byte_order_mark_is_passed_by() -> None:
    assert read(b'\xef\xbb\xbf{"a": "b"}') == {"a": "b"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"status": "final", "status": "cancelled"}', "DUPKEY"),
        ('{"code": {"coding": [{"code": "1", "code": "2"}]}}', "DUPKEY"),
        (r'{"name": "\ud800"}', "CHARSET"),
        (r'{"name": ["a", "\u0000"]}', "CHARSET"),
    ],
)
def test_a_doubt_spoils_its_object_and_those_round_it(text: str, reason: str) -> None:
    found = read(text.encode())
    assert isinstance(found, Unsound)
    assert found.reason == reason


def test_a_doubt_stays_in_its_resource() -> None:
    page = read(b'{"entry": [{"resource": {"resourceType": "Patient", "id": "1", "id": "2"}}]}')
    assert not isinstance(page, Unsound)
    assert isinstance(page["entry"][0]["resource"], Unsound)


def test_a_pair_of_surrogates_is_a_letter() -> None:
    assert not isinstance(read(rb'{"name": "\ud83d\ude00"}'), Unsound)


def bundle(kind: str, *resources: dict[str, Any], **more: Any) -> bytes:
    entries = [{"fullUrl": f"urn:uuid:{n}", "resource": one} for n, one in enumerate(resources)]
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": entries, **more}).encode()


def test_a_page_holds_its_resources_and_what_its_server_minds() -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}, {"severity": "information"}]}
    found = contents_of(bundle("searchset", PATIENT, outcome, id="page-1"))
    assert (found.kind, found.id, len(found.resources), found.flaws) == ("Bundle searchset", "page-1", 1, 1)


@pytest.mark.parametrize(
    "body", [b"[]", b'"text"', b'{"a": 1}', bundle("batch-response", PATIENT), bundle("", PATIENT)]
)
def test_what_holds_no_resource_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        contents_of(body)
    assert caught.value.code == "NO_FHIR"


@pytest.mark.parametrize(
    "reference", ["Patient/p1", "urn:uuid:0", "http://ehr.example/fhir/Patient/p1", "Patient/p1/_history/3"]
)
def test_a_reference_is_resolved_in_its_page(reference: str) -> None:
    other = {"resourceType": "Encounter", "id": "e1"}
    found = contents_of(bundle("collection", PATIENT, other))
    assert found.target({"reference": reference}, other) == PATIENT


@pytest.mark.parametrize(
    "reference",
    [None, "text", {}, {"reference": ""}, {"reference": 7}, {"reference": "Patient/p2"}, {"reference": "#a"}],
)
def test_a_reference_to_nothing_here_is_nothing(reference: object) -> None:
    assert contents_of(bundle("collection", PATIENT)).target(reference, PATIENT) is None


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("Patient/p1", True),
        ("https://ehr.example/fhir/Patient/p1", True),
        ("https://ehr.example/fhir/Patient/p1/_history/2", True),
        ("http://ehr.example/fhir/Patient/p1", True),
        ("urn:uuid:1", False),
        ("https://region.example/fhir/Patient/p1", False),
        ("https://ehr.example/other/Patient/p1", False),
    ],
)
def test_a_patient_of_another_server_is_another_patient_under_whatever_id(reference: str, meant: bool) -> None:
    entry = {"fullUrl": "https://ehr.example/fhir/Patient/p1", "resource": PATIENT}
    page = {"resourceType": "Bundle", "type": "searchset", "entry": [entry]}
    found = contents_of(json.dumps(page).encode()).target({"reference": reference}, {})
    assert (found == PATIENT) is meant


def test_a_contained_resource_belongs_to_whoever_holds_it() -> None:
    holder = {"resourceType": "Observation", "contained": [{"resourceType": "Specimen", "id": "s"}]}
    found = contents_of(bundle("collection", holder, PATIENT))
    assert found.target({"reference": "#s"}, holder) == {"resourceType": "Specimen", "id": "s"}
    assert found.target({"reference": "#s"}, PATIENT) is None


def test_ndjson_is_one_body() -> None:
    lines = b'{"resourceType":"Patient","id":"a"}\n\n{"resourceType":"Patient","id":"b"}\n'
    assert [one["id"] for one in contents_of(lines).resources] == ["a", "b"]


def test_bulk_data_is_put_together_by_patient() -> None:
    def line(kind: str, identity: str, **said: Any) -> bytes:
        return json.dumps({"resourceType": kind, "id": identity, **said}).encode()

    together = gather.Gathering()
    given = {"subject": {"reference": "Patient/a"}, "medicationReference": {"reference": "Medication/m"}}
    for one in (
        line("Observation", "o1", subject={"reference": "http://x/Patient/a"}),
        line("Patient", "a"),
        line("Patient", "b"),
        line("Medication", "m"),
        line("Medication", "other"),
        line("MedicationAdministration", "g", **given),
        line("Consent", "c", patient={"reference": "Patient/b"}),
    ):
        together.put(one)
    bodies = [[json.loads(one)["id"] for one in body.splitlines()] for body in together.bodies()]
    assert bodies == [["o1", "a", "g", "m"], ["b", "c"], ["other"]]


@pytest.mark.parametrize(
    ("data", "count"),
    [(b'{"a": 1}\n{"b": 2}\n', 2), (b'{\n  "a": 1\n}\n', 1), (b'\xef\xbb\xbf{"a": 1}', 1)],
)
def test_a_file_is_lines_or_one_resource(data: bytes, count: int) -> None:
    found = gather.lines_in(data)
    assert len(found) == count
    assert all(json.loads(one) for one in found)


def test_the_last_day_a_body_speaks_of() -> None:
    found = gather.latest_in(b'{"a": "2150-02-30", "b": "2150-02-27T10:00:00Z", "c": "1960-01-01", "d": "9999-99-99"}')
    assert found is not None
    assert found.isoformat() == "2150-02-27T23:59:59+00:00"
    assert gather.latest_in(b"{}") is None
