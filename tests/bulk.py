"""Bulk Data of a strict FHIR server: the request, its status, the files."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from tests.fhir_server import FhirServer, Handler, Json

FILES = 2
"""Files of each type."""


@dataclass
class Bulk:
    """`waits` looks at the status find the server still at it; `requests` are the parameters of each export asked for."""

    fhir: FhirServer
    waits: int = 1
    errors: list[Json] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    spoiled: dict[str, bytes] = field(default_factory=dict)
    """File name → what stands in front of its first line."""

    def __post_init__(self) -> None:
        self.fhir.routes = [("$export", self._begin), ("/bulk/status", self._status), ("/bulk/file/", self._file)]

    def _begin(self, handler: Handler) -> bool:
        if handler.headers.get("Prefer") != "respond-async":
            handler.outcome(400, "required")
            return True
        self.requests.append({"": urlsplit(handler.path).path, **dict(parse_qsl(urlsplit(handler.path).query))})
        handler.send(202, b"", {"Content-Location": f"{self.fhir.base}/bulk/status/{len(self.requests)}"})
        return True

    def _status(self, handler: Handler) -> bool:
        if self.waits > 0:
            self.waits -= 1
            handler.send(202, b"", {"X-Progress": "at it", "Retry-After": "1"})
            return True
        kinds = self.requests[-1]["_type"].split(",")
        names = [(kind, f"{kind}-{n}") for kind in reversed(kinds) for n in range(FILES)]
        output = [{"type": kind, "url": f"{self.fhir.base}/bulk/file/{name}"} for kind, name in names]
        said = {"transactionTime": self.fhir.now.isoformat(), "requiresAccessToken": True, "output": output}
        handler.send(200, json.dumps(said | {"error": self.errors}).encode(), {"Content-Type": "application/json"})
        return True

    def _file(self, handler: Handler) -> bool:
        name = urlsplit(handler.path).path.rpartition("/")[2]
        kind, _, number = name.partition("-")
        since = datetime.fromisoformat(self.requests[-1]["_since"])
        told = [one for (of, _), one in sorted(self.fhir.resources.items()) if of == kind]
        found = [one for one in told if datetime.fromisoformat(one["meta"]["lastUpdated"]) >= since]
        lines = [json.dumps(one).encode() for one in found[int(number) :: FILES]]
        body = self.spoiled.get(name, b"") + b"\n".join(lines)
        handler.send(200, body, {"Content-Type": "application/fhir+ndjson"})
        return True
