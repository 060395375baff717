"""Messages at the edge of what a source may send: as big as a frame may be, in the shapes that cost most to take apart."""

from datetime import UTC, datetime, timedelta

FRAME = 16 * 1024 * 1024
HEAD = (
    "MSH|^~\\&|LAB|HOSP|A|T|{at}||ORU^R01|{name}|P|2.5.1\rPID|1||{name}^^^HOSP^MR||Doe^Jane||19500101|F\r"
    "PV1|1|E|ED^^4||||||||||||||||V{name}\rOBR|1||F{name}|PANEL|||{at}\r"
)


def head(name: str) -> str:
    at = datetime.now(UTC) - timedelta(hours=1)  # noqa: TID251 — a benchmark's own clock
    return HEAD.format(at=f"{at:%Y%m%d%H%M%S}+0000", name=name)


def document(name: str) -> bytes:
    """One OBX with an embedded PDF."""
    return _filled(f"{head(name)}OBX|1|ED|PDF^^L||^application^pdf^Base64^", "A", "||||||F\r")


def segments(name: str) -> bytes:
    """Millions of them, of a letter each."""
    return _filled(head(name), "Z\r", "")


def fields(name: str) -> bytes:
    return _filled(f"{head(name)}OBX|1|NM|777-3^^LN||98", "|", "\r")


def repetitions(name: str) -> bytes:
    return _filled(f"{head(name)}OBX|1|NM|777-3^^LN||98", "~98", "\r")


def results(name: str, lines: int = 24_000) -> bytes:
    """As many as are read of one message, each known, each at its own second."""
    start = datetime.now(UTC) - timedelta(hours=20)  # noqa: TID251 — a benchmark's own clock
    times = (f"{start + timedelta(seconds=n):%Y%m%d%H%M%S}+0000" for n in range(lines))
    said = (f"OBX|{n}|NM|8478-0^^LN|{n}|{60 + n % 40}|mm[Hg]|||||F|||{at}\r" for n, at in enumerate(times))
    return (head(name) + "".join(said)).encode()


def unknown(name: str, lines: int = 24_000) -> bytes:
    """As many as are read, each with a code and a unit of its own that nobody mapped."""
    return (head(name) + "".join(f"OBX|{n}|NM|X{n}^^L|{n}|{n}|u{n}|||||F\r" for n in range(lines))).encode()


def _filled(before: str, one: str, after: str) -> bytes:
    return (before + one * ((FRAME - len(before) - len(after) - 64) // len(one)) + after).encode()


SHAPES = {
    "an embedded document of 16 MiB": document,
    "16 MiB of one-letter segments": segments,
    "16 MiB of empty fields": fields,
    "16 MiB of repetitions": repetitions,
    "24,000 results": results,
    "24,000 results nobody mapped": unknown,
}
