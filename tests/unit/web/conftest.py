"""A real house for each test of the pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web_house import House, house


@pytest.fixture
def home(each_store: str, tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        yield made
