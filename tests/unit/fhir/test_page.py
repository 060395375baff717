"""A page of a search as a server sends it: its entries as they stand, the link onwards, and what is no page at all."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapter.errors import MalformedMessageError
from adapter.fhir.page import Page, bundle_of, moment_of, name_of, read_page, read_resource, targets
from adapter.fhir.search import MANNERS, Bookmark, Manners, Search, refused_mixture
from adapter.fhir.withdraw import withdrawn

BASE = "https://fhir.example/r4"
T0 = datetime(2026, 1, 2, 3, tzinfo=UTC)
OBSERVATION = '{ "resourceType":"Observation", "id" : "o1","valueQuantity":{"value":1.10},"meta":{"versionId":"2","lastUpdated":"2026-01-02T03:00:00Z"}}'
PAGE = f"""{{"resourceType":"Bundle","type":"searchset","id":"b1","meta":{{"lastUpdated":"2026-01-02T03:10:00Z"}},
 "link":[{{"relation":"self","url":"x"}},{{"relation":"next","url":"{BASE}?page=2"}}],
 "entry":[ {{"fullUrl":"x","resource":{OBSERVATION}}} , {{"search":{{"mode":"match"}}}} ] }}"""


def page(text: str = PAGE) -> Page:
    return read_page(text.encode())


def bundle(**members: Any) -> str:
    return json.dumps({"resourceType": "Bundle", "type": "searchset"} | members)


def outcome(severity: str) -> dict[str, Any]:
    return {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": severity}, 7]}}


def test_an_entry_is_told_with_its_version_and_stands_character_for_character() -> None:
    """`1.10` stays `1.10`: whoever reads the number later decides what it is worth."""
    (one,) = page().entries
    assert (one.name, one.version, one.updated) == (("Observation", "o1"), "2|2026-01-02T03:00:00Z", T0)
    assert one.text() == OBSERVATION
    assert (page().next, page().id, page().updated) == (f"{BASE}?page=2", "b1", T0 + timedelta(minutes=10))
    assert not page().flawed


def test_without_a_version_of_the_server_the_content_is_the_version() -> None:
    one, same, other = (
        read_page(
            bundle(entry=[{"resource": {"resourceType": "Patient", "id": "p", "active": active}}]).encode()
        ).entries[0]
        for active in (True, True, False)
    )
    assert one.version == same.version != other.version
    assert (one.updated, len(one.version)) == (None, 64)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "JSON"),
        ("[]", "JSON"),
        ("{", "JSON"),
        ('{"a" 1}', "JSON"),
        ("{a:1}", "JSON"),
        ('{"entry":[1 2]}', "JSON"),
        (PAGE + "x", "JSON"),
        (PAGE[:-2], "JSON"),
        ("[" * 100_000, "JSON"),
        ("{}", "BUNDLE"),
        (" { } ", "BUNDLE"),
        ('{"resourceType":"Bundle","type":"batch"}', "BUNDLE"),
        ('{"resourceType":"Patient","type":"searchset"}', "BUNDLE"),
    ],
)
def test_what_is_no_searchset_is_none(text: str, code: str) -> None:
    with pytest.raises(MalformedMessageError) as refused:
        read_page(text.encode())
    assert refused.value.code == code


def test_a_page_is_utf_8_with_or_without_its_mark() -> None:
    assert read_page(b"\xef\xbb\xbf" + PAGE.encode()).id == "b1"
    with pytest.raises(MalformedMessageError) as refused:
        read_page(PAGE.replace("b1", "bä").encode("latin-1"))
    assert refused.value.code == "CHARSET"


@pytest.mark.parametrize(
    ("severity", "flawed"), [("fatal", True), ("error", True), ("warning", True), ("information", False)]
)
def test_a_page_whose_server_says_that_something_is_missing_is_not_whole(severity: str, flawed: bool) -> None:
    found = page(bundle(entry=[outcome(severity)]))
    assert (found.flawed, found.entries) == (flawed, ())
    assert not page(bundle(entry=[{"resource": {"resourceType": "OperationOutcome", "issue": "none"}}])).flawed
    odd = {"resourceType": "OperationOutcome", "issue": [{"severity": [severity]}]}
    assert not page(bundle(entry=[{"resource": odd}])).flawed


def test_an_empty_page_has_no_entries_no_next_and_no_place_for_more() -> None:
    for text in (bundle(), bundle(entry=[]), bundle(entry={}, link={}, id=[7]), bundle(link=[7, {"relation": "next"}])):
        found = page(text)
        assert (found.entries, found.next, found.id, found.hole) == ((), "", "", -1)
        assert found.with_beside(page().entries, BASE) == text


def test_what_a_page_refers_to_is_laid_behind_its_own_entries() -> None:
    beside = read_resource(b' {"resourceType":"Patient","id":"p1"} ')
    assert beside is not None
    whole = page(page().with_beside([beside], BASE))
    assert [one.name for one in whole.entries] == [("Observation", "o1"), ("Patient", "p1")]
    assert whole.entries[0].text() == OBSERVATION
    assert json.loads(whole.text)["entry"][-1]["search"] == {"mode": "include"}
    assert page().with_beside([], BASE) == PAGE


def test_resources_that_came_by_themselves_make_a_bundle() -> None:
    made = json.loads(bundle_of(page().entries, "collection", BASE))
    assert (made["type"], made["entry"][0]["fullUrl"]) == ("collection", f"{BASE}/Observation/o1")


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{}", b'{"resourceType":null}', b"\xff", b"{" * 100_000])
def test_what_is_no_resource_is_none(body: bytes) -> None:
    assert read_resource(body) is None


def refers(kind: str, **elements: Any) -> list[tuple[str, str]]:
    entry = read_resource(json.dumps({"resourceType": kind, "id": "x"} | elements).encode())
    assert entry is not None
    return list(targets(entry, BASE))


def test_only_what_stands_on_the_server_itself_is_anybody_s_to_fetch() -> None:
    """A reference that leads elsewhere is never followed: it would carry a patient's number to a stranger (F31)."""
    assert refers(
        "Observation", subject={"reference": "Patient/1"}, hasMember=[{"reference": f"{BASE}/Observation/2"}]
    ) == [
        ("Patient", "1"),
        ("Observation", "2"),
    ]
    assert refers("Observation", subject={"reference": "https://elsewhere.example/r4/Patient/1"}) == []
    assert (
        refers("Observation", subject={"reference": "#contained"}, encounter={"display": "ward"}, specimen="S1") == []
    )
    assert refers("Encounter", location=[{"location": {"reference": "Location/4"}}]) == [("Location", "4")]
    assert refers("Binary", subject={"reference": "Patient/1"}) == []


def test_a_reference_is_a_type_and_an_id_with_or_without_a_version() -> None:
    assert name_of("Patient/1/_history/3", BASE) == ("Patient", "1")
    assert name_of("Patient/1?x=y", BASE) is None
    assert name_of("../Patient/1", BASE) is None


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2026-01-02T03:00:00Z", T0),
        ("2026-01-02T05:00:00+02:00", T0),
        ("2026-01-02T03:00:00", None),
        ("2026-01-02", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (20260102, None),
    ],
)
def test_an_instant_has_a_zone(said: object, moment: datetime | None) -> None:
    assert moment_of(said) == moment


# --- what a server deleted --------------------------------------------------------------------------------------------------


def test_a_deleted_resource_is_said_again_as_one_that_was_never_right() -> None:
    (one,) = page().entries
    gone = withdrawn(one, T0 + timedelta(hours=1))
    assert gone is not None
    assert (gone.name, gone.version) == (one.name, "2-deleted|2026-01-02T04:00:00+00:00")
    assert gone.resource["status"] == "entered-in-error"
    assert '"value":1.10' in gone.text()


def test_a_deleted_diagnosis_says_so_where_diagnoses_do() -> None:
    said = {"coding": [{"code": "confirmed"}]}
    entry = read_resource(json.dumps({"resourceType": "Condition", "id": "c", "verificationStatus": said}).encode())
    assert entry is not None
    gone = withdrawn(entry, T0)
    assert gone is not None
    assert gone.resource["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert "status" not in gone.resource


# --- what is asked, and how far it has brought us -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("search", "manners", "asked"),
    [
        (Search("Observation"), "generic", [("_lastUpdated", "ge"), ("_sort", "_lastUpdated")]),
        (Search("Observation", patient="p1"), "oracle", [("patient", "p1"), ("_lastUpdated", "ge")]),
        (Search("Patient", patient="p1"), "epic", [("_id", "p1")]),
        (
            Search("Observation", (("category", "laboratory"),), "p1"),
            "epic",
            [("patient", "p1"), ("category", "laboratory"), ("date", "ge")],
        ),
        (Search("Condition", patient="p1"), "epic", [("patient", "p1")]),
        (Search("Encounter", timeless=True), "generic", []),
    ],
)
def test_each_vendor_is_asked_as_it_heeds(search: Search, manners: str, asked: list[tuple[str, str]]) -> None:
    said = search.parameters(MANNERS[manners], T0, 50)
    assert [(name, value[:2] if value.startswith("ge") else value) for name, value in said] == [
        *asked,
        ("_count", "50"),
    ]
    assert all(value == "ge2026-01-02T03:00:00.000+00:00" for _, value in said if value.startswith("ge"))


def test_a_clinical_date_of_the_operator_s_own_is_refused_where_the_server_takes_no_mixture() -> None:
    narrowed = (("category", "laboratory"), ("date:missing", "false"))
    assert refused_mixture(narrowed, MANNERS["oracle"]) == "date:missing"
    assert refused_mixture(narrowed, MANNERS["generic"]) == ""
    assert refused_mixture(narrowed, Manners(by_time=False, mixes=False)) == ""
    assert refused_mixture(narrowed[:1], MANNERS["oracle"]) == ""


def turned(
    before: Bookmark, newest: datetime | None, following: str = "", *, flawed: bool = False, began: datetime = T0
) -> Bookmark:
    return before.turned(began=began, newest=newest, following=following, flawed=flawed)


def test_a_pass_without_flaw_moves_the_watermark_to_what_was_seen_and_never_beyond_its_own_beginning() -> None:
    later, earlier = T0 + timedelta(hours=1), T0 - timedelta(hours=1)
    assert turned(Bookmark(), earlier) == Bookmark(earlier)
    assert turned(Bookmark(), later) == Bookmark(T0)
    assert turned(Bookmark(earlier), None) == Bookmark(earlier)
    assert turned(Bookmark(), None) == Bookmark()
    assert turned(Bookmark(earlier), later, flawed=True) == Bookmark(earlier)


def test_a_pass_of_several_pages_remembers_its_beginning_and_the_newest_of_all() -> None:
    first = turned(Bookmark(), T0 - timedelta(hours=2), "page 2")
    assert (first.next, first.began, first.pages) == ("page 2", T0, 1)
    second = turned(first, T0 - timedelta(hours=3), began=T0 + timedelta(hours=5))
    assert second == Bookmark(T0 - timedelta(hours=2))
    assert first.restarted() == Bookmark()
    spoilt = turned(Bookmark(), T0, "page 2", flawed=True)
    assert turned(spoilt, T0) == Bookmark()


def test_a_new_pass_begins_a_little_before_the_last_one_ended() -> None:
    start, overlap = T0, timedelta(minutes=5)
    assert Bookmark().since(start, overlap) == start
    assert Bookmark(T0 + timedelta(hours=1)).since(start, overlap) == T0 + timedelta(minutes=55)
    assert Bookmark(T0).since(start, overlap) == start
