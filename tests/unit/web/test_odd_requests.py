"""The requests of reliability 3.5, W01 to W30, each by its number, on a real server where the wire matters."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from adapter.web import attempts
from tests.chromium import listening
from tests.web_house import PASSWORD, House, hidden, house, mals

RIGHT = {"name": "anna", "password": PASSWORD, "to": "/"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        made.tell(*mals())
        yield made


@pytest.fixture
def client(home: House) -> TestClient:
    return home.signed_in()


def candidate(client: TestClient) -> str:
    return str(client.get("/api/v1/candidates").json()["candidates"][0]["id"])


def post(client: TestClient, body: bytes | dict[str, Any], **headers: str) -> int:
    csrf = client.get("/api/v1/session").json()["csrf"]
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"content-type": "application/json", "x-csrf-token": csrf} | {
        k.replace("_", "-"): v for k, v in headers.items()
    }
    at = f"/api/v1/candidates/{candidate(client)}/determinations"
    return client.post(at, content=text, headers=sent).status_code


def test_w01_without_a_session(home: House) -> None:
    assert home.client().get("/api/v1/candidates").status_code == 401
    assert home.client().get("/").headers["location"].startswith("/sign-in?to=")


def test_w02_without_the_right(home: House) -> None:
    assert home.signed_in("root").get("/api/v1/candidates").status_code == 403
    assert home.audited()[-1] == ("root", "refused", "refused")


def test_w04_a_form_of_elsewhere(client: TestClient) -> None:
    assert post(client, {"status": "screening"}, x_csrf_token="wrong") == 403
    assert post(client, {"status": "screening"}, sec_fetch_site="cross-site") == 403


@pytest.mark.parametrize("path", ["/sign-out", "/c/1/status", "/quality/quarantine/1/discard", "/sign-in/second-step"])
def test_w05_reading_a_route_that_changes(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 405


@pytest.mark.parametrize("body", [b"{", b'{"status": NaN}', b'{"status": "a", "status": "b"}', b"\xff", b"[" * 60_000])
def test_w06_json_that_is_none(client: TestClient, body: bytes) -> None:
    assert post(client, body) == 400


@pytest.mark.parametrize("body", [{"status": "screening", "more": 1}, {"status": 7}, {}, {"value": "5"}])
def test_w07_json_that_says_something_else(client: TestClient, body: dict[str, Any]) -> None:
    assert post(client, body) == 422


def test_w08_too_large(client: TestClient) -> None:
    assert post(client, b" " * (1024 * 1024 + 1)) == 413


def test_w09_another_type(client: TestClient) -> None:
    assert post(client, {"status": "screening"}, content_type="text/plain") == 415


def test_w10_headers_too_large(client: TestClient) -> None:
    assert client.get("/", headers={"x-long": "x" * 17_000}).status_code == 431


@pytest.mark.parametrize(
    "path", ["/static/%2e%2e/app.py", "/static/..%2fapp.py", "/c/a%00b", "/%2e%2e/%2e%2e/etc/passwd"]
)
def test_w11_a_path_that_leads_out(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_w12_another_host(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_w13_other_verbs(client: TestClient, method: str) -> None:
    assert client.request(method, "/").status_code == 405


def test_w15_the_sixth_wrong_password(home: House) -> None:
    client = home.client()
    answers = [client.post("/sign-in", data=RIGHT | {"password": "wrong"}).status_code for _ in range(6)]
    assert answers == [403] * 5 + [429]
    assert home.audited()[-1] == ("anna", "sign-in", "refused")


def test_w16_a_session_that_is_over(home: House, client: TestClient) -> None:
    home.clock.now += timedelta(minutes=16)
    assert client.get("/api/v1/session").status_code == 401


def test_w17_an_older_page(client: TestClient) -> None:
    assert post(client, {"status": "screening"}, if_match='"old"') == 412


def test_w18_a_double_click(home: House, client: TestClient) -> None:
    at = f"/c/{candidate(client)}"
    form = hidden(client.get(at).text) | {"choice": "screening", "note": ""}
    first, second = (client.post(f"{at}/status", data=form) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]


def test_w21_a_proxy_nobody_named(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted by the address that really asks: a header frees nobody of the waiting."""
    monkeypatch.setattr(attempts, "BY_ADDRESS", 5)
    client = home.client("192.0.2.7")
    for number in range(6):
        form = {"name": f"n{number}", "password": "wrong", "to": "/"}
        last = client.post("/sign-in", data=form, headers={"x-forwarded-for": f"10.0.0.{number}"}).status_code
    assert last == 429


@pytest.mark.parametrize("text", ["' OR 1=1 --", "%", "%00", "x" * 10_000])
def test_w22_text_that_would_be_code(client: TestClient, text: str) -> None:
    assert client.get(f"/c/{text.replace('%', '%25')}").status_code == 404
    assert post(client, {"status": text}) == 422


def test_w23_the_log_for_who_has_no_right(home: House) -> None:
    assert home.signed_in("root").get("/api/v1/screening-log").status_code == 403


def test_w24_a_bug(home: House, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise ZeroDivisionError("PAPADOPOULOU")

    home.context = replace(home.context, health=broken)
    answer = home.client().get("/healthz")
    assert answer.status_code == 500
    assert "Reference" in answer.text
    assert "PAPADOPOULOU" not in answer.text
    assert "Traceback" not in answer.text


def test_w25_metrics_from_outside(home: House) -> None:
    assert home.client("192.0.2.7").get("/metrics").status_code == 404


def test_w26_health_for_anybody(home: House) -> None:
    answer = home.client("192.0.2.7").get("/healthz")
    assert (answer.status_code, list(answer.json())) == (200, ["status"])


def test_w27_a_dismissal_without_a_reason(client: TestClient) -> None:
    assert post(client, {"status": "not-eligible"}) == 422
    at = f"/c/{candidate(client)}"
    form = hidden(client.get(at).text) | {"choice": "not-eligible", "note": ""}
    assert client.post(f"{at}/status", data=form).status_code == 422


def test_w28_signing_in_while_nothing_can_be_written(home: House) -> None:
    with home.database.write() as tx:
        tx.exec_driver_sql("PRAGMA query_only = ON")
    client = home.client()
    answer = client.post("/sign-in", data=RIGHT)
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert client.get("/api/v1/session").status_code == 401


def test_w30_inside_a_frame(client: TestClient) -> None:
    headers = client.get("/").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"


# --- on the wire ------------------------------------------------------------------------------------------------------


@pytest.fixture
def port(home: House) -> Iterator[int]:
    with listening(home) as base:
        yield int(base.rpartition(":")[2])


def said(port: int, *parts: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
        for part in parts:
            peer.sendall(part)
        return peer.recv(65536)


HOST = b"Host: 127.0.0.1\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        b"nonsense\r\n\r\n",
    ],
    ids=["both", "chunk", "twice", "no-http"],
)
def test_w20_a_length_that_is_two(port: int, request_: bytes) -> None:
    assert said(port, request_).startswith(b"HTTP/1.1 400")


def test_w13_connect(port: int) -> None:
    assert said(port, b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n").split(b" ")[1] in {
        b"400",
        b"404",
        b"405",
    }
