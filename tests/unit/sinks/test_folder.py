"""Bundles written down."""

import asyncio
import stat
from pathlib import Path

import pytest

from adapter.domain.message import Delivery
from adapter.errors import RejectedError, UnavailableError
from adapter.sinks.folder import FolderSink

GIVEN = Delivery(1, "folder", "7Q2KX", "bundle", '{"a":"ü"}', "key-1")


def test_a_delivery_is_one_file_that_only_the_owner_reads(tmp_path: Path) -> None:
    for _ in range(2):
        assert asyncio.run(FolderSink(tmp_path / "out").deliver(GIVEN)) is None
    (written,) = (tmp_path / "out").iterdir()
    assert written.name == "key-1.json"
    assert written.read_text(encoding="utf-8") == GIVEN.payload
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(UnavailableError):
        asyncio.run(FolderSink(tmp_path / "out").deliver(GIVEN))


def test_a_key_never_leaves_the_folder(tmp_path: Path) -> None:
    with pytest.raises(RejectedError):
        asyncio.run(FolderSink(tmp_path).deliver(Delivery(1, "f", "s", "bundle", "{}", "../x")))
