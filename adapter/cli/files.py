"""Messages in files: HL7 v2 framed, plain or batched, FHIR Bundles, resources or NDJSON; a long file is never held whole.

Whole at a time are: a file of plain messages, a resource or a Bundle, and a frame of at most 16 MiB.
"""

import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Annotated

import typer

from adapter.domain.message import MessageKind
from adapter.errors import ConfigError
from adapter.fhir.gather import BLANK, Gathering, is_bundle, is_json, lines_in, lines_of, stands_alone

if TYPE_CHECKING:
    from adapter.hl7.mllp import FrameEvent

Paths = Annotated[
    list[str], typer.Argument(metavar="PATH...", help="Files or folders; - is standard input.", show_default=False)
]
CHUNK = 1024 * 1024
IN_MEMORY = 16 * CHUNK
"""Of standard input, which is read twice; more of it goes to a file without a name."""


@dataclass(frozen=True, slots=True)
class Found:
    """One message of a file: `source` is `PATH#number`, from 1; `lost` is why it must not be read (`FRAME_TRUNC`, `TOO_BIG`)."""

    source: str
    body: bytes
    kind: MessageKind = MessageKind.HL7V2
    lost: str = ""


def read_messages(paths: list[str], gathered: Gathering | None = None) -> Iterator[Found]:
    """FHIR that is no Bundle is put together by patient, in `gathered`, and comes last.

    Raises ConfigError for a path that cannot be read.
    """
    together = Gathering() if gathered is None else gathered
    for path in paths:
        try:
            for name, file in _opened(path):
                yield from _messages(name, file, together)
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


def _messages(name: str, file: IO[bytes], gathered: Gathering) -> Iterator[Found]:
    if _is_json(file):
        yield from _bundles(name, _resources(file), gathered)
        return
    for number, (part, kind, lost) in enumerate(_parts(file), 1):
        if part.strip():
            yield Found(f"{name}#{number}", part, kind, lost)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    """From the beginning."""
    file.seek(0)
    yield from iter(partial(file.read, CHUNK), b"")


def _is_json(file: IO[bytes]) -> bool:
    """By the first byte that says anything."""
    return next((is_json(chunk) for chunk in _chunks(file) if chunk.lstrip(BLANK)), False)


def _bundles(name: str, lines: Iterable[bytes], gathered: Gathering) -> Iterator[Found]:
    """A Bundle is whole by itself; anything else waits for its patient."""
    for number, line in enumerate(lines, 1):
        if is_bundle(line):
            yield Found(f"{name}#{number}", line, MessageKind.FHIR)
        else:
            gathered.put(line)


def _resources(file: IO[bytes]) -> Iterator[bytes]:
    """Each on a line of its own, else one over many lines."""
    file.seek(0)
    apart = all(map(stands_alone, lines_of(file)))
    file.seek(0)
    yield from lines_of(file) if apart else lines_in(file.read())


def _parts(file: IO[bytes]) -> Iterator[tuple[bytes, MessageKind, str]]:
    """Every message, whether it shared an MLLP frame without an envelope, and why it is not one."""
    from adapter.hl7.lines import is_batch, split
    from adapter.hl7.mllp import START

    if not any(START in chunk for chunk in _chunks(file)):
        file.seek(0)
        yield from ((part, MessageKind.HL7V2, "") for part in split(file.read()))
        return
    for payload, lost in _frames(file):
        parts = (payload,) if lost else split(payload)
        shared = len(parts) > 1 and not is_batch(payload)
        yield from ((part, MessageKind.HL7V2_SHARED if shared else MessageKind.HL7V2, lost) for part in parts)


def _frames(file: IO[bytes]) -> Iterator[tuple[bytes, str]]:
    """Each with the reason for which it must not be read; what stands between them is no message."""
    from adapter.hl7.mllp import Frame, Oversize, Truncated

    for event in _events(file):
        match event:
            case Frame():
                yield event.payload, ""
            case Truncated():
                yield event.head, "FRAME_TRUNC"
            case Oversize():
                yield event.head, "TOO_BIG"


def _events(file: IO[bytes]) -> "Iterator[FrameEvent]":
    from adapter.hl7.mllp import FrameDecoder

    decoder = FrameDecoder()
    for chunk in _chunks(file):
        yield from decoder.feed(chunk)
    yield from decoder.close()
