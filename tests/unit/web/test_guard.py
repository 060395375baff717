"""What is turned away before any page looks at it (reliability 3.5)."""

import asyncio
from typing import Any

import pytest
from starlette.datastructures import Headers

from adapter.web import guard
from tests.web_house import BASE, PASSWORD, House

FORM = {"name": "anna", "password": PASSWORD, "to": "/"}


def test_every_answer_carries_the_headers(home: House) -> None:
    for path in ("/sign-in", "/nowhere", "/livez", "/api/v1/feeds"):
        headers = home.client().get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]
    assert "max-age" in home.client().get("/static/style.css").headers["cache-control"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/sign-in", {"host": "evil.example"}, 421),
        ("GET", "/sign-in", {"host": "[::1]:8080"}, 200),
        ("GET", "/sign-in", {"host": "LOCALHOST"}, 200),
        ("TRACE", "/", {}, 405),
        ("DELETE", "/", {}, 405),
        ("GET", "/sign-out", {}, 405),
        ("GET", "/c/1/status", {}, 405),
        ("GET", "/static/%2e%2e/app.py", {}, 404),
        ("GET", "/static/..%2fapp.py", {}, 404),
        ("GET", "/static/a%00b", {}, 404),
        ("GET", "/sign-in", {"x-long": "x" * 17_000}, 431),
        ("POST", "/sign-in", {"sec-fetch-site": "cross-site"}, 403),
        ("POST", "/sign-in", {"sec-fetch-site": "same-site"}, 403),
        ("POST", "/sign-in", {"origin": "https://evil.example"}, 403),
        ("POST", "/sign-in", {"origin": "null"}, 403),
        ("POST", "/sign-in", {"content-type": "text/plain"}, 415),
        ("POST", "/sign-in", {"content-type": "application/x-www-form-urlencoded"}, 422),
    ],
)
def test_odd_requests(home: House, method: str, path: str, headers: dict[str, str], status: int) -> None:
    assert home.client().request(method, path, headers=headers).status_code == status


def test_our_own_forms_come_through(home: House) -> None:
    for headers in ({"origin": BASE}, {"sec-fetch-site": "same-origin", "origin": BASE}, {}):
        assert home.client().post("/sign-in", data=FORM, headers=headers).status_code == 303


def test_a_body_over_a_mebibyte_is_refused_declared_or_not(home: House) -> None:
    client = home.client()
    big = b"x" * (guard.BODY_LIMIT + 1)
    assert client.post("/sign-in", content=big).status_code == 413
    assert client.post("/sign-in", content=iter([big[:1000], big])).status_code == 413


@pytest.mark.parametrize(
    "body",
    ["name=a&name=b&password=c&to=d", "name=%ff&password=b&to=c", "&".join(f"f{n}=1" for n in range(50)), "name=a"],
)
def test_a_form_with_odd_fields_is_refused(home: House, body: str) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert home.client().post("/sign-in", content=body, headers=headers).status_code in {400, 422}


def test_a_slow_body_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.01)

    async def never() -> Any:
        await asyncio.sleep(10)

    found = asyncio.run(guard.read_body({"method": "POST", "headers": []}, never))
    assert found == guard.Refusal(408, "The request came too slowly.")


def test_a_request_that_breaks_off_is_not_a_request() -> None:
    async def gone() -> Any:
        return {"type": "http.disconnect"}

    found = asyncio.run(guard.read_body({"method": "POST", "headers": []}, gone))
    assert isinstance(found, guard.Refusal)


def test_host_names_are_read_without_their_port() -> None:
    assert [guard.hostname(h) for h in ("A.example:80", "[::1]", "[::1]:80", "x")] == [
        "a.example",
        "[::1]",
        "[::1]",
        "x",
    ]


def test_a_request_without_browser_headers_is_not_foreign() -> None:
    assert not guard.foreign(Headers({"host": "a"}))


def test_a_bug_shows_a_reference_and_never_its_trace(home: House, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> Any:
        raise RuntimeError("PAPADOPOULOU")

    client = home.client()
    object.__setattr__(home.context, "health", broken)
    answer = client.get("/readyz")
    assert answer.status_code == 500
    assert "Reference" in answer.text
    seen = capsys.readouterr()
    assert "PAPADOPOULOU" not in answer.text + seen.out + seen.err


def test_monitors_learn_the_state_and_nothing_else(home: House) -> None:
    from adapter.web.context import Health

    client = home.client()
    assert client.get("/healthz").json() == {"status": "ok"}
    home.health = Health(live=False, ready=False, status="failing", codes=("DISK",))
    assert [client.get(path).status_code for path in ("/livez", "/readyz", "/healthz")] == [503, 503, 503]
    assert client.get("/healthz").json() == {"status": "failing"}
    assert home.signed_in("root").get("/healthz").json()["alarms"] == ["DISK"]


def test_metrics_are_for_this_machine_only(home: House) -> None:
    assert home.client().get("/metrics").text.startswith("adapter_messages_received_total")
    assert home.client("10.0.0.9").get("/metrics").status_code == 404
    assert home.client().get("/metrics", headers={"x-forwarded-for": "10.0.0.9"}).status_code == 404
