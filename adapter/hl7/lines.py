"""From the bytes of a frame to lines: what stands before the header, what ends a segment, where a batch holds a message."""

import re

from adapter.errors import MalformedMessageError

BOM = b"\xef\xbb\xbf"
HEADERS = (b"MSH", b"FHS", b"BHS")
ENVELOPE = (b"FHS", b"BHS", b"BTS", b"FTS")

MOST_LINES, MOST_BATCH_LINES = 25_000, 100_000
"""Of one message; of a batch. Taking a million apart would cost gigabytes (decisions F9); 10,000 results are read (H30)."""

_LEAD = re.compile(rb"[\xef\xbb\xbf\x00\x0c\s]*")
_END = re.compile(rb"\r\n|\r|\n")
_CR_AND_STRAY_LF = re.compile(rb"\r\n|\r|\n(?=[A-Z][A-Z0-9]{2}[^0-9A-Za-z\s])")
_WIDE = re.compile(rb"(?:\xff\xfe|\xfe\xff)?(?:M\x00S\x00H\x00|\x00M\x00S\x00H)")
_SEGMENT = re.compile(rb"[A-Z][A-Z0-9]{2}[^0-9A-Za-z\s]")
_NAME = 3


def is_endless(payload: bytes) -> bool:
    """More lines than any real message or batch has: nobody should take it apart."""
    if len(payload) <= MOST_LINES:
        return False
    lines = max(payload.count(b"\r"), payload.count(b"\n"))
    return lines > (MOST_BATCH_LINES if is_batch(payload) else MOST_LINES)


def split(payload: bytes) -> tuple[bytes, ...]:
    """The messages of a frame or file, in order, as they came, without the FHS/BHS/BTS/FTS round them.

    At least one: text without any MSH comes back whole, so that `parse` can say so. Segments that an envelope holds outside
    of every message are a part of their own, which `parse` refuses: no result may vanish between two messages. A byte order
    mark before the first is kept before each, for it says of all of them that they are UTF-8.
    """
    start = _lead_size(payload)
    mark = BOM if BOM in payload[:start] else b""
    first = payload[start : start + _NAME]
    if first not in HEADERS or (first == b"MSH" and not _more_than_one(payload)):
        return (payload,)
    parts: list[bytearray] = []
    inside = False
    for line in _whole_lines(payload, start):
        name = line[:_NAME]
        if name == b"MSH" and is_separator(line[_NAME : _NAME + 1]):
            parts.append(bytearray(mark))
            inside = True
        elif name in ENVELOPE:
            inside = False
        elif not inside and _SEGMENT.match(line):
            parts.append(bytearray(mark))
            inside = True
        if inside:
            parts[-1] += line
    return tuple(bytes(part) for part in parts) if any(map(has_header, parts)) else (payload,)


def has_header(part: bytes | bytearray) -> bool:
    """Of a part that `split` gave: whether it is a message."""
    return part.removeprefix(BOM).startswith(b"MSH")


def _more_than_one(payload: bytes) -> bool:
    return payload.count(b"MSH") > 1 or any(name in payload for name in ENVELOPE)


def is_batch(payload: bytes) -> bool:
    """Whether the messages come in an FHS or BHS envelope (two bare MSH in one frame do not)."""
    start = _lead_size(payload)
    return payload[start : start + _NAME] in ENVELOPE


def _lead_size(payload: bytes) -> int:
    found = _LEAD.match(payload)
    return found.end() if found else 0


def lines_of(payload: bytes) -> tuple[bytes, list[bytes], list[bytes]]:
    """What stands before the header; the lines; the end of each line."""
    start = _lead_size(payload)
    lead, body = payload[:start], payload[start:]
    if not body.startswith(b"MSH"):
        raise _refused(payload)
    if b"\n" not in body:
        lines = body.split(b"\r")
        return lead, lines, [b"\r"] * (len(lines) - 1) + [b""]
    lines, ends, position = [], [], 0
    for found in _ends_of(body).finditer(body):
        lines.append(body[position : found.start()])
        ends.append(found[0])
        position = found.end()
    return lead, [*lines, body[position:]], [*ends, b""]


def oddities(lead: bytes, lines: list[bytes], payload: bytes) -> list[str]:
    """What is unusual and read all the same, by its code."""
    found: list[str] = []
    if lead:
        found.append("bom" if BOM in lead else "lead")
    if b"\x00" in payload:
        found.append("nul")
    if payload.count(b"MSH") > 1 and any(line.startswith(b"MSH") for line in lines[1:]):
        found.append("second-header")
    return found


def _refused(payload: bytes) -> MalformedMessageError:
    if _WIDE.match(payload):
        text = "The message is in UTF-16, which MLLP cannot carry safely — ask the sender for UTF-8 and MSH-18 UNICODE UTF-8"
        return MalformedMessageError("CHARSET", text)
    if payload[_lead_size(payload) :].startswith(b"<"):
        return MalformedMessageError(
            "XML", "The message is in XML — ask the sender for HL7 v2 with bars and hats (ER7)"
        )
    return MalformedMessageError(
        "NO_MSH", "The message does not begin with MSH — ask the sender for a whole HL7 v2 message"
    )


def _ends_of(body: bytes) -> re.Pattern[bytes]:
    """Where the header itself ends with CR, a lone LF is data unless a segment begins after it (text reports hold LFs)."""
    first = _END.search(body)
    return _CR_AND_STRAY_LF if first and first[0] == b"\r" else _END


def _whole_lines(payload: bytes, start: int) -> list[bytes]:
    lines, position = [], start
    for found in _ends_of(payload[start:]).finditer(payload, start):
        lines.append(payload[position : found.end()])
        position = found.end()
    return [*lines, payload[position:]]


def is_separator(byte: bytes) -> bool:
    return byte.isascii() and byte.decode("ascii").isprintable() and not byte.isalnum() and bool(byte.strip())
