"""Real servers on 127.0.0.1 for tests, and a proxy that misbehaves in front of one."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.ports import free_port


@contextlib.contextmanager
def serving(app: Any) -> Iterator[str]:
    """The base URL of an ASGI application behind a real socket."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@dataclass
class Script:
    """What to do with the next requests, first to last; when it is used up, everything passes.

    An integer: that status. `drop`: close before passing on. `drop-after`: pass on, close without the answer.
    `hang`: silence until `stop`. A callable runs before the request passes. `(status, headers, body)`: that answer.
    """

    steps: list[Any] = field(default_factory=list)
    only: str = "POST"
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: str, script: Script) -> None:
        self.upstream, self.script = upstream, script
        super().__init__(("127.0.0.1", 0), _Proxy)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is what these tests are about."""


class _Proxy(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._pass()

    def do_POST(self) -> None:
        self._pass()

    def do_PUT(self) -> None:
        self._pass()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — the base class's word
        """Silent."""

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        script = self.server.script
        script.seen.append((self.command, self.path, dict(self.headers), body))
        step = script.steps.pop(0) if script.steps and self.command == script.only else None
        if callable(step):
            step()
        if step == "hang":
            script.stop.wait(30)
        answer = self._planned(step) or (None if step in ("drop", "hang") else self._forward(body))
        if answer is None or step == "drop-after":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._answer(*answer)

    def _planned(self, step: Any) -> tuple[int, dict[str, str], bytes] | None:
        if isinstance(step, int):
            return step, {}, b""
        return step if isinstance(step, tuple) else None

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.server.upstream.removeprefix("http://"), timeout=10)
        connection.request(
            self.command,
            self.path,
            body,
            {k: v for k, v in self.headers.items() if k not in ("Host", "Accept-Encoding")},
        )
        answer = connection.getresponse()
        headers = {k: v for k, v in answer.getheaders() if k.lower() in ("etag", "content-type", "retry-after")}
        result = (answer.status, headers, answer.read())
        connection.close()
        return result

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def misbehaving(upstream: str, script: Script) -> Iterator[str]:
    """The base URL of a proxy that follows the script for requests of method `only`."""
    server = _Server(upstream, script)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        script.stop.set()
        server.shutdown()
        thread.join()
        server.server_close()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Certificate and key files for `localhost` and 127.0.0.9, trusted by nobody who is not told to."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.9"))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = (folder / "certificate.pem", folder / "key.pem")
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    paths[1].write_bytes(key.private_bytes(*private))
    return paths
