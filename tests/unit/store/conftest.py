"""A store with the newest schema, one for each test and kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.store.database import Database
from tests import stores


@pytest.fixture
def database(each_store: str, tmp_path: Path) -> Iterator[Database]:
    opened = stores.opened(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    """The same, for what only SQLite does."""
    opened = stores.opened(tmp_path)
    yield opened
    opened.close()
