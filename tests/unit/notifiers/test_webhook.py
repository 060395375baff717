"""Webhooks to real receivers, good and bad."""

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from adapter.daemon.telling import notifiers_for
from adapter.domain.message import Delivery
from adapter.errors import ConfigError, RejectedError, UnavailableError
from adapter.notifiers import addresses
from adapter.notifiers.addresses import pinned
from adapter.notifiers.webhook import Webhook, WebhookNotifier
from adapter.settings import load_settings
from tests.peers import Script, misbehaving, self_signed

NOW = datetime(2026, 1, 2, 10, tzinfo=UTC)
OLD, NEW = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))
GIVEN = Delivery(1, "hook", "c-1", "raised", json.dumps({"candidate": "c-1"}), "deadbeef")
OK = (204, dict[str, str](), b"")


@pytest.fixture
def peer() -> Iterator[tuple[str, Script]]:
    script = Script()
    with misbehaving("http://127.0.0.1:9", script) as base:
        yield base, script


def send(url: str, **options: Any) -> None:
    given = replace(Webhook(url, (f"whsec_{OLD}", NEW), allow_private=True), **options)
    asyncio.run(WebhookNotifier(given, lambda: NOW).deliver(GIVEN))


def test_a_webhook_is_signed_with_both_secrets_over_id_time_and_body(peer: tuple[str, Script]) -> None:
    base, script = peer
    script.steps = [OK]
    send(f"{base}/hook")
    (_, path, headers, body) = script.seen[0]
    signed = f"deadbeef.{int(NOW.timestamp())}.".encode() + body
    expected = [
        "v1," + base64.b64encode(hmac.new(letter * 32, signed, hashlib.sha256).digest()).decode()
        for letter in (b"o", b"n")
    ]
    assert path == "/hook"
    assert body.decode() == GIVEN.payload
    assert headers["webhook-id"] == "deadbeef"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert headers["webhook-signature"].split(" ") == expected
    assert headers["Host"] == base.removeprefix("http://")


@pytest.mark.parametrize(("written", "number"), [('["env:NEW", "env:OLD"]', 2), ('"env:NEW"', 1)])
def test_a_configured_webhook_has_one_secret_or_two(
    peer: tuple[str, Script], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, number: int
) -> None:
    base, script = peer
    script.steps = [OK]
    monkeypatch.setenv("NEW", f"whsec_{NEW}")
    monkeypatch.setenv("OLD", f"whsec_{OLD}")
    file = tmp_path / "adapter.toml"
    file.write_text(
        '[adapter]\ndata = "data"\ntrials = ["immunosep-demo"]\nenvironment = "test"\n[[notifier]]\nkind = "webhook"\n'
        f'name = "hook"\nurl = "{base}/hook"\nallow_private = true\nsecret = {written}\n'
    )
    asyncio.run(notifiers_for(load_settings(file))["hook"](lambda: NOW).deliver(GIVEN))
    assert len(script.seen[0][2]["webhook-signature"].split(" ")) == number


@pytest.mark.parametrize("secret", ["[]", '"whsec_plain"', '["env:NEW", "whsec_plain"]'])
def test_a_secret_that_is_none_or_stands_in_the_file_is_refused(tmp_path: Path, secret: str) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(f'[[notifier]]\nkind = "webhook"\nname = "hook"\nurl = "https://h.example"\nsecret = {secret}\n')
    with pytest.raises(ConfigError, match="secret") as refused:
        load_settings(file)
    assert "whsec_plain" not in str(refused.value)


@pytest.mark.parametrize("step", [408, 429, 500, 503, "drop"])
def test_what_may_pass_is_tried_again_with_the_same_id(peer: tuple[str, Script], step: Any) -> None:
    base, script = peer
    script.steps = [step, OK]
    with pytest.raises(UnavailableError):
        send(base)
    send(base)
    assert {seen[2]["webhook-id"] for seen in script.seen} == {"deadbeef"}


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 410])
def test_a_no_a_redirect_and_a_gone_receiver_are_dead_letters(peer: tuple[str, Script], status: int) -> None:
    base, script = peer
    script.steps = [(status, {"Location": "http://127.0.0.1:9/"}, b"")]
    with pytest.raises(RejectedError, match=str(status)):
        send(base)
    assert len(script.seen) == 1


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:10.0.0.1]",
        "[fe80::1]",
        "192.168.1.1",
        "100.64.0.1",
    ],
)
def test_private_addresses_are_refused_unless_meant(address: str) -> None:
    with pytest.raises(RejectedError, match="private"):
        send(f"https://{address}/hook", allow_private=False)


def test_a_name_is_resolved_once_and_one_private_answer_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [["93.184.216.34"], ["93.184.216.34", "10.0.0.1"]]
    monkeypatch.setattr(addresses, "_resolve", lambda _name, _port: answers.pop(0))
    target = pinned("https://hook.example/x", allow_private=False)
    assert (target.url, target.host, target.name) == ("https://93.184.216.34:443/x", "hook.example", "hook.example")
    with pytest.raises(RejectedError):
        pinned("https://hook.example/x", allow_private=False)


def test_a_name_without_address_is_tried_again() -> None:
    with pytest.raises(UnavailableError):
        pinned("https://no-such-host.invalid/x", allow_private=False)


def test_the_certificate_is_checked_for_the_name_though_the_call_goes_by_number(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    got: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.headers["Host"])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — the base class's word
            """Silent."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    port = server.server_address[1]
    try:
        send(f"https://localhost:{port}/", verify=str(certificate))
        assert got == [f"localhost:{port}"]
        with pytest.raises(UnavailableError, match="SSL"):
            send(f"https://localhost:{port}/")
        with pytest.raises(UnavailableError, match="SSL"):
            send(f"https://127.0.0.1:{port}/", verify=str(certificate))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("secret", ["", "whsec_", "not base64!", "whsec_???"])
def test_a_secret_that_is_none_is_refused_at_start(secret: str) -> None:
    with pytest.raises(ConfigError, match="whsec_"):
        WebhookNotifier(Webhook("https://hook.example", (secret,)), lambda: NOW)


def test_plain_http_to_another_machine_is_refused_at_start() -> None:
    with pytest.raises(ConfigError):
        WebhookNotifier(Webhook("http://hook.example", (OLD,)), lambda: NOW)


def test_a_secret_is_not_in_the_representation() -> None:
    assert OLD not in repr(Webhook("https://hook.example", (OLD,)))
