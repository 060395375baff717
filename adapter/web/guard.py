"""The wall before every page: hosts, methods, sizes, foreign sites, slow bodies, and the headers of every answer."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapter.web.tongue import say

BODY_LIMIT = 1024 * 1024
HEADER_LIMIT = 16 * 1024
BODY_SECONDS = 10.0
BROKEN = 400
READING = frozenset({"GET", "HEAD"})
METHODS = READING | {"POST"}
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # "no-referrer" would turn the Origin of our own forms into "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Refusal(NamedTuple):
    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Wall:
    """`failed(reference, error)` is told of an exception nobody expected."""

    hosts: frozenset[str]
    secure: bool
    failed: Callable[[str, Exception], None]


class Guard:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, wall: Wall) -> None:
        self._app = app
        self._wall = wall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sender = _Sender(send, secure=self._wall.secure, lasting=scope["path"].startswith("/static/"))
        found = refused(scope, self._wall.hosts) or await read_body(scope, receive)
        if isinstance(found, Refusal):
            close = {"connection": "close"} if found.status == BROKEN else None  # what follows may be somebody else's
            await PlainTextResponse(f"{found.text}\n", found.status, close)(scope, receive, sender)
        else:
            await self._answered(scope, _replayed(found, receive), sender)

    async def _answered(self, scope: Scope, receive: Receive, sender: "_Sender") -> None:
        try:
            await self._app(scope, receive, sender)
        except Exception as error:  # noqa: BLE001 — a bug shows a reference, never its trace (W24)
            reference = secrets.token_hex(4)
            self._wall.failed(reference, error)
            if not sender.started:
                text = say("Something went wrong here, not with you. Reference %(code)s.", code=reference) + "\n"
                await PlainTextResponse(text, status_code=500)(scope, receive, sender)


def refused(scope: Scope, hosts: frozenset[str]) -> Refusal | None:
    """What is turned away without looking further (reliability 3.5)."""
    headers, path, method = Headers(scope=scope), scope["path"], scope["method"]
    size = sum(len(name) + len(value) for name, value in scope["headers"])
    twice = "content-length" in headers and "transfer-encoding" in headers
    wrong = (
        (size > HEADER_LIMIT, 431, "The request's headers are too large."),
        (twice, BROKEN, "The request says twice how long it is."),
        (hostname(headers.get("host", "")) not in hosts, 421, "This host name is not served here."),
        (method not in METHODS, 405, "This method is not known here."),
        ("\0" in path or ".." in path.split("/"), 404, "There is no such page."),
        (method not in READING and foreign(headers), 403, "Forms of other sites are not accepted."),
    )
    return next((Refusal(status, text) for stands, status, text in wrong if stands), None)


def hostname(host: str) -> str:
    """Without its port, lower case; `[::1]:8080` → `[::1]`."""
    name = host.strip().lower()
    return name.rpartition(":")[0] if ":" in name.rpartition("]")[2] else name


def foreign(headers: Headers) -> bool:
    """Another site made the browser send this (Sec-Fetch-Site, else Origin); other clients send neither."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()


async def read_body(scope: Scope, receive: Receive) -> bytes | Refusal:
    """All of it, within the limits of size and time."""
    if scope["method"] in READING:
        return b""
    declared = Headers(scope=scope).get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > BODY_LIMIT:
        return Refusal(413, "The request is too large.")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _collected(receive)
    except TimeoutError:
        return Refusal(408, "The request came too slowly.")


async def _collected(receive: Receive) -> bytes | Refusal:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return Refusal(400, "The request ended early.")
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT:
            return Refusal(413, "The request is too large.")
        if not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


class _Sender:
    """Adds the headers of every answer; nothing but style sheet and script is ever kept by a browser."""

    def __init__(self, send: Send, *, secure: bool, lasting: bool) -> None:
        self._send = send
        self._secure = secure
        self._lasting = lasting
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            headers["Cache-Control"] = "public, max-age=86400" if self._lasting else "no-store"
            if self._secure:
                headers["Strict-Transport-Security"] = "max-age=31536000"
        await self._send(message)
