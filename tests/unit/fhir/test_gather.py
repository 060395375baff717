"""Files of a Bulk Data export put together by patient, without reading what they say."""

from datetime import UTC, datetime

import pytest

from adapter.fhir.gather import Gathering, is_bundle, is_json, latest_in, lines_in

JANE = b'{"resourceType":"Patient","id":"1"}'
COUNT = (
    b'{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/1"},"specimen":{"reference":"Specimen/s"}}'
)
DRUG = b'{"resourceType":"MedicationAdministration","id":"m","subject":{"display":"J","reference":"https://x/Patient/2"},"medicationReference":{"reference":"Medication/n/_history/3"}}'
NORADRENALINE = b'{"resourceType":"Medication","id":"n"}'
WARD = b'{"resourceType":"Location","id":"w"}'


def gathered(*lines: bytes) -> list[list[bytes]]:
    files = Gathering()
    for line in lines:
        files.put(line)
    return [body.split(b"\n") for body in files.bodies()]


def test_what_speaks_of_one_patient_comes_together_with_what_it_refers_to() -> None:
    assert gathered(NORADRENALINE, COUNT, DRUG, JANE) == [[COUNT, JANE], [DRUG, NORADRENALINE]]


def test_what_nobody_refers_to_is_a_body_of_its_own_so_that_it_is_counted() -> None:
    assert gathered(JANE, WARD, b"{}") == [[JANE], [WARD, b"{}"]]
    assert gathered(JANE) == [[JANE]]
    assert gathered() == []


def test_each_line_is_a_resource_and_one_resource_may_stand_on_many_lines() -> None:
    assert lines_in(b"\xef\xbb\xbf" + JANE + b"\r\n\n" + COUNT) == [JANE, COUNT]
    assert lines_in(b'{\r\n "resourceType": "Patient"\n}') == [b'{   "resourceType": "Patient" }']


def test_a_bundle_and_json_are_known_by_their_beginning() -> None:
    assert is_bundle(b'{"resourceType" : "Bundle"}')
    assert not is_bundle(JANE)
    assert not is_bundle(b"{}")
    assert is_json(b"\xef\xbb\xbf\n {")
    assert not is_json(b"MSH|")
    assert not is_json(b"")


@pytest.mark.parametrize(
    ("body", "day"),
    [
        (b'{"a":"2026-01-02","b":"2026-03-04T05:06:07Z"}', datetime(2026, 3, 4, 23, 59, 59, tzinfo=UTC)),
        (b'{"a":"2026-01-02","b":"2026-13-39"}', datetime(2026, 1, 2, 23, 59, 59, tzinfo=UTC)),
        (b'{"a":"2026-13-39"}', None),
        (b"{}", None),
    ],
)
def test_an_archive_ends_with_the_last_day_it_speaks_of(body: bytes, day: datetime | None) -> None:
    assert latest_in(body) == day


def test_what_has_no_name_takes_nobodys_place() -> None:
    files = Gathering()
    nameless = [
        b'{"resourceType": "Location"}',
        b'{"resourceType": "Location", "x": 1}',
        b'{"id": "a"}',
        b'{"id": "a", "x": 1}',
    ]
    for line in nameless:
        files.put(line)
    assert b"\n".join(files.bodies()).splitlines() == nameless


def test_what_nobody_refers_to_comes_in_bodies_of_a_bounded_length() -> None:
    files = Gathering()
    for number in range(2500):
        files.put(b'{"resourceType": "Location", "id": "l%d"}' % number)
    assert [len(body.splitlines()) for body in files.bodies()] == [1000, 1000, 500]
