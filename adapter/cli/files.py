"""Messages in files, folders and standard input, for the commands that take paths."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Annotated

import typer

from adapter.domain.message import MessageKind
from adapter.errors import ConfigError

if TYPE_CHECKING:
    from adapter.fhir.gather import Gathering

Paths = Annotated[
    list[str], typer.Argument(metavar="PATH...", help="Files or folders; - is standard input.", show_default=False)
]
IN_MEMORY = 16 * 1024 * 1024
"""Of standard input, which is read twice; more of it goes to a file without a name."""


@dataclass(frozen=True, slots=True)
class Found:
    """One message of a file: `source` is `PATH#number`, from 1; `lost` is why it must not be read (`FRAME_TRUNC`, `TOO_BIG`)."""

    source: str
    body: bytes
    kind: MessageKind = MessageKind.HL7V2
    lost: str = ""


def read_messages(paths: list[str], gathered: "Gathering | None" = None) -> Iterator[Found]:
    """FHIR that is no Bundle is put together by patient, in `gathered`, and comes last.

    Raises ConfigError for a path that cannot be read.
    """
    from adapter.fhir.gather import Gathering
    from adapter.sources.files import parts_in

    together = Gathering() if gathered is None else gathered
    for path in paths:
        try:
            for name, file in _opened(path):
                for part in parts_in(file, together):
                    yield Found(f"{name}#{part.number}", part.body, part.kind, part.lost)
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read ({error.strerror}) — check the path") from error
    for number, body in enumerate(together.bodies(), 1):
        yield Found(f"{paths[0]}#{number}", body, MessageKind.FHIR)


def _opened(path: str) -> Iterator[tuple[str, IO[bytes]]]:
    if path == "-":
        with SpooledTemporaryFile(IN_MEMORY) as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
            yield path, copy
        return
    place = Path(path)
    for name in sorted(one for one in place.rglob("*") if one.is_file()) if place.is_dir() else [place]:
        with name.open("rb") as file:
            yield str(name), file
