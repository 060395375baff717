"""How fast one person may ask (reliability 2.2, D): a minute's worth at once, no more, and nobody waits for somebody else."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapter.web.pace import REMEMBERED, Pace
from tests.builders import T0
from tests.web_house import House, house

MOST = 12
"""A request each five seconds."""


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as home:
        home.context = replace(home.context, requests_per_minute=MOST)
        yield home


def test_who_asks_too_fast_waits_and_is_told_how_long(hasty: House) -> None:
    hasty.person("ben", "coordinator")
    anna = hasty.signed_in()
    ben = anna.__class__(anna.app, base_url=anna.base_url, follow_redirects=False)
    ben.post("/sign-in", data={"name": "ben", "password": "seven quiet herons", "to": "/"})
    assert [anna.get("/account").status_code for _ in range(MOST)] == [200] * MOST
    page, script = anna.get("/account"), anna.get("/api/v1/candidates")
    assert (page.status_code, page.headers["retry-after"]) == (429, "5")
    assert "Wait 5 seconds" in page.text
    assert (script.status_code, script.headers["retry-after"]) == (429, "5")
    assert script.json() == {"detail": "Too many requests. Wait 5 seconds."}
    assert ben.get("/account").status_code == 200
    assert hasty.audited().count(("anna", "refused", "refused")) == 1
    hasty.clock.now += timedelta(seconds=5)
    assert [anna.get("/account").status_code for _ in range(2)] == [200, 429]


def test_style_sheets_the_sign_in_and_pages_that_renew_themselves_take_nothing(hasty: House) -> None:
    anna = hasty.signed_in()
    for _ in range(2 * MOST):
        assert anna.get("/static/style.css").status_code == 200
        assert anna.get("/sign-in").status_code == 200
    assert [anna.get("/?auto=1").status_code for _ in range(MOST + 1)] == [200] * MOST + [429]
    assert [anna.get("/account").status_code for _ in range(MOST + 1)] == [200] * MOST + [429]


def test_the_stream_of_news_is_nobody_s_request(hasty: House) -> None:
    client = hasty.signed_in()
    client.app.state.live.stop()  # each stream says what it has and ends
    assert {client.get("/live?auto=1").status_code for _ in range(2 * MOST)} == {200}
    assert client.get("/?auto=1").status_code == 200


def test_a_purse_fills_evenly_and_never_beyond_a_minute() -> None:
    pace = Pace(60)
    assert {pace.ask("anna", T0).wait for _ in range(60)} == {0}
    assert [pace.ask("anna", T0 + timedelta(seconds=s)).wait for s in (0, 0.5, 1, 1, 3, 3, 3)] == [1, 1, 0, 1, 0, 0, 1]
    later = T0 + timedelta(hours=9)
    assert [pace.ask("anna", later).wait for _ in range(62)] == [0] * 60 + [1, 1]


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    pace = Pace(60)
    for _ in range(60):
        pace.ask("anna", T0)
    back = T0 - timedelta(hours=1)
    assert pace.ask("anna", back).wait == 1
    assert pace.ask("anna", back + timedelta(seconds=1)).wait == 0


def test_a_haste_is_reported_once() -> None:
    pace = Pace(60)
    seconds = [n / 10 for n in range(900)]
    found = [pace.ask("anna", T0 + timedelta(seconds=s)) for s in seconds]
    assert sum(one.first for one in found) == 1
    assert pace.ask("anna", T0 + timedelta(hours=1)).wait == 0
    assert sum(pace.ask("anna", T0 + timedelta(hours=1)).first for _ in range(99)) == 1


def test_who_came_least_lately_is_forgotten_first() -> None:
    pace = Pace(60)
    for n in range(REMEMBERED + 5):
        pace.ask(f"p{n}", T0)
    assert len(pace._purses) == REMEMBERED
    assert "p0" not in pace._purses
