"""Links to the next page: which are followed early, and how far."""

import pytest

from adapter.sources.fhir_links import steady

BASE = "https://ehr.example/fhir/Observation?_lastUpdated=ge2026-01-02T05:00:00.000%2B00:00&_count=100"


@pytest.mark.parametrize(
    ("place", "before", "read", "expected"),
    [
        ("&_offset=100", "", 100, "&_offset=90"),
        ("&_offset=190", "&_offset=90", 100, "&_offset=180"),
        ("&_skip=50", "", 50, "&_skip=45"),
        ("&_offset=4", "", 4, "&_offset=3"),
        ("&_offset=2", "", 2, "&_offset=1"),
        ("&_offset=1", "", 1, "&_offset=1"),
        ("&_offset=10", "", 300, "&_offset=1"),  # what a page includes beside what was found
        ("&_offset=20", "&_offset=10", 300, "&_offset=11"),
        ("&_offset=0", "&_offset=0", 100, "&_offset=0"),
        ("&_offset=x", "", 100, "&_offset=x"),
        ("&_offset=²", "", 100, "&_offset=²"),
        ("&_offset=" + "9" * 40, "", 100, "&_offset=" + "9" * 40),
        ("&_page=2", "", 100, "&_page=2"),
        ("&_getpages=abc&_getpagesoffset=100", "", 100, "&_getpages=abc&_getpagesoffset=100"),
    ],
)
def test_by_place_a_few_places_early_and_never_back(place: str, before: str, read: int, expected: str) -> None:
    assert steady(BASE + place, BASE + before, read) == BASE + expected


@pytest.mark.parametrize("link", ["", "http://[", "https://ehr.example/fhir?a=%zz&b", "Observation?_offset"])
def test_whatever_else_stands_there_is_left_to_whoever_follows_it(link: str) -> None:
    assert steady(link, BASE, 100) == link
