"""Where lines of NDJSON lie meanwhile is on the store's disk: whether that has no room or fails is told apart from the file's own trouble."""

import errno
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from adapter.errors import ConfigError, StorageFailedError, UnavailableError
from adapter.fhir.gather import Shelf

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_BUSY = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""Of this machine at this moment, and not of the disk."""


@contextmanager
def on_the_data_disk(opening: Callable[[], AbstractContextManager[Shelf]]) -> Iterator[Shelf]:
    """Raises UnavailableError, StorageFailedError."""
    with ExitStack() as stack:
        try:
            shelf = stack.enter_context(opening())
        except OSError as error:
            raise _trouble(error) from error
        yield _Told(shelf)


class _Told:
    """A shelf whose errors are those of the data folder."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def put(self, text: bytes) -> int:
        try:
            return self._shelf.put(text)
        except ConfigError as error:
            raise _trouble(error.__cause__) from error

    def get(self, place: int) -> bytes:
        try:
            return self._shelf.get(place)
        except OSError as error:
            raise _trouble(error) from error


def _trouble(error: BaseException | None) -> UnavailableError:
    number = error.errno if isinstance(error, OSError) else None
    said = error.strerror if isinstance(error, OSError) else "unknown"
    if number in _FULL:
        return UnavailableError(f"the data folder has no room to sort a FHIR file ({said}) — make room")
    if number in _BUSY:
        return UnavailableError(f"a FHIR file cannot be sorted now ({said}) — it waits")
    return StorageFailedError(
        f"the disk of the data folder fails while a FHIR file is sorted ({said}) — look at the disk"
    )
