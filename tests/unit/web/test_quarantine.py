"""Messages nobody could read, and results nobody mapped, as people of each role meet them on the page."""

import re
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from adapter.store import audit, inbox, unmapped
from adapter.store.quarantine import QuarantineRow, listing
from adapter.web import words
from tests.builders import er7, msh, obr, obx, oru, pid, raw
from tests.web_house import House, rules

TEST = er7(msh("ORU^R01", control="T1", processing="T"), pid(name="SECRET^SOFIA"), obr(), obx("777-3", "98", "10*3/uL"))
STRANGE = oru(obx("LOCAL-9", "5", "mg"), obx("777-3", "98", "<b>stones</b>"), control="U1")
WHY = {"reason": "ticket 77"}


@pytest.fixture
def ward(home: House) -> House:
    home.person("ilse", "interface-admin")
    at = {"received": home.clock.now}
    came = (raw(TEST, control_id="T1", **at), raw(STRANGE, **at), raw(b"nobody", quarantine="NO_MSH", **at))
    with home.database.write() as tx:
        inbox.put_many(tx, came)
    home.processor.step()
    return home


def held(home: House) -> dict[int, QuarantineRow]:
    with home.database.read() as conn:
        return {row.id: row for row in listing(conn)}


def act(client: TestClient, message_id: int, word: str, **fields: str) -> tuple[int, str]:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/quality").text)
    assert found
    answer = client.post(f"/quality/quarantine/{message_id}/{word}", data={"csrf": found[1]} | WHY | fields)
    return answer.status_code, answer.text


def test_a_coordinator_sees_what_was_not_read_and_why_but_nothing_of_its_content(ward: House) -> None:
    client = ward.signed_in()
    page = client.get("/quality").text
    for wanted in ("PROCID", "MSH-11 says test", "NO_MSH", "control id T1", "LOCAL-9", "&lt;b&gt;stones&lt;/b&gt;"):
        assert wanted in page, wanted
    assert "SECRET" not in page
    assert "Read again" not in page
    assert ("anna", "view-quarantine", "ok") in ward.audited()


@pytest.mark.parametrize("name", ["anna", "root"])
@pytest.mark.parametrize("word", ["show", "release", "discard"])
def test_nobody_settles_without_the_right(ward: House, name: str, word: str) -> None:
    assert act(ward.signed_in(name), 1, word)[0] == 403
    assert set(held(ward)) == {1, 3}
    assert (name, "refused", "refused") in ward.audited()


def test_an_administrator_of_the_system_sees_numbers_and_no_word_of_a_sender(ward: House) -> None:
    client = ward.signed_in("root")
    page = client.get("/quality").text
    assert "PROCID" in page
    assert "Unit" in page
    for word in ("T1", "LOCAL-9", "stones", "SECRET"):
        assert word not in page
    found = client.get("/api/v1/quality").json()
    assert found["quarantine"] == {"NO_MSH": 1, "PROCID": 1}
    assert found["unmapped"] == [
        {"source": "lab", "code": "unmapped-code", "detail": "", "count": 1},
        {"source": "lab", "code": "unmapped-unit", "detail": "", "count": 1},
    ]
    named = ward.signed_in().get("/api/v1/quality").json()["unmapped"]
    assert [one["detail"] for one in named] == ["LOCAL-9", "<b>stones</b>"]


def test_an_interface_administrator_looks_with_a_reason_that_is_on_record_first(ward: House) -> None:
    client = ward.signed_in("ilse")
    assert client.get("/").headers["location"] == "/quality"
    status, page = act(client, 1, "show")
    assert status == 200
    assert "SECRET^SOFIA" in page
    with ward.database.read() as conn:
        entry = list(audit.listing(conn))[-1].act
    assert (entry.actor, entry.role, entry.action) == ("ilse", "interface-admin", "quarantine-show")
    assert (entry.object_id, entry.reason, dict(entry.detail)) == ("1", "ticket 77", {"code": "PROCID"})


def test_a_released_message_is_read_again_under_the_rules_of_today(ward: House) -> None:
    woken: list[int] = []
    ward.context = replace(ward.context, wake=lambda: woken.append(ward.processor.step()))
    ward.processor._rules = replace(rules(), production=False)
    client = ward.signed_in("ilse")
    assert act(client, 1, "release")[0] == 303
    assert woken == [1]
    assert set(held(ward)) == {3}
    with ward.database.read() as conn:
        assert str(inbox.state(conn, 1)) == "applied"
    assert "read again" in client.get("/quality?done=release").text


def test_what_came_in_broken_is_given_up_and_never_read_again(ward: House) -> None:
    client = ward.signed_in("ilse")
    assert 'action="/quality/quarantine/3/show"' in client.get("/quality").text
    assert "quarantine/3/release" not in client.get("/quality").text
    status, page = act(client, 3, "release")
    assert (status, "came in broken (NO_MSH)" in page) == (422, True)
    assert act(client, 3, "discard")[0] == 303
    assert set(held(ward)) == {1}
    status, page = act(client, 3, "discard")
    assert (status, "is not in quarantine" in page) == (422, True)
    assert [entry[1] for entry in ward.audited() if entry[0] == "ilse"].count("quarantine-discard") == 1


def test_a_form_without_a_reason_or_from_elsewhere_does_nothing(ward: House) -> None:
    client = ward.signed_in("ilse")
    for word in ("show", "release", "discard"):
        status, page = act(client, 1, word, reason="  ")
        assert (status, "Say why" in page, "SECRET" in page) == (422, True, False)
        assert act(client, 1, word, csrf="other")[0] == 403
    assert set(held(ward)) == {1, 3}
    assert not [entry for entry in ward.audited() if entry[1].startswith("quarantine-")]


def test_the_page_has_a_word_for_all_that_is_counted() -> None:
    assert set(words.UNMAPPED) == unmapped.COUNTED
