"""A store with the newest schema, one for each test; the schema is built once and copied."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.store.database import Database


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schema") / "adapter.db"
    made = Database.open(f"sqlite:///{path}")
    made.migrate()
    made.close()
    return path


@pytest.fixture
def database(empty_store: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(empty_store, tmp_path / "adapter.db")
    opened = Database.open(f"sqlite:///{tmp_path / 'adapter.db'}")
    yield opened
    opened.close()
