"""A configured file as read, with the line of every key, so that a mistake can be named where it stands."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.errors import ConfigError

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """`data` is plain lists, dictionaries and scalars; `lines` maps a path of keys and indexes to its line (from 1)."""

    file: str
    data: Any
    lines: Mapping[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """The line of the path, or of its nearest parent that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def error(self, path: Path, what: str, *, got: str = "", known: Iterable[str] = ()) -> ConfigError:
        """`FILE:LINE: what — did you mean 'nearest'?`"""
        return ConfigError(f"{self.file}:{self.line(path)}: {what}{nearest(got, known)}")


def nearest(got: str, known: Iterable[str]) -> str:
    """The advice that follows a mistake: the nearest known word, or all of them where they are few."""
    words = sorted(known)
    close = difflib.get_close_matches(got, words, n=1, cutoff=0.5)
    if close:
        return f" — did you mean '{close[0]}'?"
    if words and len(words) <= 12:  # noqa: PLR2004 — as many as a line holds
        return f" — known: {', '.join(words)}"
    return ""
