"""Files and names that are on the disk before anybody goes on."""

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def _as_it_is(handle: int) -> None:
    del handle


def give(target: int | Path, like: os.stat_result) -> None:
    """An open file, or a path, to whom another belongs; where we may not give it away, and only root may, it stays ours."""
    with suppress(PermissionError):
        os.chown(target, like.st_uid, like.st_gid)


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


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Written beside its place, for its owner alone, and there with all of it or not at all. Raises FileExistsError."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _name(part, path)
    finally:
        part.unlink(missing_ok=True)
    flush_folder(path.parent)


def _name(part: Path, path: Path) -> None:
    """Never over a file that is there. Raises FileExistsError."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links, such as that of a memory stick
        if path.exists():
            raise FileExistsError(errno.EEXIST, "File exists", str(path)) from None
        part.rename(path)


def flush_file(path: Path) -> None:
    """What others wrote into it is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
