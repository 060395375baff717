"""Pages that listen are told that something changed, and never what."""

import asyncio

import pytest
from starlette.testclient import TestClient

from adapter.store import accounts
from adapter.web import live
from adapter.web.app import create_app
from adapter.web.live import Live
from tests.web_house import BASE, House, mals, unclear


def test_who_listens_hears_of_every_change_until_the_session_is_over(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "EVERY", 0.01)
    token = home.signed_in().cookies["session"]

    async def heard() -> list[str]:
        stream = Live(home.context).events(token)
        said = [await anext(stream), await anext(stream)]
        home.tell(*mals())
        said.append(await anext(stream))
        with home.database.write() as tx:
            accounts.close_sessions_of(tx, "anna")
        home.tell(*unclear())
        return [*said, *[one async for one in stream]]

    retry, first, second, over = asyncio.run(heard())
    assert retry.startswith("retry: ")
    assert first.startswith("event: news\ndata: ")
    assert second.startswith("event: news\ndata: ")
    assert first != second
    assert over.startswith("event: over\n")
    assert "PAPADOPOULOU" not in second


def test_time_alone_makes_the_page_ask_again(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY", 0.001)
    monkeypatch.setattr(live, "TICKS", 3)
    token = home.signed_in().cookies["session"]

    async def heard() -> str:
        stream = Live(home.context).events(token)
        return [await anext(stream) for _ in range(3)][-1]

    assert asyncio.run(heard()).startswith("event: tick\n")


def test_a_house_that_closes_ends_every_stream_and_too_many_are_refused(home: House) -> None:
    app = create_app(home.context)
    app.state.live.stop()
    cookies = dict(home.signed_in().cookies)
    mine = TestClient(app, base_url=BASE, cookies=cookies, client=("127.0.0.1", 50000))
    answer = mine.get("/live")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.startswith("retry: ")
    assert app.state.live.listening == 0
    app.state.live.listening = live.MOST
    assert mine.get("/live").status_code == 503


def test_only_who_sees_patients_may_listen(home: House) -> None:
    assert home.signed_in("root").get("/live").status_code == 403
    assert home.client().get("/live").status_code == 302
