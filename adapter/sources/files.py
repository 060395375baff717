"""The messages of one file: HL7 v2 framed, plain or batched, FHIR Bundles, resources or NDJSON; a long file is never held whole.

Whole at a time are: one message, one line of NDJSON, a resource or Bundle over many lines, each up to its limit; and what the
file's NDJSON says of one patient.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import IO

from adapter.domain.message import MessageKind
from adapter.errors import MalformedMessageError
from adapter.fhir.gather import BLANK, Gathering, is_bundle, is_json, lines_in, stands_alone
from adapter.fhir.strict import read
from adapter.hl7.lines import BOM, ENVELOPE, is_batch, is_endless, split
from adapter.hl7.mllp import DEFAULT_LIMIT, HEAD, START, Frame, FrameDecoder, FrameEvent, Oversize, Truncated

CHUNK = 1024 * 1024
LARGEST_FHIR = 32 * 1024 * 1024
"""Bytes of a Bundle or resource, as of a page of a polled server."""
TOO_BIG, TRUNCATED = "TOO_BIG", "FRAME_TRUNC"

_NEXT_MESSAGE = re.compile(rb"[\r\n](?=MSH[!-/:-@\[-`{-~])")
_LINE_END = re.compile(rb"[\r\n]")
_AHEAD = 4
"""Bytes that the first of these looks at behind a line end."""
FIRST_LINES = 10
_GOES_ON = (b"{", b"[", b",", b":")
"""What stands before an object inside of another."""


@dataclass(frozen=True, slots=True)
class Part:
    """One message, the `number`th of its file from 1; `lost` is why it must not be read (`FRAME_TRUNC`, `TOO_BIG`)."""

    number: int
    body: bytes
    kind: MessageKind = MessageKind.HL7V2
    lost: str = ""


def parts_in(file: IO[bytes], gathered: Gathering) -> Iterator[Part]:
    """FHIR that is no Bundle is put into `gathered`, and does not come here."""
    if _is_json(file):
        yield from _fhir(file, gathered)
        return
    for number, (body, kind, lost) in enumerate(_hl7(file), 1):
        if body.strip():
            yield Part(number, body, kind, lost)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    """From the beginning."""
    file.seek(0)
    yield from iter(partial(file.read, CHUNK), b"")


def _is_json(file: IO[bytes]) -> bool:
    """By the first byte that says anything."""
    return next((is_json(chunk) for chunk in _chunks(file) if chunk.lstrip(BLANK)), False)


def _cut(file: IO[bytes], before: re.Pattern[bytes], limit: int) -> Iterator[tuple[bytes, str]]:
    """The file in pieces that end where `before` does; of a longer one its beginning, and why it must not be read."""
    held, head = b"", b""
    for chunk in _chunks(file):
        data, start = held + chunk, 0
        for found in before.finditer(data, max(0, len(held) - _AHEAD)):
            yield _piece(head + data[start : found.end()], limit)
            head, start = b"", found.end()
        held = data[start:]
        if len(held) > limit + _AHEAD:  # its beginning is enough, and where the next one starts is still seen
            head, held = head or held[: limit + 1], held[-_AHEAD:]
    yield _piece(head + held, limit)


def _piece(data: bytes, limit: int) -> tuple[bytes, str]:
    return (data, "") if len(data) <= limit else (data[:HEAD], TOO_BIG)


# --- FHIR --------------------------------------------------------------------------------------------------------------


def _fhir(file: IO[bytes], gathered: Gathering) -> Iterator[Part]:
    """A Bundle is whole by itself; a resource waits for its patient; what cannot be read spoils nobody else's line."""
    for number, (line, lost) in enumerate(_resources(file), 1):
        if lost or is_bundle(line) or not _is_sound(line):
            yield Part(number, line, MessageKind.FHIR, lost)
        else:
            gathered.put(line)


def _is_sound(line: bytes) -> bool:
    try:
        read(line)
    except MalformedMessageError:
        return False
    return True


def _resources(file: IO[bytes]) -> Iterable[tuple[bytes, str]]:
    """Each on a line of its own where the first is, or where one of the next cannot belong to it; else one over many lines."""
    if _are_lines(islice(_lines(file), FIRST_LINES)):
        return _lines(file)
    file.seek(0)
    whole = file.read(LARGEST_FHIR + 1)
    if len(whole) > LARGEST_FHIR:
        return [(whole[:HEAD], TOO_BIG)]
    return [(line, "") for line in lines_in(whole)]


def _are_lines(first: Iterator[tuple[bytes, str]]) -> bool:
    """The very first may have been cut off. In one resource over many lines an object never begins where nothing is open before it."""
    line, lost = next(first, (b"", ""))
    if lost or stands_alone(line):
        return True
    for one, _ in first:
        if not line.rstrip().endswith(_GOES_ON) and stands_alone(one) and _is_sound(one):
            return True
        line = one
    return False


def _lines(file: IO[bytes]) -> Iterator[tuple[bytes, str]]:
    """Those that hold anything, without their ends; a byte order mark stands before the first alone."""
    for number, (line, lost) in enumerate(_cut(file, _LINE_END, LARGEST_FHIR)):
        kept = (line if number else line.removeprefix(BOM)).rstrip(b"\r\n")
        if kept.strip():
            yield kept, lost


# --- HL7 v2 ------------------------------------------------------------------------------------------------------------


def _hl7(file: IO[bytes]) -> Iterator[tuple[bytes, MessageKind, str]]:
    """Every message, whether it shared an MLLP frame without an envelope, and why it is not one."""
    if not any(START in chunk for chunk in _chunks(file)):
        yield from ((part, MessageKind.HL7V2, lost) for part, lost in _plain(file))
        return
    for payload, lost in _frames(file):
        parts = (payload,) if lost else _split(payload)
        shared = len(parts) > 1 and not is_batch(payload)
        yield from ((part, MessageKind.HL7V2_SHARED if shared else MessageKind.HL7V2, lost) for part in parts)


def _plain(file: IO[bytes]) -> Iterator[tuple[bytes, str]]:
    """A byte order mark before the first message says of all of them that they are UTF-8."""
    mark = b""
    for number, (piece, lost) in enumerate(_cut(file, _NEXT_MESSAGE, DEFAULT_LIMIT)):
        if not number and piece.startswith(BOM):
            mark = BOM
        whole = mark + piece if number else piece
        if lost:
            yield whole, lost
        elif is_endless(whole):
            yield whole, ""
        elif not _is_envelope(piece):
            yield from ((part, "") for part in split(whole))


def _split(payload: bytes) -> tuple[bytes, ...]:
    """What nobody should take apart stays one, as on the wire: the door holds it back."""
    return (payload,) if is_endless(payload) else split(payload)


def _is_envelope(piece: bytes) -> bool:
    """Nothing but the beginning or the end of a batch."""
    lines = [line for line in piece.removeprefix(BOM).splitlines() if line.strip()]
    return bool(lines) and all(line[:3] in ENVELOPE for line in lines)


def _frames(file: IO[bytes]) -> Iterator[tuple[bytes, str]]:
    """Each with the reason for which it must not be read; what stands between them is no message."""
    for event in _events(file):
        match event:
            case Frame():
                yield event.payload, ""
            case Truncated():
                yield event.head, TRUNCATED
            case Oversize():
                yield event.head, TOO_BIG


def _events(file: IO[bytes]) -> Iterator[FrameEvent]:
    decoder = FrameDecoder()
    for chunk in _chunks(file):
        yield from decoder.feed(chunk)
    yield from decoder.close()
