"""An archive put aside on the disk while it is sorted: what lies here is found again by its place, and goes with the process."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from adapter.domain.message import MessageKind
from adapter.errors import ConfigError

SIZE = 8
"""Bytes that say how long the next text is."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message of the archive: `at` is when it was sent, by its own header; `lost` is why it must not be read."""

    source: str
    body: bytes
    at: datetime
    kind: MessageKind = MessageKind.HL7V2
    lost: str = ""


class Spool:
    """In a file without a name: patients stand in it, and no crash leaves it behind."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._end = file, 0

    def put(self, *texts: bytes) -> int:
        """The place of these texts. Raises ConfigError where the disk is full."""
        place = self._end
        try:
            self._file.seek(place)
            self._end += sum(self._file.write(part) for text in texts for part in (len(text).to_bytes(SIZE), text))
            self._file.flush()
        except OSError as error:
            raise ConfigError(
                f"the archive cannot be put aside ({error.strerror}) — --out needs room for it"
            ) from error
        return place

    def get(self, place: int) -> bytes:
        """The first text there."""
        self._file.seek(place)
        return self._next()

    def put_letter(self, letter: Letter) -> int:
        head = json.dumps([letter.source, letter.at.isoformat(), letter.kind, letter.lost])
        return self.put(head.encode("ascii"), letter.body)

    def letter(self, place: int) -> Letter:
        source, at, kind, lost = json.loads(self.get(place))
        return Letter(source, self._next(), datetime.fromisoformat(at), MessageKind(kind), lost)

    def _next(self) -> bytes:
        return self._file.read(int.from_bytes(self._file.read(SIZE)))


@contextmanager
def spool(folder: Path) -> Iterator[Spool]:
    with TemporaryFile(dir=folder) as file:
        yield Spool(file)
