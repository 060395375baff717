"""A folder that others drop files into: what lies there, what is complete, and where it goes when it has been read.

Names of files may hold names of patients: no error, log line or file of ours repeats one but the file's own.
"""

import errno
import io
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from heapq import nsmallest
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING

from adapter import flushed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TAKEN, REFUSED = "taken", "refused"
UNFINISHED = (".tmp", ".part", ".filepart")
"""Endings that file writers and SFTP clients give a file until it is whole."""
MOST = 1000
"""Files of one look, the oldest: a folder with millions is worked off all the same."""
MOST_STUCK = 10 * MOST
"""That many files which cannot be read or moved stand in no other's way; more take turns with them."""
PRIVATE = 0o700
REASON = ".reason.txt"
_LONGEST_STEM, _LONGEST_END = 180, 20
_KINDS = ((stat.S_ISDIR, "folder"), (stat.S_ISLNK, "symlink"), (stat.S_ISFIFO, "fifo"), (stat.S_ISSOCK, "socket"))
_UNFLUSHED = frozenset({errno.EINVAL, errno.ENOTSUP})
"""What some network file systems say of a folder's flush."""


class ChangedError(Exception):
    """Somebody still writes it, or it is another file by now."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as a look found it; the same in two looks: complete. `number` (its inode) names it in logs."""

    changed: int
    name: str = field(repr=False)
    number: int
    size: int
    device: int

    @property
    def alone(self) -> str:
        return str(self.number)


@dataclass(frozen=True, slots=True)
class Look:
    """`files` are the oldest, in order; `waiting` how many there are, `left` what is no file for us, by kind."""

    files: tuple[Seen, ...]
    waiting: int
    left: Counter[str]


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """A handle by which every name is looked up, whatever happens to the path. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)


def look(folder: int, pattern: str, most: int = MOST) -> Look:
    """The oldest, `most` of them. Raises OSError."""
    left: Counter[str] = Counter()
    found = 0

    def files() -> Iterator[Seen]:
        nonlocal found
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name in {TAKEN, REFUSED}:
                    continue
                with suppress(FileNotFoundError):
                    one = entry.stat(follow_symlinks=False)
                    if kind := _left(entry.name, one, pattern):
                        left[kind] += 1
                        continue
                    found += 1
                    yield _seen(entry.name, one)

    oldest = nsmallest(most, files(), key=lambda one: (one.changed, one.name))
    return Look(tuple(oldest), found, left)


def _left(name: str, one: os.stat_result, pattern: str) -> str:
    """Why it is left where it lies; empty for a file that is to be read."""
    if not stat.S_ISREG(one.st_mode):
        return next((kind for is_one, kind in _KINDS if is_one(one.st_mode)), "device")
    if name.startswith(".") or name.lower().endswith(UNFINISHED):
        return "unfinished"
    if not fnmatchcase(name, pattern):
        return "other-name"
    return "" if one.st_size else "empty"  # its writer may only have begun


def _seen(name: str, one: os.stat_result) -> Seen:
    return Seen(one.st_mtime_ns, name, one.st_ino, one.st_size, one.st_dev)


class _Heard(io.FileIO):
    """A file of which each piece read is heard of."""

    def __init__(self, handle: int, hear: Callable[[], None]) -> None:
        super().__init__(handle)
        self._hear = hear

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        self._hear()
        return super().readinto(buffer)


@contextmanager
def reading(folder: int, seen: Seen, hear: Callable[[], None] = lambda: None) -> Iterator[IO[bytes]]:
    """The file that was seen and no other: no link is followed, no pipe waited for. Raises OSError, ChangedError.

    `hear` is called at each piece, however much is skipped or sorted before anything comes of it; it may raise.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    with io.BufferedReader(_Heard(os.open(seen.name, flags, dir_fd=folder), hear)) as file:
        unchanged(file, seen)
        yield file


def unchanged(file: IO[bytes], seen: Seen) -> None:
    """Raises ChangedError."""
    if _seen(seen.name, os.fstat(file.fileno())) != seen:
        raise ChangedError


def put_away(folder: int, seen: Seen, where: str, reason: str = "") -> str:
    """Its name there. Renamed into the folder below, and on the disk there; with `reason`, told in a file beside it. Raises OSError,
    ChangedError.
    """
    with suppress(FileExistsError):
        os.mkdir(where, PRIVATE, dir_fd=folder)
    with below(folder, where) as target:
        name = _free(target, seen)
        _still_there(folder, seen)
        with _told(target, name + REASON, reason):
            os.rename(seen.name, name, src_dir_fd=folder, dst_dir_fd=target)
        for handle in (target, folder):
            _flush(handle)
    return name


def bring_back(folder: int, where: int, name: str, seen: Seen) -> None:
    """To where its writer put it, to be read again; never over another file of that name. Raises OSError."""
    try:
        os.link(name, seen.name, src_dir_fd=where, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError as error:  # a file system that has no links, or none to the file of another
        if _is_there(folder, seen.name):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
        os.rename(name, seen.name, src_dir_fd=where, dst_dir_fd=folder)
    else:
        with suppress(OSError):
            os.unlink(name, dir_fd=where)  # else a copy of it stays there
    for handle in (folder, where):
        _flush(handle)


@contextmanager
def below(folder: int, where: str) -> Iterator[int]:
    """A handle of the folder of that name in it, and of no link. Raises OSError."""
    handle = os.open(where, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def _told(target: int, name: str, reason: str) -> Iterator[None]:
    """On the disk before the file is there, and gone again where it did not come. Raises OSError."""
    if not reason:
        yield
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(name, flags, 0o600, dir_fd=target)
    try:
        flushed.write(handle, reason.encode())
        yield
    except OSError:
        with suppress(OSError):
            os.unlink(name, dir_fd=target)
        raise


def delete(folder: int, seen: Seen) -> None:
    """Raises OSError, ChangedError."""
    _still_there(folder, seen)
    os.unlink(seen.name, dir_fd=folder)
    _flush(folder)


def _still_there(folder: int, seen: Seen) -> None:
    if stands(folder, seen.name, seen) != seen:
        raise ChangedError


def stands(folder: int, name: str, seen: Seen) -> Seen:
    """As what `seen` was before it had this name. Raises OSError."""
    return _seen(seen.name, os.stat(name, dir_fd=folder, follow_symlinks=False))


def _free(target: int, seen: Seen) -> str:
    """Its own name, or one like it where that is taken or leaves no room for the reason's."""
    stem, dot, end = os.fsencode(seen.name).rpartition(b".")
    if not dot or len(end) > _LONGEST_END:
        stem, dot, end = os.fsencode(seen.name), b"", b""
    if len(stem) <= _LONGEST_STEM and not _taken(target, seen.name):
        return seen.name
    for number in count(seen.changed):
        name = os.fsdecode(b"%b~%d%b%b" % (stem[:_LONGEST_STEM], number, dot, end))
        if not _taken(target, name):
            return name
    raise AssertionError("numbers do not end")


def _taken(target: int, name: str) -> bool:
    return _is_there(target, name) or _is_there(target, name + REASON)


def _is_there(folder: int, name: str) -> bool:
    with suppress(FileNotFoundError):
        os.stat(name, dir_fd=folder, follow_symlinks=False)
        return True
    return False


def _flush(handle: int) -> None:
    """A name that comes back after a power cut is read again, and found known: no reason to stop."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _UNFLUSHED:
            raise


def refused(folder: int) -> bool:
    """Whether something lies there that a person has to look at. Raises OSError."""
    try:
        with below(folder, REFUSED) as handle, os.scandir(handle) as entries:
            return any(True for _ in entries)
    except (FileNotFoundError, NotADirectoryError):  # what lies in its place is told of each file that cannot be moved
        return False
