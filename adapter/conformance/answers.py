"""An acknowledgment as it came, read by itself and strictly: nothing here trusts the reader that the adapter uses."""

from dataclasses import dataclass

POSITIVE = frozenset({"AA", "CA"})
NEGATIVE = frozenset({"AE", "AR", "CE", "CR"})


@dataclass(frozen=True, slots=True)
class Answer:
    """`segments` are lists of fields by their numbers; the name stands at 0, and MSH-1 is the separator."""

    raw: bytes
    segments: tuple[tuple[bytes, ...], ...]

    @classmethod
    def read(cls, raw: bytes) -> "Answer":
        separator = raw[3:4] or b"|"
        lines = [line for line in raw.split(b"\r") if line]
        return cls(raw, tuple(tuple(_fields(line, separator)) for line in lines))

    def field(self, segment: str, number: int) -> bytes:
        """As it stands; empty when absent."""
        for fields in self.segments:
            if fields[0] == segment.encode():
                return fields[number] if number < len(fields) else b""
        return b""

    def parts(self, segment: str, number: int) -> list[bytes]:
        """Components, split at this answer's own mark."""
        return self.field(segment, number).split(self.field("MSH", 2)[:1] or b"^")

    def has(self, segment: str) -> bool:
        return any(fields[0] == segment.encode() for fields in self.segments)

    @property
    def code(self) -> str:
        return self.field("MSA", 1).decode("ascii", "replace")

    @property
    def about(self) -> bytes:
        """MSA-2."""
        return self.field("MSA", 2)

    @property
    def error(self) -> str:
        """The code of table 0357: ERR-3, or the fourth component of the old ERR-1."""
        new = self.parts("ERR", 3)[0]
        if new or not self.has("ERR"):
            return new.decode("ascii", "replace")
        old = self.parts("ERR", 1)
        marks = self.field("MSH", 2)[3:4] or b"&"
        return old[3].split(marks)[0].decode("ascii", "replace") if len(old) > 3 else ""  # noqa: PLR2004 — ERR-1.4

    @property
    def word(self) -> str:
        return f"{self.code or 'no MSA-1'} {self.error}".strip()


def _fields(line: bytes, separator: bytes) -> list[bytes]:
    fields = line.split(separator)
    if fields[0] == b"MSH":
        fields.insert(1, separator)
    return fields
