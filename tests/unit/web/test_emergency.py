"""Break-glass: asked by one, given by another, an hour long, on record, and an alarm meanwhile."""

from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from adapter.daemon.health import Pulse
from adapter.store.space import Marks, Space
from tests.web_house import House, mals


@pytest.fixture
def ward(home: House) -> House:
    home.person("ines", "investigator")
    home.tell(*mals())
    return home


def post(client: TestClient, path: str, **given: str) -> int:
    csrf = client.get("/api/v1/session").json()["csrf"]
    return client.post(path, data={"csrf": csrf} | given).status_code


def test_an_administrator_sees_patients_for_an_hour_once_an_investigator_lets_them(ward: House, tmp_path: Path) -> None:
    root, ines = ward.signed_in("root"), ward.signed_in("ines")
    pulse = Pulse(ward.database, Space(tmp_path, Marks(0, 0, 0, 0)), ward.clock)
    assert root.get("/api/v1/candidates").status_code == 403
    assert post(root, "/emergency", reason="") == 422
    assert post(root, "/emergency", reason="coordinator fell ill, patient in theatre") == 303
    assert root.get("/api/v1/candidates").status_code == 403
    assert "break-glass" not in pulse.health().codes
    assert "Let root in" in ines.get("/emergency").text
    assert post(root, "/emergency/1/give") == 403
    assert post(ines, "/emergency/1/give") == 303
    assert "break-glass" in pulse.health().codes
    listed = root.get("/api/v1/candidates").json()["candidates"]
    assert "PAPADOPOULOU" in root.get("/").text.upper()
    assert root.get("/api/v1/screening-log").status_code == 403, "an emergency is no reason for an export"
    assert all("You see patients in an emergency until" in root.get(page).text for page in ("/", "/quality"))
    assert "You see patients in an emergency" not in ines.get("/").text
    csrf = root.get("/api/v1/session").json()["csrf"]
    at = f"/api/v1/candidates/{listed[0]['id']}/determinations"
    assert root.post(at, json={"status": "screening"}, headers={"x-csrf-token": csrf}).status_code == 403
    for _ in range(6):
        ward.clock.now += timedelta(minutes=9)
        assert root.get("/").status_code == 200
    ward.clock.now += timedelta(minutes=7)
    assert root.get("/api/v1/candidates").status_code == 403
    assert "break-glass" not in pulse.health().codes
    acts = [action for _, action, outcome in ward.audited() if outcome == "ok"]
    assert acts.index("break-glass-ask") < acts.index("break-glass-give") < acts.index("view-worklist")


def test_it_may_be_ended_and_a_request_is_answered_once_and_soon(ward: House) -> None:
    root, ines = ward.signed_in("root"), ward.signed_in("ines")
    assert post(root, "/emergency", reason="why") == 303
    assert post(ines, "/emergency/1/give") == 303
    assert post(ines, "/emergency/1/give") == 422
    assert post(root, "/emergency/end") == 303
    assert "You see patients in an emergency" not in root.get("/quality").text
    assert root.get("/api/v1/candidates").status_code == 403
    assert post(root, "/emergency", reason="again") == 303
    ward.clock.now += timedelta(minutes=10)
    root.get("/quality"), ines.get("/quality")
    for _ in range(6):
        ward.clock.now += timedelta(minutes=9)
        ines.get("/quality")
    assert post(ines, "/emergency/2/give") == 422
    assert ward.signed_in("anna").get("/emergency").status_code == 403
