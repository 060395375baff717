"""FHIR files put together by patient: Bulk Data writes a file for each type, and nobody in one says who the patient is."""

import re
from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Protocol

_REFERENCE = re.compile(rb'"reference"\s*:\s*"(?:[^"]*/)?([A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64})(?:/_history/[^"]*)?"')
_SUBJECT = re.compile(
    rb'"(?:subject|patient)"\s*:\s*\{[^{}]*?"reference"\s*:\s*"(?:[^"]*/)?(Patient/[A-Za-z0-9.-]{1,64})'
)
_TYPE = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]+)"')
_ID = re.compile(rb'"id"\s*:\s*"([A-Za-z0-9.-]{1,64})"')
_TIME = re.compile(rb'"([12][0-9]{3}-[01][0-9]-[0-3][0-9])(?:T[^"]*)?"')
BOM = b"\xef\xbb\xbf"
BLANK = b"\xef\xbb\xbf \t\r\n"
"""What may stand before the first byte that says anything."""
TOGETHER = 1000
"""Lines of nobody in one body."""
_BREAKS = bytes.maketrans(b"\r\n", b"  ")
BUNDLE = b"Bundle"


def is_json(data: bytes) -> bool:
    return data.lstrip(BLANK)[:1] == b"{"


def lines_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Those that hold anything; a piece ends where a line does."""
    for number, piece in enumerate(pieces):
        for line in (piece if number else piece.removeprefix(BOM)).splitlines():
            if line.strip():
                yield line


def stands_alone(line: bytes) -> bool:
    """Whether it looks like a whole object."""
    return line.lstrip()[:1] == b"{" and line.rstrip()[-1:] == b"}"


def lines_in(data: bytes) -> list[bytes]:
    """The resources of a file, each on a line of its own; of one that is written over many lines its one resource."""
    lines = list(lines_of([data]))
    if all(map(stands_alone, lines)):
        return lines
    return [data.removeprefix(BOM).translate(_BREAKS)]  # no string of JSON holds a raw line break


def is_bundle(line: bytes) -> bool:
    found = _TYPE.search(line)
    return found is not None and found[1] == BUNDLE


def latest_in(body: bytes) -> datetime | None:
    """The end of the last day that a resource speaks of: an archive may lie in any time."""
    days = [found[1].decode() for found in _TIME.finditer(body)]
    for day in sorted(set(days), reverse=True):
        try:
            return datetime.fromisoformat(f"{day}T23:59:59").replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


class Shelf(Protocol):
    """Where lines lie until their patient is complete; for a long archive that is no memory."""

    def put(self, text: bytes) -> int: ...

    def get(self, place: int) -> bytes: ...


class InMemory:
    """A shelf for what fits there."""

    def __init__(self) -> None:
        self._texts: list[bytes] = []

    def put(self, text: bytes) -> int:
        self._texts.append(text)
        return len(self._texts) - 1

    def get(self, place: int) -> bytes:
        return self._texts[place]


class Gathering:
    """Lines by the patient they speak of; what speaks of nobody (Medication, Location) goes to whoever refers to it."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        self._shelf = InMemory() if shelf is None else shelf
        self._of: dict[bytes, array[int]] = {}
        self._named: dict[bytes, int] = {}

    def put(self, line: bytes) -> None:
        subject, name, place = _SUBJECT.search(line), _name(line), self._shelf.put(line)
        if subject is None and not name.startswith(b"Patient/"):
            # One without type or id is nobody's target, and must not take the place of another.
            self._named[b"%b#%d" % (name, place) if name.startswith(b"/") or name.endswith(b"/") else name] = place
            return
        self._of.setdefault(name if subject is None else subject[1], array("Q")).append(place)

    def bodies(self) -> Iterator[bytes]:
        """NDJSON of each patient. What nobody refers to has bodies of its own, so that it is counted."""
        used: set[bytes] = set()
        for places in self._of.values():
            lines = self._all(places)
            wanted = {found[1] for line in lines for found in _REFERENCE.finditer(line)} & self._named.keys()
            used |= wanted
            yield b"\n".join([*lines, *self._all(self._named[name] for name in sorted(wanted))])
        rest = [place for name, place in self._named.items() if name not in used]
        for start in range(0, len(rest), TOGETHER):
            yield b"\n".join(self._all(rest[start : start + TOGETHER]))

    def _all(self, places: Iterable[int]) -> list[bytes]:
        return [self._shelf.get(place) for place in places]


def _name(line: bytes) -> bytes:
    """Type and id, as far as they can be told without reading the line: a resource's own id stands before what it holds."""
    kind, identity = _TYPE.search(line), _ID.search(line)
    return b"%b/%b" % (kind[1] if kind else b"", identity[1] if identity else b"")
