"""One nursery for all crash tests, and the data folder that its daemons begin with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.nursery import Nursery, Quick


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()


@pytest.fixture(scope="session")
def template(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With schema and key, after a first start and a stop in good order."""
    first = Quick(tmp_path_factory.mktemp("template") / "first", nursery, None)
    assert first.up(), first.log.read_text()
    assert first.stop() == 0
    return first.folder / "data"


@pytest.fixture
def place(nursery: Nursery, template: Path, tmp_path: Path) -> Iterator[Quick]:
    """One installation, of which no process is left."""
    made = Quick(tmp_path / "place", nursery, template)
    yield made
    made.end()
