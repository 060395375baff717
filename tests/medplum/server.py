"""Medplum's FHIR router as a process of its own: a server that shares no line with HAPI."""

import itertools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import fetched
from tests.hapi.server import Peer
from tests.profiles.sushi import node_modules

PROGRAM = Path(__file__).parent / "node" / "server.mjs"
INSTALL = "needs Node and npm: apt-get install nodejs npm"


@dataclass
class Medplum:
    root: str
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def another(self, name: str, *, strict: bool = False) -> Peer:
        """An empty server; a strict one has transactions on."""
        mark = f"{'strict' if strict else ''}{name}{next(self._numbers)}"
        return Peer(f"{self.root}/{mark}", mark)


@pytest.fixture(scope="module")
def medplum() -> Iterator[Medplum]:
    if reason := fetched.absent(("node", "npm"), INSTALL):
        pytest.skip(reason)
    process = subprocess.Popen(["node", str(PROGRAM), str(node_modules())], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        word, _, port = process.stdout.readline().decode().strip().partition(" ")
        assert word == "PORT", "Medplum's router did not start"
        yield Medplum(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.communicate()
