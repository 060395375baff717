"""Asks a FHIR server: one request at a time, credentials to its own address alone, every answer suspected."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from urllib.parse import urlencode

import requests

from adapter.errors import UnavailableError
from adapter.fhir.search import Parameters
from adapter.pipeline.authorize import Authorization, TokenError
from adapter.pipeline.exchange import (
    PAUSE,
    Answer,
    Json,
    Limits,
    NoAnswerError,
    exchange,
    outcome_codes,
    read_json,
    streamed,
)
from adapter.pipeline.moments import server_time
from adapter.pipeline.origin import Origin
from adapter.pipeline.retry import retry_after
from adapter.ports import Clock

FHIR_JSON = "application/fhir+json"
JSON_TYPES = frozenset({FHIR_JSON, "application/json"})
LARGEST = 32 * 1024 * 1024
"""Bytes of a page once it is unpacked (bad-input F16)."""
LONGEST = 200
OK, ACCEPTED, REDIRECT, UNAUTHORIZED, FAULT = 200, 202, range(300, 400), 401, 500
NDJSON = "application/fhir+ndjson"
ABSENT = frozenset({404, 410})

KINDS = {401: "auth", 403: "forbidden", 404: "gone", 410: "gone", 429: "busy"}
EVERYTHING = frozenset({"auth", "busy", "redirect", "token", "tls", "timeout", "connection", "hung", "down", "group"})
"""What is wrong with the server or with us; anything else is wrong with one search, and the others go on."""
PATIENT = frozenset({"auth", "forbidden", "gone", "refused", "redirect"})
"""What a person must mend: asked again slowly."""


class PollError(UnavailableError):
    """A search did not come through; `kind` is one of our own words for why."""

    def __init__(self, kind: str, text: str, *, retry_after: float | None = None) -> None:
        super().__init__(text, retry_after=retry_after)
        self.kind = kind

    @property
    def everything(self) -> bool:
        return self.kind in EVERYTHING


@dataclass(frozen=True, slots=True)
class Got:
    """A body, and what time it was there; None where the server does not say."""

    body: bytes = field(repr=False)
    at: datetime | None


class FhirClient:
    """For one thread. `since` tells how long the request in hand has taken."""

    def __init__(
        self, origin: Origin, authorization: Authorization, peer: requests.Session, clock: Clock, limits: Limits
    ) -> None:
        self._origin, self._authorization, self._peer = origin, authorization, peer
        self._clock, self._limits = clock, limits
        self._busy: float | None = None

    @property
    def base(self) -> str:
        return self._origin.base

    def since(self) -> float:
        busy = self._busy
        return 0.0 if busy is None else monotonic() - busy

    def search(self, kind: str, parameters: Parameters) -> Got:
        """Raises PollError."""
        return self.follow(f"{self.base}/{kind}?{urlencode(parameters, safe=',:')}")

    def follow(self, url: str) -> Got:
        """A link as the server wrote it. Raises PollError."""
        if not self._origin.holds(url):
            raise PollError("origin", "a link leads to another address — not followed; look at the server's base URL")
        answer = self._asked(url)
        self._refuse(answer)
        return Got(answer.body, server_time(answer.headers))

    def read(self, kind: str, identity: str) -> Got | None:
        """A resource by its id; None when the server has it no more (bad-input F12). Raises PollError."""
        answer = self._asked(f"{self.base}/{kind}/{identity}")
        if answer.status in ABSENT:
            return None
        self._refuse(answer)
        return Got(answer.body, server_time(answer.headers))

    def started(self, url: str) -> str:
        """Asks for an export; where the server says how far it is. Raises PollError."""
        answer = self._asked(url, {"Prefer": "respond-async"})
        location = answer.headers.get("Content-Location", "")
        if answer.status != ACCEPTED:
            self._refuse(answer)
            raise PollError("refused", "the server gives no export at this address — leave backfill out")
        if not self._origin.holds(location):
            raise PollError("origin", "the export's status lies at another address — not followed; look at base")
        return location

    def progress(self, url: str) -> Json | None:
        """The manifest of a finished export; None while the server is at it. Raises PollError."""
        answer = self._asked(url)
        if answer.status == ACCEPTED:
            return None
        self._refuse(answer)
        return read_json(answer)

    def lines(self, url: str) -> Iterator[bytes]:
        """Of an NDJSON file, one after the other, however long the file. Raises PollError."""
        if not self._origin.holds(url):
            raise PollError("origin", "a file of the export lies at another address — not followed; look at base")
        try:
            yield from self._lines(url, renewable=True)
        except NoAnswerError as error:
            raise PollError(error.kind, str(error)) from None
        except TokenError as error:
            raise PollError("token", str(error), retry_after=error.retry_after) from None
        finally:
            self._busy = None

    def _lines(self, url: str, *, renewable: bool) -> Iterator[bytes]:
        """The time of whoever takes the lines is not the server's."""
        request = requests.Request("GET", url, headers=self._headers({"Accept": NDJSON}))
        self._busy = monotonic()
        with streamed(self._peer, request, self._limits) as (answer, found):
            if answer.status == OK:
                while (line := next(found, None)) is not None:
                    self._busy = None
                    yield line
                    self._busy = monotonic()
                return
        if answer.status == UNAUTHORIZED and renewable and self._authorization.renew():
            yield from self._lines(url, renewable=False)
        else:
            self._refuse(answer)

    def ended(self, url: str) -> None:
        """The server may delete the export; whether it does is its own affair."""
        with suppress(NoAnswerError):
            exchange(self._peer, requests.Request("DELETE", url, headers=self._headers({})), self._limits)

    def capability(self) -> str:
        """FHIR version and software as the server's CapabilityStatement names them; empty where it says nothing. Raises PollError."""
        answer = self._asked(f"{self.base}/metadata")
        said = read_json(answer) if answer.status == OK else None
        if said is None or said.get("resourceType") != "CapabilityStatement":
            return ""
        software = said.get("software")
        software = software if isinstance(software, dict) else {}
        parts = (said.get("fhirVersion"), software.get("name"), software.get("version"))
        return plain(" ".join(str(part) for part in parts if part)[:LONGEST])

    def _asked(self, url: str, more: Mapping[str, str] | None = None) -> Answer:
        """With one new token where the old one was refused (bad-input F10)."""
        self._busy = monotonic()
        try:
            answer = self._sent(url, more or {})
            if answer.status == UNAUTHORIZED and self._authorization.renew():
                answer = self._sent(url, more or {})
        except NoAnswerError as error:
            raise PollError(error.kind, str(error)) from None
        except TokenError as error:
            raise PollError("token", str(error), retry_after=error.retry_after) from None
        finally:
            self._busy = None
        return answer

    def _sent(self, url: str, more: Mapping[str, str]) -> Answer:
        return exchange(self._peer, requests.Request("GET", url, headers=self._headers(more)), self._limits)

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        headers = {"Accept": FHIR_JSON, "Accept-Encoding": "gzip", **more}
        if said := self._authorization.header():
            headers["Authorization"] = said
        return headers

    def _refuse(self, answer: Answer) -> None:
        if answer.status == OK:
            _refuse_other_types(answer.headers.get("Content-Type", ""))
            return
        kind = kind_of(answer.status)
        codes = outcome_codes(read_json(answer))
        wish = retry_after(answer.headers.get("Retry-After"), self._clock())
        raise PollError(
            kind, f"HTTP {answer.status}{codes} — {ADVICE[kind]}", retry_after=PAUSE if kind in PATIENT else wish
        )


def plain(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)


def kind_of(status: int) -> str:
    if status in REDIRECT:
        return "redirect"
    return KINDS.get(status, "server" if status >= FAULT or status in (408, 425) else "refused")


ADVICE = {
    "auth": "check our credentials with the server's administrator",
    "forbidden": "ask the server's administrator for the right to read this type",
    "gone": "the server does not serve this search; leave its type out, or mend base",
    "busy": "asked again when it says",
    "redirect": "not followed; write the server's true address as base",
    "server": "asked again",
    "refused": "the server does not take this search; mend 'server' or 'search' of this source",
}


def _refuse_other_types(said: str) -> None:
    """A login page is no answer (bad-input F01), nor is XML (F25)."""
    kind, *rest = said.lower().split(";")
    given = dict(part.strip().partition("=")[::2] for part in rest)  # a server may tell its FHIR version there, too
    charset = given.get("charset", "").strip(' "') or "utf-8"
    if kind.strip() not in JSON_TYPES or charset not in ("utf-8", "utf8", "us-ascii"):
        raise PollError("content", "the answer is no FHIR JSON (a login page, or XML?) — look at the server's address")
