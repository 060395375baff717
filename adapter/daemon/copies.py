"""A folder of backups: each a file and beside it its manifest; nothing under its name that is not whole."""

import contextlib
import fcntl
import hashlib
import itertools
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from adapter import flushed
from adapter.errors import ConfigError, UnavailableError
from adapter.store.audit import Head
from adapter.store.backup import BrokenOffError, Contents, Going, Reached
from adapter.store.codec import instant, moment
from adapter.store.disk import OTHERS, OWNER_ONLY

FORM = 1
"""Of the manifest."""
NAME = re.compile(r"adapter-\d{8}T\d{6}Z\.(db|dump)(\.age)?")
PART = re.compile(r"\.adapter-\d{8}T\d{6}Z\.(db|dump)(\.age)?(\.json)?\.part(-journal|-wal|-shm)?")
BLOCK = 1 << 20
MOST = 1 << 63
"""No number of a manifest is as great."""
DENSE = timedelta(days=2)
"""So long each is kept, then the last of each day (UTC): a copy an hour for five weeks would be eight hundred stores."""
LOOK = timedelta(days=1)
"""After a leap of time nothing goes by it for so long: a clock set far ahead would have all but the newest deleted."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What can be said of a backup without opening it; nothing of a patient. `key` tells which site key it belongs to."""

    made: datetime
    file: str
    bytes: int
    sha256: str
    encrypted: bool
    software: str
    key: str
    contents: Contents

    def as_json(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in ("file", "bytes", "sha256", "encrypted", "software", "key")}
        feeds = {
            name: {"last_message": one.message, "last_received": instant(one.received)}
            for name, one in self.contents.feeds.items()
        }
        chain = {"entries": self.contents.audit.seq, "hash": self.contents.audit.hash}
        schema, last = self.contents.schema, self.contents.last_message
        reach = {"schema": schema, "last_message": last, "feeds": feeds, "audit": chain}
        return {"form": FORM, "made": instant(self.made), **plain, **reach}


def read(file: Path) -> Manifest:
    """Of this backup. Raises ConfigError where there is none, or none that belongs to it."""
    beside = manifest_of(file)
    try:
        said = json.loads(beside.read_text(encoding="utf-8"))
        if said["form"] != FORM:
            raise ConfigError(f"{beside}: a manifest of a newer program — install that one")
        texts = {name: _text(said[name]) for name in ("file", "sha256", "software", "key")}
        made, size, sealed = _moment(said["made"]), _number(said["bytes"]), _truth(said["encrypted"])
        return Manifest(made=made, bytes=size, encrypted=sealed, contents=_contents(said), **texts)
    except FileNotFoundError:
        raise ConfigError(f"{beside} is not there — a backup is two files; bring both to one folder") from None
    except OSError as error:
        raise ConfigError(f"{beside}: cannot be read ({error.strerror}) — use an account that may") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ConfigError(f"{beside}: is no manifest of a backup — take another backup") from None


def _contents(said: dict[str, Any]) -> Contents:
    feeds = {
        _text(name): Reached(_number(one["last_message"]), _moment(one["last_received"]))
        for name, one in said["feeds"].items()
    }
    chain = said["audit"]
    return Contents(_text(said["schema"]), feeds, Head(_number(chain["entries"]), _text(chain["hash"])))


def _text(value: object) -> str:
    """What can be written down anywhere. Raises TypeError, ValueError, as those below."""
    if not isinstance(value, str):
        raise TypeError
    if not value.isprintable():
        raise ValueError
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    if not 0 <= value < MOST:
        raise ValueError
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _moment(value: object) -> datetime:
    at = moment(_text(value))
    if at.tzinfo is None:
        raise ValueError
    return at


def manifest_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def sha256(path: Path, going: Going = lambda: True) -> str:
    """Of a big file too. Raises BrokenOffError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            if not going():
                raise BrokenOffError("broken off")
    return digest.hexdigest()


def folder_of_copies(folder: Path) -> Path:
    """Made for this account alone where it is absent. Raises ConfigError where others can reach it, or we cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be made ({error.strerror}) — make it, owned by this account") from None
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigError(
            f"{folder}: this account may not write there — chown it, and let the service (ReadWritePaths)"
        )
    if folder.stat().st_mode & OTHERS:
        raise ConfigError(f"{folder} can be reached by others — chmod 700 {folder}")
    return folder


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One at a time works in it. Raises UnavailableError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not _is_ours(handle, folder):
            raise UnavailableError("another backup is being made just now, or tried — try again when that is done")
        yield
    finally:
        os.close(handle)


def _is_ours(handle: int, folder: Path) -> bool:
    """Locked, and still the folder of this name: who held it before may have taken it away."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(handle), folder.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def part_of(folder: Path, name: str) -> Path:
    """Where it is written until it is whole."""
    return folder / f".{name}.part"


def clear_parts(folder: Path) -> None:
    """What a killed process left half done. Under the folder's lock."""
    for path in folder.iterdir():
        if PART.fullmatch(path.name):
            path.unlink()


def publish(part: Path, manifest: Manifest) -> Path:
    """The manifest first: the file itself stands under its name only when all of it is there."""
    folder, text = part.parent, json.dumps(manifest.as_json(), indent=2, sort_keys=True) + "\n"
    file = folder / manifest.file
    written = part_of(folder, f"{manifest.file}.json")
    flushed.write(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), text.encode())
    flushed.flush_file(part)
    written.rename(manifest_of(file))
    part.rename(file)
    flushed.flush_folder(folder)
    return file


def listing(folder: Path, key: str) -> list[tuple[Path, Manifest]]:
    """Those of this store that have their manifest and their size, oldest first."""
    found = []
    for path in folder.iterdir():
        if NAME.fullmatch(path.name):
            with contextlib.suppress(ConfigError):
                manifest = read(path)
                if manifest.key == key and manifest.file == path.name and path.stat().st_size == manifest.bytes:
                    found.append((path, manifest))
    return sorted(found, key=lambda one: one[1].made)


def newest_in_clear(folder: Path, key: str) -> Path | None:
    """Also one that was cut off, or whose manifest is gone: whoever tries it finds that. None where there is none."""
    for path in sorted(folder.iterdir(), key=lambda one: one.name.partition(".")[0], reverse=True):
        if NAME.fullmatch(path.name) and not path.name.endswith(".age"):
            try:
                manifest = read(path)
            except ConfigError:
                return path
            if manifest.key == key and not manifest.encrypted:
                return path
    return None


def expire(folder: Path, key: str, keep: timedelta, now: datetime, every: timedelta) -> int:
    """Those past their time are deleted, and of days that are over all but the last; never the newest. How many went."""
    held = listing(folder, key)
    last_of_day = {manifest.made.date(): path for path, manifest in held}
    now = _believed([manifest.made for _, manifest in held], now, max(DENSE, 2 * every))
    gone = [
        path
        for path, manifest in held[:-1]
        if now - manifest.made > (keep if path == last_of_day[manifest.made.date()] else min(keep, DENSE))
    ]
    for path in gone:
        path.unlink()
        manifest_of(path).unlink()
    if gone:
        flushed.flush_folder(folder)
    return len(gone)


def _believed(made: list[datetime], now: datetime, leap: timedelta) -> datetime:
    """The time of before the leap, until backups of a day lie behind it: none was due meanwhile, or the clock was set."""
    for before, after in itertools.pairwise(made):
        if after - before > leap and made[-1] - after < LOOK:
            return min(now, before)
    return now
