"""One HTTP exchange with a peer nobody trusts: no redirect, no proxy, a capped body, a deadline."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import SplitResult, urlsplit

import requests
import urllib3

from adapter.errors import ConfigError, RejectedError, UnavailableError

Json = dict[str, Any]

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
"""The peer may answer better later (edc 5.5.6)."""
PAUSED = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405})
"""The door is wrong or locked, for every subject: nothing is lost while a person mends it (bad-input E04, E05, F15)."""
PAUSE = 900.0
"""Seconds between knocks at such a door."""

HTTP_REFUSED = 300
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to connect, between two bytes and in all; bytes of the decoded body."""

    connect: float = 5.0
    read: float = 30.0
    total: float = 60.0
    size: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswerError(UnavailableError):
    """No complete answer came; `kind` is one of our own words for why."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def session() -> requests.Session:
    """Deaf to the environment: no proxy, no netrc, no cookie that outlives it."""
    made = requests.Session()
    made.trust_env = False
    made.headers["User-Agent"] = "immunosep-adapter"
    return made


def checked_url(url: str) -> str:
    """An absolute URL without userinfo, query or fragment; plain http to this machine only. Raises ConfigError."""
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("the address is no http(s) URL — write it as https://host/path")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError("the address holds a user, a query or a fragment — give secrets by reference, the rest not")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ConfigError("the address is plain http to another machine — use https")
    return url.rstrip("/")


def _split(url: str) -> SplitResult | None:
    """None where its host is no name or its port no number: else whoever calls it would be the first to find out."""
    try:
        parts = urlsplit(url)
        name, port = (parts.hostname or "").encode("idna"), parts.port
    except ValueError:  # UnicodeError is one
        return None
    return parts if name and port != 0 else None


def exchange(peer: requests.Session, request: requests.Request, limits: Limits) -> Answer:
    """Blocking; for a worker thread. Raises UnavailableError when no complete answer came."""
    deadline = time.monotonic() + limits.total
    with _answering(peer, request, limits) as response:
        return Answer(response.status_code, response.headers, _body(response.raw, limits.size, deadline))


@contextmanager
def streamed(
    peer: requests.Session, request: requests.Request, limits: Limits
) -> Iterator[tuple[Answer, Iterator[bytes]]]:
    """As `exchange`, of a body of any length, line by line: each within the limits of size and of time in all."""
    with _answering(peer, request, limits) as response:
        refused = response.status_code >= HTTP_REFUSED
        body = _body(response.raw, limits.size, time.monotonic() + limits.total) if refused else b""
        answer = Answer(response.status_code, response.headers, body)
        yield answer, iter(()) if refused else _lines(response.raw, limits)


@contextmanager
def _answering(peer: requests.Session, request: requests.Request, limits: Limits) -> Iterator[requests.Response]:
    try:
        prepared = peer.prepare_request(request)
        with peer.send(
            prepared, stream=True, allow_redirects=False, timeout=(limits.connect, limits.read), **_fixed(peer)
        ) as response:
            yield response
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        kind = "tls" if isinstance(error, requests.exceptions.SSLError) else "connection"
        kind = "timeout" if isinstance(error, requests.exceptions.Timeout) else kind
        raise NoAnswerError(kind, f"no complete answer from the peer ({type(error).__name__}) — tried again") from None


def _fixed(peer: requests.Session) -> dict[str, Any]:
    return {"verify": peer.verify, "cert": peer.cert, "proxies": {}}


def _body(raw: urllib3.BaseHTTPResponse, size: int, deadline: float) -> bytes:
    """Read as it comes, so that neither a slow drip nor a gzip bomb is waited for (bad-input F16, F18)."""
    body = bytearray()
    while chunk := raw.read1(65536, decode_content=True):
        body += chunk
        if len(body) > size:
            raise NoAnswerError("size", "the peer's answer is over the size limit — tried again")
        if time.monotonic() > deadline:
            raise NoAnswerError("timeout", "the peer's answer took too long — tried again")
    return bytes(body)


def _lines(raw: urllib3.BaseHTTPResponse, limits: Limits) -> Iterator[bytes]:
    rest = bytearray()
    deadline = time.monotonic() + limits.total
    while chunk := raw.read1(65536, decode_content=True):
        *lines, last = chunk.split(b"\n")
        for line in lines:
            yield bytes(rest) + line
            rest.clear()
            deadline = time.monotonic() + limits.total
        rest += last
        if len(rest) > limits.size:
            raise NoAnswerError("size", "a line of the file is over the size limit — tried again")
        if time.monotonic() > deadline:
            raise NoAnswerError("timeout", "a line of the file took too long — tried again")
    if rest:
        yield bytes(rest)


def refuse(status: int, what: str, *, wish: float | None = None) -> NoReturn:
    """The error that an HTTP status of 300 or more asks for; `what` names the peer and, if any, its codes."""
    text = f"{what} answered HTTP {status}"
    if status in RETRIED:
        raise UnavailableError(f"{text} — tried again", retry_after=wish)
    if status in PAUSED:
        raise UnavailableError(f"{text} — check its address and our credentials", retry_after=PAUSE)
    raise RejectedError(f"{text} — read the reason, mend it, send again")


def read_json(answer: Answer) -> Json | None:
    """The body as a JSON object; `None` for anything else (a login page, XML, NaN, a bottomless nesting)."""
    try:
        value = json.loads(answer.body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)


def outcome_codes(body: object) -> str:
    """Issue codes of an OperationOutcome as ` (invalid, required)`; never its diagnostics, which may echo data."""
    told = isinstance(body, dict) and body.get("resourceType") == "OperationOutcome"
    issues = body.get("issue", []) if isinstance(body, dict) and told else []
    codes = [str(issue.get("code")) for issue in issues if isinstance(issue, dict)] if isinstance(issues, list) else []
    safe = sorted({code for code in codes if _CODE.fullmatch(code)})
    return f" ({', '.join(safe)})" if safe else ""
