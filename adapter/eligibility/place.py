"""A place in a trial file: a value that knows its path, so that every mistake names file and line."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any

from adapter.domain.document import Document, Path
from adapter.errors import ConfigError

UNITS_OF_TIME = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
DURATION = re.compile(r"([0-9]{1,6}) ?(min|h|d)")


@dataclass(frozen=True, slots=True)
class Place:
    document: Document
    path: Path
    value: Any

    @property
    def name(self) -> str:
        return str(self.path[-1]) if self.path else "the file"

    def error(self, what: str, *, got: str = "", known: Iterable[str] = ()) -> ConfigError:
        return self.document.error(self.path, what, got=got, known=known)

    def only(self, known: Iterable[str]) -> "Place":
        """The mapping itself, once every key of it is a known one."""
        if not isinstance(self.value, dict):
            raise self.error(f"'{self.name}' must be a list of keys with values")
        words = tuple(known)
        for key in self.value:
            if key not in words:
                raise self.document.error((*self.path, key), f"unknown key '{key}'", got=str(key), known=words)
        return self

    def get(self, key: str) -> "Place | None":
        return Place(self.document, (*self.path, key), self.value[key]) if key in self.value else None

    def need(self, key: str) -> "Place":
        found = self.get(key)
        if found is None or found.value is None:
            raise self.error(f"the key '{key}' is missing here")
        return found

    def items(self) -> list["Place"]:
        if not isinstance(self.value, list):
            raise self.error(f"'{self.name}' must be a list (lines that begin with '-')")
        return [Place(self.document, (*self.path, index), value) for index, value in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.error(f"'{self.name}' must be text")
        return self.value.strip()

    def word(self, known: Iterable[str]) -> str:
        words = tuple(known)
        if self.value not in words:
            raise self.error(f"unknown {self.name} '{self.value}'", got=str(self.value), known=words)
        return str(self.value)

    def number(self) -> Fraction:
        """Exact: 0.4 is two fifths, not the nearest binary fraction."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.error(f"'{self.name}' must be a number")
        return Fraction(str(self.value))

    def duration(self) -> timedelta:
        found = DURATION.fullmatch(self.value) if isinstance(self.value, str) else None
        if found is None:
            raise self.error(f"'{self.name}' must be a duration such as '72 h', '14 d' or '30 min'")
        length = int(found[1]) * UNITS_OF_TIME[found[2]]
        if not length:
            raise self.error(f"'{self.name}' must be longer than nothing")
        return length


def text_or(place: Place, key: str, otherwise: str) -> str:
    found = place.get(key)
    return otherwise if found is None else found.text()
