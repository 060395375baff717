"""`[[source]] kind = "folder"`: where files are dropped, which are read, and what becomes of them."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from adapter.errors import ConfigError
from adapter.settings.polled import SHORTEST, Duration
from adapter.settings.values import Name, Section
from adapter.sources.drop import REFUSED, TAKEN


class FolderSource(Section):
    kind: Literal["folder"]
    name: Name
    site: str
    path: Path
    """Made by the operator, never by us: it may be a share that is not mounted."""
    every: Duration = timedelta(seconds=10)
    """Between two looks; a file is read when two of them found it alike."""
    pattern: str = Field(default="*", pattern=r"^[^/]+$")
    """Names to read, as a shell writes them: `*.hl7`. Case counts."""
    done: Literal["keep", "delete"] = "keep"
    """A file that was read is kept in `taken/`, or deleted."""
    silent_after: Duration = timedelta(hours=26)
    """So long without a message is an alarm, and the feed's light goes out: a nightly file, and two hours."""

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        if not path.is_absolute():
            raise ValueError("write the whole path, from /")
        return path

    @field_validator("every")
    @classmethod
    def _patient(cls, every: timedelta) -> timedelta:
        if every < SHORTEST:
            raise ValueError("every: at least 1 s, or a file is taken while its sender pauses")
        return every


def as_written(path: Path) -> Path:
    """No disk is asked: a share that hangs must not hang who reads the settings."""
    return Path(os.path.normpath(path.absolute()))


def refuse_shared(
    folders: Sequence[FolderSource],
    others: Iterable[tuple[str, Path]],
    where: Callable[[Path], Path],
) -> None:
    """Raises ConfigError where a folder is read twice, or holds or lies in one of the `others`."""
    known: dict[Path, str] = {}
    for source in folders:
        path = where(source.path)
        if path in known:
            raise ConfigError(f"sources '{known[path]}' and '{source.name}' read the same folder — give each its own")
        known[path] = source.name
    _refuse_inner(known)
    for name, place in others:
        other = where(place)
        for path, source_name in known.items():
            if path.is_relative_to(other) or other.is_relative_to(path):
                raise ConfigError(
                    f"source '{source_name}': {path} and {name} ({other}) lie in one another — "
                    "files there are moved or read, so give the source a folder of its own"
                )


def _refuse_inner(known: Mapping[Path, str]) -> None:
    """What one source has read is not for another to read again."""
    for path, name in known.items():
        for below in (path / TAKEN, path / REFUSED):
            if reader := next((reader for one, reader in known.items() if one.is_relative_to(below)), ""):
                raise ConfigError(
                    f"source '{reader}' reads {below}, where '{name}' keeps what it has read — give it a folder of its own"
                )
