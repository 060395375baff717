"""HAPI FHIR's JPA server as a process of its own, and what a hospital or a person at the EDC does with it."""

import itertools
import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.jars import BRIEF, absent, fetched

Json = dict[str, Any]
HERE = Path(__file__).parent / "java"
REFERENCE = re.compile(r'"reference": "([A-Z]\w+)/')
FHIR_JSON = {"Accept": "application/fhir+json", "Content-Type": "application/fhir+json"}


class Hapi:
    """One process, with as many servers as are asked for: tenants, which see nothing of each other."""

    def __init__(self, folder: Path) -> None:
        jars = f"{fetched(HERE, 'fhir-server')}/*"
        compiled = ["javac", "-proc:none", "-d", str(folder), "-cp", jars, str(HERE / "FhirServer.java")]
        subprocess.run(compiled, check=True, timeout=120)
        command = ["java", *BRIEF, "-Xmx1g", "-cp", f"{folder}:{jars}", "FhirServer"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)

    def url(self) -> str:
        """Once it listens."""
        assert self._process.stdout is not None
        word, _, port = self._process.stdout.readline().decode().strip().partition(" ")
        assert word == "PORT", "HAPI FHIR did not start"
        return f"http://127.0.0.1:{port}/fhir"

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass
class Peer:
    """A base of the server. Ids and conditions of creates are one space over all of them, so `mark` tells them apart."""

    base: str
    mark: str
    peer: requests.Session = field(default_factory=requests.Session)

    def send(self, method: str, path: str, body: Json | None = None, **headers: str) -> requests.Response:
        """Below the base, or where a link leads."""
        url = path if path.startswith(self.base) else f"{self.base}/{path}"
        return self.peer.request(method, url, json=body, headers=FHIR_JSON | headers, timeout=30)

    def done(self, method: str, path: str, body: Json | None = None, **headers: str) -> Json:
        answer = self.send(method, path, body, **headers)
        assert answer.ok, answer.text
        found: Json = answer.json()
        return found

    def put(self, resource: Json, **headers: str) -> Json:
        return self.done("PUT", f"{resource['resourceType']}/{resource['id']}", resource, **headers)

    def delete(self, kind: str, identity: str) -> None:
        self.done("DELETE", f"{kind}/{identity}")

    def found(self, kind: str, query: str = "") -> list[Json]:
        """Page by page, asked past the cache of searches."""
        return [
            entry["resource"] for page in self._pages(f"{kind}?_count=500&{query}") for entry in page.get("entry", [])
        ]

    def _pages(self, asked: str) -> Iterator[Json]:
        while asked:
            page = self.done("GET", asked, **{"Cache-Control": "no-cache"})
            yield page
            links = {one["relation"]: one["url"] for one in page.get("link", [])}
            asked = links.get("next", "")

    def put_all(self, resources: Sequence[Json], at_once: int = 200) -> None:
        """In transactions, with ids and references of this server's own mark."""
        for start in range(0, len(resources), at_once):
            entries = [self._entry(one) for one in resources[start : start + at_once]]
            self.done("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})

    def _entry(self, resource: Json) -> Json:
        text = REFERENCE.sub(rf'"reference": "\1/{self.mark}-', json.dumps(resource))
        named = json.loads(text) | {"id": f"{self.mark}-{resource['id']}"}
        return {"resource": named, "request": {"method": "PUT", "url": f"{named['resourceType']}/{named['id']}"}}


@dataclass
class Servers:
    root: str
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def another(self, name: str) -> Peer:
        """An empty server."""
        number = next(self._numbers)
        mark = f"{name}{number}"
        given = [{"name": "id", "valueInteger": number}, {"name": "name", "valueCode": mark}]
        body = {"resourceType": "Parameters", "parameter": given}
        Peer(f"{self.root}/DEFAULT", "").done("POST", "$partition-management-create-partition", body)
        return Peer(f"{self.root}/{mark}", mark)


@pytest.fixture(scope="module")
def hapi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    if reason := absent():
        pytest.skip(reason)
    made = Hapi(tmp_path_factory.mktemp("hapi"))
    try:
        yield Servers(made.url())
    finally:
        made.end()
