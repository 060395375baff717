"""The screening numbers beside the backups, as they are given: so that after a restore nobody is given a second one.

A number is drawn at random, so a store of an hour ago cannot find those of this hour again, and the EDC would be told of a
known subject as of a new one. Each row is sealed by the site key, as in the store.

The store notes what it wrote there. A file that says something else was written by a store that is lost, while this one may
be empty or old: what this one lacks is then set aside (`….before`), for a restore. Whatever the store itself wrote it may take
out again, so that an erased person's number goes.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from adapter import flushed, telemetry
from adapter.daemon.site_key import label
from adapter.errors import ConfigError, UnavailableError
from adapter.store import marks, screening_ids
from adapter.store.database import Database
from adapter.store.disk import OWNER_ONLY
from adapter.store.screening_ids import Number

FORM = 1
LOCK = ".screening-numbers.lock"
KEPT = "screening-numbers-kept"
"""The mark of what was written last, for each folder."""


def named(key: str) -> str:
    return f"screening-numbers-{key}.json"


def set_aside(key: str) -> str:
    """Holds what a store before this one had given."""
    return f"{named(key)}.before"


class NumbersFile:
    """`keep` writes anew where something was added or changed since the last time. `notes`: the store may be written to."""

    def __init__(self, folder: Path, *, notes: bool = True) -> None:
        self._folder, self._notes = folder, notes
        self._mark = f"{KEPT}:{folder}"
        self._written: int | None = None

    def keep(self, database: Database) -> None:
        """Raises ConfigError, UnavailableError."""
        if self._written == hash(tuple(_of(database)[1])):
            return
        try:
            with _locked(self._folder):
                self._keep(database)
        except OSError as error:
            raise UnavailableError(
                f"the screening numbers could not be kept ({error.strerror}) — look at {self._folder}"
            ) from error

    def _keep(self, database: Database) -> None:
        key, numbers = _of(database)
        if not key:
            return
        with database.read() as conn:
            noted = marks.said(conn, self._mark)
        self._set_aside(key, numbers, noted)
        _write(self._folder / named(key), key, numbers)
        if self._notes and noted != _digest(numbers):
            with database.write() as tx:
                marks.put(tx, self._mark, _digest(numbers))
        self._written = hash(tuple(numbers))

    def _set_aside(self, key: str, numbers: Sequence[Number], noted: str) -> None:
        """What the file has that neither this store has nor took out itself; what it has again is set aside no more."""
        known, path = {one.screening_id for one in numbers}, self._folder / set_aside(key)
        held, before = _sound(self._folder / named(key), key), _sound(path, key)
        strange = held if _digest(held) != noted else []
        lost = {one.screening_id: one for one in (*strange, *before) if one.screening_id not in known}
        if not lost:
            path.unlink(missing_ok=True)
        elif list(lost.values()) != before:
            telemetry.warn("screening numbers of another store set aside", file=path.name, count=len(lost))
            _write(path, key, list(lost.values()))


def read(key: str, *folders: Path) -> list[Number] | None:
    """Those of the store with this key, in the first folder that has any; None where none has. Raises ConfigError."""
    for folder in folders:
        found = [_read(folder / name, key) for name in (set_aside(key), named(key))]
        if any(one is not None for one in found):
            return [number for one in found for number in one or ()]
    return None


def _read(path: Path, key: str) -> list[Number] | None:
    try:
        return _held(path, key)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}) — mend that, or take [backup] out to restore without it"
        ) from None
    except ValueError:
        raise ConfigError(f"{path}: cannot be read — take it away to restore without it") from None


def _sound(path: Path, key: str) -> list[Number]:
    """For whoever writes it anew: one that is damaged is kept under another name. Raises OSError, ConfigError."""
    try:
        return _held(path, key)
    except FileNotFoundError:
        return []
    except ValueError:
        telemetry.warn("screening numbers unreadable", file=path.name, text="kept as .damaged, and written anew")
        path.replace(path.with_name(f"{path.name}.damaged"))
        return []


def _held(path: Path, key: str) -> list[Number]:
    """Raises OSError, ValueError where it is damaged, ConfigError where it is not ours to read."""
    said = json.loads(path.read_text(encoding="utf-8"))
    try:
        if said["form"] != FORM or said["key"] != key:
            raise ConfigError(f"{path}: of another store or a newer program — take it away, or install that one")
        return [
            Number(one, trial, bytes.fromhex(token), bytes.fromhex(who)) for one, trial, token, who in said["numbers"]
        ]
    except (KeyError, TypeError):
        raise ValueError from None


def _write(path: Path, key: str, numbers: Sequence[Number]) -> None:
    part = path.with_name(f".{path.name}.part")
    text = json.dumps({"form": FORM, "key": key, "numbers": _rows(numbers)})
    part.unlink(missing_ok=True)
    flushed.write(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), text.encode())
    part.replace(path)
    flushed.flush_folder(path.parent)


def _rows(numbers: Sequence[Number]) -> list[list[str]]:
    return [[one.screening_id, one.trial, one.token.hex(), one.patient.hex()] for one in numbers]


def _digest(numbers: Sequence[Number]) -> str:
    return hashlib.sha256(json.dumps(_rows(numbers)).encode()).hexdigest()


def _of(database: Database) -> tuple[str, list[Number]]:
    with database.read() as conn:
        return label(conn), screening_ids.listing(conn)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One at a time writes them: the daemon and `adapter backup` may meet. Not the folder's own lock, which a backup holds."""
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # for as long as the other writes a file
        yield
    finally:
        os.close(handle)
