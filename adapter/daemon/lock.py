"""One process writes the store: the lock file in the data folder (decisions F1)."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adapter.errors import ConfigError, UnavailableError

PRIVATE = 0o700


def data_folder(path: Path) -> Path:
    """The folder, made for us alone where it is absent. Raises ConfigError where it cannot be used."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be made ({error.strerror}) — mend [adapter] data or its rights") from error
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
