"""The screening numbers beside the backups, as they are given: so that after a restore nobody is given a second one.

A number is drawn at random, so a store of an hour ago cannot find those of this hour again, and the EDC would be told of a
known subject as of a new one. Each row is sealed by the site key, as in the store.

The store notes what it wrote there the last times. A file that says something else was written by a store that is lost, while
this one may be empty or old: what this one lacks is then set aside (`….before`), for a restore. Whatever the store itself wrote
it may take out again, so that an erased person's number goes.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from adapter import flushed, telemetry
from adapter.daemon.site_key import label
from adapter.errors import ConfigError, UnavailableError
from adapter.store import marks, screening_ids
from adapter.store.database import Database, Snapshot, Transaction
from adapter.store.disk import OWNER_ONLY
from adapter.store.locks import Lock, take
from adapter.store.screening_ids import Number

FORM = 1
LOCK = "screening-numbers.lock"
KEPT = "screening-numbers-kept"
"""The mark of what was written, for each folder."""
NOTED, SHORT = 16, 16
"""So many of the last are known again, by so many digits: folders of several hosts may be called alike, and each lags."""


def named(key: str) -> str:
    return f"screening-numbers-{key}.json"


def set_aside(key: str) -> str:
    """Holds what a store before this one had given."""
    return f"{named(key)}.before"


class NumbersFile:
    """`keep` writes anew where something was added or changed since the last time, or the file is gone. `notes`: the store may be written to."""

    def __init__(self, folder: Path, *, notes: bool = True) -> None:
        self._folder, self._notes = folder, notes
        self._written: int | None = None

    def keep(self, database: Database) -> str:
        """What was written, as `note` takes it; empty where nothing was. Raises ConfigError, UnavailableError."""
        key, numbers = _of(database)
        if self._written == hash(tuple(numbers)) and (self._folder / named(key)).exists():
            return ""
        try:
            with _locked(self._folder):
                return self._keep(database)
        except OSError as error:
            raise UnavailableError(
                f"the screening numbers could not be kept ({error.strerror}) — look at {self._folder}"
            ) from error

    def _keep(self, database: Database) -> str:
        key, numbers = _of(database)
        if not key:
            return ""
        digest = _digest(numbers)
        with database.read() as conn:
            noted = _noted(conn, self._folder)
        self._set_aside(key, numbers, noted)
        if self._notes and noted[-1:] != [
            digest
        ]:  # first: one that is killed here has noted too much, never too little
            with database.write() as tx:
                note(tx, self._folder, digest)
        _write(self._folder / named(key), key, numbers)
        self._written = hash(tuple(numbers))
        return digest

    def _set_aside(self, key: str, numbers: Sequence[Number], noted: Collection[str]) -> None:
        """What the file has that neither this store has nor took out itself; what it has again is set aside no more."""
        known, path = {one.screening_id for one in numbers}, self._folder / set_aside(key)
        held, before = _sound(self._folder / named(key), key), _sound(path, key)
        strange = held if _digest(held) not in noted else []
        lost = {one.screening_id: one for one in (*strange, *before) if one.screening_id not in known}
        if not lost:
            path.unlink(missing_ok=True)
        elif list(lost.values()) != before:
            telemetry.warn("screening numbers of another store set aside", file=path.name, count=len(lost))
            _write(path, key, list(lost.values()))


def read(key: str, *folders: Path) -> list[Number] | None:
    """Those of the store with this key, in the first folder that has any; None where nobody kept them. Raises ConfigError."""
    empty: list[Number] | None = None
    for folder in folders:
        there = [one for name in (set_aside(key), named(key)) if (one := _read(folder / name, key)) is not None]
        if any(there):
            return [number for one in there for number in one]
        empty = [] if there else empty
    return empty


def note(tx: Transaction, folder: Path, digest: str) -> None:
    """That this was written into this folder, or will be at once."""
    take(tx, Lock.TALLY)
    before = [one for one in _noted(tx, folder) if one != digest]
    marks.put(tx, f"{KEPT}:{folder}", " ".join([*before, digest][-NOTED:]))


def _noted(conn: Snapshot, folder: Path) -> list[str]:
    """The newest last."""
    return marks.said(conn, f"{KEPT}:{folder}").split()


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
    flushed.write(
        os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), text.encode(), _given_to(path.parent)
    )
    part.replace(path)
    flushed.flush_folder(path.parent)


def _rows(numbers: Sequence[Number]) -> list[list[str]]:
    return [[one.screening_id, one.trial, one.token.hex(), one.patient.hex()] for one in numbers]


def _digest(numbers: Sequence[Number]) -> str:
    return hashlib.sha256(json.dumps(_rows(numbers)).encode()).hexdigest()[:SHORT]


def _of(database: Database) -> tuple[str, list[Number]]:
    with database.read() as conn:
        return label(conn), screening_ids.listing(conn)


def _given_to(folder: Path) -> Callable[[int], None]:
    """A file that root makes there stays one that the daemon may read and write anew."""
    return lambda handle: flushed.give(handle, folder.stat())


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One at a time writes them: the daemon and `adapter backup` may meet. Not the folder's own lock, which a backup holds."""
    path = folder / LOCK
    with contextlib.suppress(FileExistsError):
        flushed.write(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), b"", _given_to(folder))
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # for as long as the other writes a file
        yield
    finally:
        os.close(handle)
