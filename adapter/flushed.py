"""Files and names that are on the disk before anybody goes on."""

import os
from collections.abc import Callable
from pathlib import Path


def _as_it_is(handle: int) -> None:
    del handle


def write(handle: int, data: bytes, dress: Callable[[int], None] = _as_it_is) -> None:
    """All of it into a file just opened, which is closed; `dress` gives it its mode or owner before the flush."""
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        dress(file.fileno())
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """The names of the files in it are on the disk too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_file(path: Path) -> None:
    """What others wrote into it is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
