"""A strict FHIR R4 server of our own, over real HTTP, that also misbehaves on order; whatever it refuses is our mistake."""

import contextlib
import gzip
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

Json = dict[str, Any]
BASE = "/fhir"
START = datetime(2026, 1, 2, 6, tzinfo=UTC)
KNOWN = {
    "_lastUpdated",
    "_sort",
    "_count",
    "_offset",
    "_id",
    "patient",
    "date",
    "status",
    "category",
    "authoredon",
    "effective-time",
    "collected",
}
FHIR_JSON = "application/fhir+json"


class RefusedError(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


Step = Callable[["Handler"], bool]
"""Answers a request in its own way; False lets the server answer."""


@dataclass
class FhirServer:
    """`now` is the server's clock, which only a test moves; `faults` answer the next requests whose path they name."""

    now: datetime = START
    resources: dict[tuple[str, str], Json] = field(default_factory=dict)
    deleted: set[tuple[str, str]] = field(default_factory=set)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    faults: list[tuple[str, Step]] = field(default_factory=list)
    routes: list[tuple[str, Step]] = field(default_factory=list)
    """As `faults`, of every request whose path they name."""
    authorized: Callable[[str], bool] = lambda _header: True
    token: Callable[[dict[str, str], dict[str, str]], tuple[int, Json]] | None = None
    ignores: frozenset[str] = frozenset()
    by_place: bool = False
    """Its pages are what is found when they are asked for, from an `_offset` on; else what was found at the first."""
    caps: dict[str, int] = field(default_factory=dict)
    """Entries of a page by kind, however many were asked for."""
    wants_patient: bool = False
    version: str = "1.0"
    outcome: Json | None = None
    """An OperationOutcome that stands in every page."""
    url: str = ""
    _pages: dict[str, tuple[list[Json], int]] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return self.url + BASE

    def put(self, resource: Json, **meta: Any) -> Json:
        """Stored as its server would: a new version at the server's time."""
        name = (resource["resourceType"], resource["id"])
        before = self.resources.get(name, {}).get("meta", {}).get("versionId", "0")
        said = {"versionId": str(int(before) + 1), "lastUpdated": self.now.isoformat(timespec="milliseconds")} | meta
        kept = resource | {"meta": {k: v for k, v in said.items() if v is not None}}
        self.resources[name] = kept
        self.deleted.discard(name)
        return kept

    def delete(self, kind: str, identity: str) -> None:
        del self.resources[kind, identity]
        self.deleted.add((kind, identity))

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def forget_pages(self) -> None:
        self._pages.clear()

    def paths(self) -> list[str]:
        return [path for _, path, _ in self.seen]

    def searches(self, kind: str) -> list[dict[str, str]]:
        return [
            dict(parse_qsl(urlsplit(path).query)) for path in self.paths() if urlsplit(path).path == f"{BASE}/{kind}"
        ]

    # --- answers ---------------------------------------------------------------------------------------------------

    def answer(self, path: str, query: str) -> Json:
        given = dict(parse_qsl(query, keep_blank_values=True))
        parts = [part for part in path.removeprefix(BASE).split("/") if part]
        if parts == ["metadata"]:
            return {
                "resourceType": "CapabilityStatement",
                "fhirVersion": "4.0.1",
                "software": {"name": "Strict", "version": self.version},
            }
        if not parts:
            return self._page(given.get("_getpages", ""))
        if len(parts) == 2:
            return self._one(parts[0], parts[1])
        return self._found(parts[0], given)

    def _one(self, kind: str, identity: str) -> Json:
        if (kind, identity) not in self.resources:
            raise RefusedError(410 if (kind, identity) in self.deleted else 404, "not-found")
        return self.resources[kind, identity]

    def _found(self, kind: str, given: dict[str, str]) -> Json:
        if given.keys() - KNOWN:
            raise RefusedError(400, "not-supported")
        if self.wants_patient and not given.keys() & {"patient", "_id"} and given.get("status") is None:
            raise RefusedError(400, "required")
        found = [one for (of, _), one in self.resources.items() if of == kind and self._matches(one, given)]
        if given.get("_sort") == "_lastUpdated":
            found.sort(key=lambda one: (one["meta"].get("lastUpdated", ""), one["id"]))
        key, size = f"p{len(self._pages)}-{len(self.seen)}", int(given.get("_count", "10"))
        size = min(size, self.caps.get(kind, size))
        if self.by_place:
            begin = int(given.get("_offset", "0"))
            link = f"{self.base}/{kind}?{urlencode(given | {'_offset': str(begin + size)})}"
            return self._bundle(key, found[begin : begin + size], link if begin + size < len(found) else "")
        self._pages[key] = (found, size)
        return self._page(f"{key}.0")

    def _matches(self, one: Json, given: dict[str, str]) -> bool:
        if "_id" in given and one["id"] not in given["_id"].split(","):
            return False
        if "patient" in given and one.get("subject", {}).get("reference") != f"Patient/{given['patient']}":
            return False
        if "status" in given and one.get("status") not in given["status"].split(","):
            return False
        if "_lastUpdated" not in given or "_lastUpdated" in self.ignores:
            return True
        assert given["_lastUpdated"].startswith("ge")
        since = datetime.fromisoformat(given["_lastUpdated"][2:])
        return datetime.fromisoformat(one["meta"].get("lastUpdated", "9999-01-01T00:00:00Z")) >= since

    def _page(self, token: str) -> Json:
        key, _, at = token.partition(".")
        if key not in self._pages:
            raise RefusedError(410, "not-found")
        found, size = self._pages[key]
        begin = int(at)
        link = f"{self.base}?_getpages={key}.{begin + size}" if begin + size < len(found) else ""
        return self._bundle(f"{key}-{begin}", found[begin : begin + size], link)

    def _bundle(self, identity: str, found: list[Json], link: str) -> Json:
        links = [{"relation": "self", "url": f"{self.base}?_getpages={identity}"}]
        if link:
            links.append({"relation": "next", "url": link})
        entries: list[Json] = [
            {"fullUrl": f"{self.base}/{one['resourceType']}/{one['id']}", "resource": one, "search": {"mode": "match"}}
            for one in found
        ]
        if self.outcome is not None:
            entries.append({"resource": self.outcome, "search": {"mode": "outcome"}})
        meta = {"lastUpdated": self.now.isoformat(timespec="milliseconds")}
        page: Json = {
            "resourceType": "Bundle",
            "id": identity,
            "meta": meta,
            "type": "searchset",
            "link": links,
        }
        return page | ({"entry": entries} if entries else {})


class _Listening(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, server: FhirServer) -> None:
        self.fhir = server
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: _Listening
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — the base class's word
        """Silent."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(self.server.fhir.now, usegmt=True)

    def do_GET(self) -> None:
        fhir = self.server.fhir
        fhir.seen.append(("GET", self.path, dict(self.headers)))
        for number, (where, step) in enumerate(fhir.faults):
            if where in self.path:
                del fhir.faults[number]
                if step(self):
                    return
                break
        if any(where in self.path and step(self) for where, step in fhir.routes):
            return
        if not fhir.authorized(self.headers.get("Authorization", "")):
            self.outcome(401, "login")
            return
        if FHIR_JSON not in self.headers.get("Accept", ""):
            self.outcome(406, "not-supported")
            return
        parts = urlsplit(self.path)
        try:
            self.say(200, fhir.answer(parts.path, parts.query))
        except RefusedError as error:
            self.outcome(error.status, error.code)

    def do_POST(self) -> None:
        fhir = self.server.fhir
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fhir.seen.append(("POST", self.path, dict(self.headers)))
        assert fhir.token is not None
        status, said = fhir.token(dict(parse_qsl(body.decode())), dict(self.headers))
        self.say(status, said, kind="application/json")

    def do_DELETE(self) -> None:
        self.server.fhir.seen.append(("DELETE", self.path, dict(self.headers)))
        self.send(202, b"", {})

    def outcome(self, status: int, code: str) -> None:
        self.say(
            status,
            {
                "resourceType": "OperationOutcome",
                "issue": [{"severity": "error", "code": code, "diagnostics": "Piet Jansen"}],
            },
        )

    def say(self, status: int, body: Json, *, kind: str = f"{FHIR_JSON};charset=UTF-8") -> None:
        self.send(status, json.dumps(body).encode(), {"Content-Type": kind})

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        if "gzip" in self.headers.get("Accept-Encoding", "") and len(body) > 4000 and "Content-Encoding" not in headers:
            body, headers = gzip.compress(body, 1), headers | {"Content-Encoding": "gzip"}
        self.send_response(status)
        if self.close_connection:
            headers = headers | {"Connection": "close"}
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


# --- faults ----------------------------------------------------------------------------------------------------------


def says(status: int = 200, body: bytes | Json = b"", **headers: str) -> Step:
    def step(handler: Handler) -> bool:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {} if "Content_Type" in headers or not data else {"Content-Type": FHIR_JSON}
        handler.close_connection = True
        handler.send(status, data, kind | {name.replace("_", "-"): value for name, value in headers.items()})
        return True

    return step


def drops(handler: Handler) -> bool:
    handler.close_connection = True
    return True


def cut(body: bytes, promised: int) -> Step:
    """Fewer bytes than Content-Length says."""

    def step(handler: Handler) -> bool:
        handler.close_connection = True
        handler.send(200, body, {"Content-Type": FHIR_JSON, "Content-Length": str(promised)})
        return True

    return step


def drips(seconds: float) -> Step:
    """A byte at a time."""

    def step(handler: Handler) -> bool:
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("Content-Type", FHIR_JSON)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        end = time.monotonic() + seconds
        with contextlib.suppress(OSError):
            while time.monotonic() < end:
                handler.wfile.write(b" ")
                handler.wfile.flush()
                time.sleep(0.02)
        return True

    return step


def first(act: Callable[[], object]) -> Step:
    """Something happens on the server, then it answers."""

    def step(_handler: Handler) -> bool:
        act()
        return False

    return step


@contextlib.contextmanager
def running(server: FhirServer | None = None, tls: ssl.SSLContext | None = None) -> Iterator[FhirServer]:
    made = server or FhirServer()
    listening = _Listening(made)
    made.url = f"http://127.0.0.1:{listening.server_address[1]}"
    if tls is not None:
        listening.socket = tls.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
        made.url = f"https://localhost:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield made
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def observation(identity: str, value: str = "98", patient: str = "p1", **more: Any) -> Json:
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "777-3"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-01-02T03:04:00Z",
        "valueQuantity": {
            "value": float(value),
            "unit": "10*3/uL",
            "system": "http://unitsofmeasure.org",
            "code": "10*3/uL",
        },
    } | more


def patient(identity: str = "p1", number: str = "100") -> Json:
    return {
        "resourceType": "Patient",
        "id": identity,
        "identifier": [{"system": "urn:oid:1.2.3", "value": number, "type": {"coding": [{"code": "MR"}]}}],
        "name": [{"family": "Jansen", "given": ["Piet"]}],
    }
