"""A store with the newest schema, one for each test and kind; the schema is built once and copied."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.store.database import Database
from tests import stores


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schema") / "adapter.db"
    made = Database.open(f"sqlite:///{path}")
    made.migrate()
    made.close()
    return path


@pytest.fixture
def database(each_store: str, empty_store: Path, tmp_path: Path) -> Iterator[Database]:
    if stores.on_sqlite():
        shutil.copy(empty_store, tmp_path / "adapter.db")
    opened = stores.opened(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def file(empty_store: Path, tmp_path: Path) -> Iterator[Database]:
    """The same, for what only SQLite does."""
    shutil.copy(empty_store, tmp_path / "adapter.db")
    opened = Database.open(f"sqlite:///{tmp_path / 'adapter.db'}")
    yield opened
    opened.close()
