"""The screening numbers beside the backups, as they are given: so that after a restore nobody is given a second one.

A number is drawn at random, so a store of an hour ago cannot find those of this hour again, and the EDC would be told of a
known subject as of a new one. Each row is sealed by the site key, as in the store.
"""

import json
import os
from pathlib import Path

from adapter import flushed
from adapter.daemon.site_key import label
from adapter.errors import ConfigError, UnavailableError
from adapter.store import screening_ids
from adapter.store.database import Snapshot
from adapter.store.screening_ids import Number

FORM = 1


def named(key: str) -> str:
    return f"screening-numbers-{key}.json"


class NumbersFile:
    """`keep` writes anew where something was added or changed since the last time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: int | None = None

    def keep(self, conn: Snapshot) -> None:
        """Raises UnavailableError."""
        numbers, key = screening_ids.listing(conn), label(conn)
        seen = hash(tuple(numbers))
        if not key or seen == self._written:
            return
        try:
            self._write(key, numbers)
        except OSError as error:
            raise UnavailableError(
                f"the screening numbers could not be kept ({error.strerror}) — look at {self._folder}"
            ) from error
        self._written = seen

    def _write(self, key: str, numbers: list[Number]) -> None:
        path = self._folder / named(key)
        part = path.with_name(f".{path.name}.part")
        rows = [[one.screening_id, one.trial, one.token.hex(), one.patient.hex()] for one in numbers]
        text = json.dumps({"form": FORM, "key": key, "numbers": rows})
        part.unlink(missing_ok=True)
        flushed.write(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), text.encode())
        part.replace(path)
        flushed.flush_folder(self._folder)


def read(key: str, *folders: Path) -> list[Number] | None:
    """Those of the store with this key, in the first folder that has any; None where none has. Raises ConfigError."""
    for folder in folders:
        found = _read(folder / named(key), key)
        if found is not None:
            return found
    return None


def _read(path: Path, key: str) -> list[Number] | None:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said["form"] != FORM or said["key"] != key:
            raise ConfigError(f"{path}: of another store or a newer program — take it away, or install that one")
        return [
            Number(one, trial, bytes.fromhex(token), bytes.fromhex(who)) for one, trial, token, who in said["numbers"]
        ]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{path}: cannot be read — take it away to restore without it") from None
