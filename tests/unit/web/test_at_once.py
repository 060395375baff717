"""Two colleagues decide the same at the same moment: one of them is told, whichever process of the house either one asked."""

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from starlette.testclient import TestClient

from adapter.store import by_hand, inbox
from adapter.web import acts
from tests.unit.web.test_decide import FORM, action, scripted
from tests.web_house import House, first_candidate, hidden, mals

ANSWER = {"criterion": "I4", "note": ""}
ONSET = {"reason": "seen on the ward"}
WISHES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "status": ({"choice": "declined|patient", "note": ""}, {"choice": "consent-asked", "note": ""}),
    "determination": (ANSWER | {"answer": "met"}, ANSWER | {"answer": "not-met"}),
    "onset": (ONSET | {"began": "2026-01-02T06:15"}, ONSET | {"began": "2026-01-02T05:00"}),
}


@dataclass
class Desk:
    """A page that somebody has open: another process of the house than the next one's."""

    client: TestClient
    shown: str

    def send(self, page: str, kind: str, wish: dict[str, str]) -> tuple[int, str]:
        at = {name: unescape(where) for name, where, _ in FORM.findall(self.shown)}
        where = at[wish["criterion"]] if kind == "determination" else action(self.shown, rf"{kind}\?[^\"]+")
        assert where.startswith(f"{page}/{kind}?")
        answer = self.client.post(where, data=hidden(self.shown) | wish)
        return answer.status_code, answer.text


def desks(home: House) -> tuple[str, list[Desk]]:
    home.person("ben", "coordinator")
    home.tell(*mals())
    clients = [home.signed_in(name) for name in ("anna", "ben")]
    page = first_candidate(clients[0])
    return page, [Desk(one, one.get(page).text) for one in clients]


def stored(home: House) -> list[dict[str, Any]]:
    with home.database.read() as conn:
        return [json.loads(inbox.raw(conn, one.id)) for one in inbox.listing(conn) if one.source == by_hand.SOURCE]


@pytest.mark.parametrize("kind", sorted(WISHES))
def test_of_two_who_send_at_once_one_is_told(home: House, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Both have looked before either one stores; nothing takes effect before both have."""
    page, both = desks(home)
    gate, keep = threading.Barrier(2, timeout=30), home.inbox.keep

    def together(*what: Any) -> Sequence[Any]:
        gate.wait()
        return keep(*what)

    monkeypatch.setattr(home.inbox, "keep", together)
    monkeypatch.setattr(home.inbox, "_on_stored", lambda: None)
    with ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(one.send, page, kind, wish) for one, wish in zip(both, WISHES[kind], strict=True)]
        answers = [one.result() for one in sent]
    assert sorted(status for status, _ in answers) == [303, 422]
    (told,) = [text for status, text in answers if status == 422]
    assert "decided otherwise at" in told
    (kept,) = stored(home)
    assert f"{kept['by']} decided otherwise" in told
    on_record = [(who, outcome) for who, what, outcome in home.audited() if what == kind]
    assert on_record == [(kept["by"], "ok")], "what was not stored is not on record"


@pytest.mark.parametrize("kind", sorted(WISHES))
def test_what_has_not_taken_effect_yet_is_seen(home: House, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    page, (anna, ben) = desks(home)
    monkeypatch.setattr(home.inbox, "_on_stored", lambda: None)
    first, second = WISHES[kind]
    assert ben.send(page, kind, second)[0] == 303
    status, text = anna.send(page, kind, first)
    assert (status, "ben decided otherwise at" in text) == (422, True)
    home.processor.step()
    anna.shown = anna.client.get(page).text
    home.clock.now += home.context.idle / 15
    assert anna.send(page, kind, first)[0] == 303, "who has seen it may replace it"


@pytest.mark.parametrize("kind", sorted(WISHES))
@pytest.mark.parametrize("between", [False, True])
def test_who_was_told_replaces_it_though_it_has_not_taken_effect(
    home: House, monkeypatch: pytest.MonkeyPatch, kind: str, between: bool
) -> None:
    page, (anna, ben) = desks(home)
    monkeypatch.setattr(home.inbox, "_on_stored", lambda: None)
    monkeypatch.setattr(acts, "PATIENCE", 0.1)
    first, second = WISHES[kind]
    assert ben.send(page, kind, second)[0] == 303
    status, anna.shown = anna.send(page, kind, first)
    assert status == 422
    if between:
        home.processor.step()
    home.clock.now += timedelta(seconds=30)
    assert anna.send(page, kind, first)[0] == 303
    assert [act["by"] for act in stored(home)] == ["ben", "anna"]


def test_who_was_told_of_one_is_told_of_the_next(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    page, (anna, ben) = desks(home)
    monkeypatch.setattr(home.inbox, "_on_stored", lambda: None)
    monkeypatch.setattr(acts, "PATIENCE", 0.1)
    mine, his = WISHES["status"]
    assert ben.send(page, "status", his)[0] == 303
    _, anna.shown = anna.send(page, "status", mine)
    home.clock.now += timedelta(seconds=30)
    ben.shown = ben.client.get(page).text
    assert ben.send(page, "status", his | {"choice": "eligible"})[0] == 303
    status, text = anna.send(page, "status", mine)
    assert (status, "“Eligible”" in text) == (422, True)


def test_an_onset_a_colleague_stated_since_is_shown_in_words(home: House) -> None:
    page, (anna, ben) = desks(home)
    mine, his = WISHES["onset"]
    assert ben.send(page, "onset", his)[0] == 303
    _, text = anna.send(page, "onset", mine)
    assert "ben decided otherwise at Fri 2 Jan 07:00" in text, text
    assert "“Onset Fri 2 Jan 05:00: seen on the ward”" in text
    assert 'value="2026-01-02T06:15"' in text, "what anna typed stands in the form"


def test_the_same_onset_is_no_contradiction(home: House) -> None:
    page, (anna, ben) = desks(home)
    _, his = WISHES["onset"]
    assert ben.send(page, "onset", his)[0] == 303
    assert anna.send(page, "onset", his | {"reason": "so say I"})[0] == 303


def test_a_script_that_read_the_candidate_before_a_colleagues_act_took_effect_is_told(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, path = scripted(home, *mals())
    monkeypatch.setattr(home.inbox, "_on_stored", lambda: None)
    monkeypatch.setattr(acts, "PATIENCE", 0.1)
    tag, body = client.get(path).headers["etag"], ANSWER | {"answer": "met"}

    def post(key: str, tag: str = tag) -> tuple[int, Any]:
        answer = client.post(f"{path}/determinations", json=body, headers={"if-match": tag, "idempotency-key": key})
        return answer.status_code, answer.json().get("message")

    first = post("one")
    assert first[0] == 201
    assert client.get(path).headers["etag"] == tag, "it has not taken effect yet"
    assert post("another") == (412, None)
    assert len(stored(home)) == 1
    home.processor.step()
    assert post("another") == (412, None)
    assert client.get(path).headers["etag"] != tag
    assert post("another", client.get(path).headers["etag"])[0] == 201
    home.processor.step()
    assert post("one") == first, "whoever lost the answer asks for it again"


def test_an_act_about_another_patient_is_no_obstacle(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    client, path = scripted(home, *mals(), *mals("200"))
    other = next(
        f"/api/v1/candidates/{one['id']}"
        for one in client.get("/api/v1/candidates").json()["candidates"]
        if one["id"] not in path
    )
    monkeypatch.setattr(home.inbox, "_on_stored", lambda: None)
    monkeypatch.setattr(acts, "PATIENCE", 0.1)
    body = ANSWER | {"answer": "met"}
    assert client.post(f"{other}/determinations", json=body).status_code == 201
    tag = client.get(path).headers["etag"]
    assert client.post(f"{path}/determinations", json=body, headers={"if-match": tag}).status_code == 201
