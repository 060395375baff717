"""Typed reading of a configured file: every mistake is named where it stands."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any

from adapter.domain.document import Document, Path

DECIMAL = re.compile(r"-?\d+(\.\d+)?(/\d+(\.\d+)?)?", re.ASCII)
DURATION = re.compile(r"(\d+) ?(min|h|d)", re.ASCII)
SECONDS = {"min": 60, "h": 3600, "d": 86400}


def at(document: Document, path: Path) -> Any:
    """What stands at the path; `None` where nothing does."""
    here = document.data
    for step in path:
        if not isinstance(here, dict) or step not in here:
            return None
        here = here[step]
    return here


def table(document: Document, path: Path, known: Iterable[str] | None = None) -> dict[str, Any]:
    """The mapping at the path (empty if absent), its keys as text and, where `known` is given, all of them known."""
    here = at(document, path)
    if here is None:
        return {}
    if not isinstance(here, dict):
        raise document.error(path, f"'{place(path)}' must be a mapping of keys to values")
    allowed = None if known is None else frozenset(known)
    for key in here:
        if not isinstance(key, str):
            raise document.error((*path, key), f"the key {key!r} must be text — put it in quotes")
        if allowed is not None and key not in allowed:
            raise document.error((*path, key), f"unknown key '{key}'", got=key, known=allowed)
    return here


def text(document: Document, path: Path, default: str | None = None) -> str:
    """The text at the path; required unless a default is given."""
    here = at(document, path)
    if here is None and default is not None:
        return default
    if not isinstance(here, str | int | float) or isinstance(here, bool):
        raise document.error(
            path, f"'{place(path)}' must be text" if here is not None else f"'{place(path)}' is missing"
        )
    return str(here)


def choice(document: Document, path: Path, known: Iterable[str], default: str | None = None) -> str:
    """The text at the path, one of `known`."""
    allowed = tuple(known)
    word = text(document, path, default)
    if word not in allowed:
        raise document.error(path, f"'{place(path)}' cannot be '{word}'", got=word, known=allowed)
    return word


def flag(document: Document, path: Path) -> bool:
    """`true` or `false`; absent is false."""
    here = at(document, path)
    if here not in {None, True, False}:
        raise document.error(path, f"'{place(path)}' must be true or false")
    return here is True


def words(document: Document, path: Path, here: Any) -> tuple[str, ...]:
    """A list of texts (or one text alone)."""
    listed = here if isinstance(here, list) else [here]
    if here is None or not all(isinstance(one, str | int) and not isinstance(one, bool) for one in listed):
        raise document.error(path, f"'{place(path)}' must be a list of texts — put numbers and yes/no in quotes")
    return tuple(str(one) for one in listed)


def listed(document: Document, path: Path) -> tuple[str, ...]:
    """The list of texts at the path; empty if absent."""
    here = at(document, path)
    return () if here is None else words(document, path, here)


def number(document: Document, path: Path, here: Any) -> Fraction:
    """An exact number: `60`, `0.21`, `1/17.1`."""
    written = str(here)
    if isinstance(here, bool) or not DECIMAL.fullmatch(written):
        raise document.error(path, f"'{place(path)}' must be a number or a fraction such as 1/17.1")
    top, _, bottom = written.partition("/")
    divisor = Fraction(bottom or "1")
    if not divisor:
        raise document.error(path, f"'{place(path)}' divides by zero")
    return Fraction(top) / divisor


def numbers(document: Document, path: Path) -> Mapping[str, Fraction]:
    """A mapping of texts to exact numbers; empty if absent."""
    return {key: number(document, (*path, key), value) for key, value in table(document, path).items()}


def duration(document: Document, path: Path, default: timedelta) -> timedelta:
    """`2 h`, `90 min`, `1 d`."""
    here = at(document, path)
    if here is None:
        return default
    found = DURATION.fullmatch(str(here))
    if found is None:
        raise document.error(path, f"'{place(path)}' must be a duration such as '2 h' or '90 min'")
    return timedelta(seconds=int(found[1]) * SECONDS[found[2]])


def place(path: Path) -> str:
    return ".".join(str(step) for step in path)
