"""A polled server knocks: nothing but its word opens, and nothing it brings is read."""

from dataclasses import replace

import pytest

from adapter.web.context import Hint
from tests.web_house import House

WORD = "a long enough word"
RIGHT = {"Authorization": f"Bearer {WORD}"}


@pytest.fixture
def knocks(home: House) -> list[str]:
    heard: list[str] = []
    home.context = replace(home.context, hints={"ehr": Hint(WORD, lambda: heard.append("ehr"))})
    return heard


@pytest.mark.parametrize("body", ["", '{"resourceType":"Bundle"}', "x" * 1000])
def test_its_word_has_the_server_asked_at_once(home: House, knocks: list[str], body: str) -> None:
    answer = home.client().post("/fhir-hint/ehr", content=body, headers=RIGHT)
    assert (answer.status_code, answer.content, knocks) == (204, b"", ["ehr"])


@pytest.mark.parametrize(
    ("source", "headers"),
    [("ehr", {}), ("ehr", {"Authorization": "Bearer wrong"}), ("other", RIGHT), ("ehr", {"Authorization": "Bearer é"})],
)
def test_a_wrong_word_and_a_wrong_source_get_one_answer(
    home: House, knocks: list[str], source: str, headers: dict[str, str]
) -> None:
    answer = home.client().post(f"/fhir-hint/{source}", headers={k: v.encode() for k, v in headers.items()})
    assert (answer.status_code, knocks) == (404, [])
    assert answer.text == home.client().post("/fhir-hint/nobody").text


def test_the_word_is_not_shown_by_accident() -> None:
    assert WORD not in repr(Hint(WORD, lambda: None))
