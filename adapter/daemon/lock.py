"""One process writes the store: the lock file in the data folder (decisions F1)."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapter.errors import ConfigError, StorageFailedError, UnavailableError

PRIVATE = 0o700


def data_folder(path: Path) -> Path:
    """The folder, made for us alone where it is absent. Raises ConfigError where it cannot be used, StorageFailedError where
    its disk is the reason: that may mend itself, and the supervisor tries again.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EROFS}:
            raise StorageFailedError(
                f"{path}: cannot be made ({error.strerror}) — make room, or check the disk"
            ) from error
        raise ConfigError(f"{path}: cannot be made ({error.strerror}) — mend [adapter] data or its rights") from error
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        raise StorageFailedError(f"{path}: the disk is mounted read-only — check it, then mount it for writing")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigError(f"{path}: this user may not write there — mend [adapter] data or its rights")
    return path


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """While the block runs nobody else writes. Raises UnavailableError when another process does."""
    file = os.open(folder / "adapter.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnavailableError(f"{folder} is in use by another adapter process — stop that one first") from None
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(file)
