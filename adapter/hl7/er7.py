"""ER7, the bars and hats of HL7 v2: a tolerant, lossless, lazy reader (chapter 2; spec: mllp-receiver 4.5).

It raises only where there is no header (`NO_MSH`, `XML`), its separators cannot be used (`DELIMS`), or two bytes make a letter
(`CHARSET`: UTF-16). Bytes that do not decode survive as surrogates, unknown segments and extra fields are kept, and
`Message.print` gives back the bytes that came.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from adapter.errors import MalformedMessageError
from adapter.hl7.charsets import charset_of, decoded
from adapter.hl7.escapes import STANDARD, Delimiters, decoder
from adapter.hl7.lines import BOM, is_batch, is_separator, lines_of, oddities, split
from adapter.hl7.marks import delimiters_of

__all__ = ["Delimiters", "Message", "Segment", "composed", "headline", "is_batch", "parse", "split"]

HEADER_NAMES = frozenset({"MSH", "FHS", "BHS"})
_SEGMENT_NAME = re.compile("[A-Z][A-Z0-9]{2}")
_FILLING = b" \t\x00\x0b\x0c\x1c\n"
_BLANK = 0x20
_NAME = 3


class _Syntax(NamedTuple):
    """What the segments of one message share: its separators, and how its escapes are read."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str
    only_escape: tuple[str, ...]
    inner: tuple[str, ...]
    """What makes a field more than its components."""
    decode: Callable[[str], str]


class Segment:
    """One segment, split when it is first read; fields, components and repetitions count from 1, as HL7 counts."""

    __slots__ = ("_component", "_fields", "_marks", "_repeats", "_syntax", "_text", "name", "wire")

    def __init__(self, wire: bytes, text: str, syntax: _Syntax) -> None:
        self.wire = wire
        """The segment's bytes as they came, without its end."""
        self.name = text[:_NAME] if text.find(syntax.field, 0, _NAME + 1) == _NAME else _name_of(text, syntax.field)
        self._text = text
        self._syntax = syntax
        self._fields: list[str] | None = None

    def __repr__(self) -> str:
        return f"Segment({self.name})"

    def _split(self) -> list[str]:
        text, syntax = self._text, self._syntax
        fields = text.split(syntax.field)
        if self.name in HEADER_NAMES:
            fields.insert(1, syntax.field)
        more = syntax.repetition in text or syntax.subcomponent in text
        self._marks = syntax.inner if more else syntax.only_escape if syntax.escape in text else ()
        self._component = syntax.component
        self._repeats: dict[int, list[str]] = {}
        self._fields = fields
        return fields

    def raw(self, field: int) -> str:
        """The field as it was written, escapes and all; empty when absent. Field 0 is the segment's name."""
        fields = self._fields or self._split()
        return fields[field] if field < len(fields) else ""

    def text(self, field: int, component: int = 1, subcomponent: int = 1, repetition: int = 1) -> str:
        """The decoded text of one subcomponent; empty when absent; the HL7 null stays as its two quotes.

        The way through is short for what most fields are: one component, nothing escaped.
        """
        fields = self._fields or self._split()
        try:
            value = fields[field]
        except IndexError:
            return ""
        if subcomponent != 1 or repetition != 1:
            return self._deep(field, component, subcomponent, repetition)
        for mark in self._marks:
            if mark in value:
                return self._deep(field, component, subcomponent, repetition)
        if component == 1:
            return value.partition(self._component)[0] if self._component in value else value
        return _nth(value, self._component, component)

    def _is_plain(self, value: str) -> bool:
        """Nothing escaped, repeated or divided below components."""
        return not self._marks or not any(mark in value for mark in self._marks)

    def _deep(self, field: int, component: int, subcomponent: int, repetition: int) -> str:
        syntax = self._syntax
        value = self.raw(field)
        if field <= 2 and self._is_verbatim(field):  # noqa: PLR2004 - HL7's own numbers
            return value if component == subcomponent == repetition == 1 else ""
        if repetition != 1 or syntax.repetition in value:
            value = self._repetition(field, repetition)
        value = _nth(_nth(value, syntax.component, component), syntax.subcomponent, subcomponent)
        return syntax.decode(value) if syntax.escape in value else value

    def _is_verbatim(self, field: int) -> bool:
        """MSH-1 and MSH-2 hold the separators themselves."""
        return field <= 2 and self.name in HEADER_NAMES  # noqa: PLR2004 - HL7's own numbers

    def _repetition(self, field: int, repetition: int) -> str:
        """Of a segment that is split: its callers have looked at the field whole."""
        repeats = self._repeats.get(field)
        if repeats is None:
            value = self.raw(field)
            repeats = [value] if self._is_verbatim(field) else value.split(self._syntax.repetition)
            self._repeats[field] = repeats
        return repeats[repetition - 1] if 0 < repetition <= len(repeats) else ""

    def repetitions(self, field: int) -> int:
        """How often the field is given: 0 when it is absent or empty."""
        value = self.raw(field)
        if not value or self._is_verbatim(field):
            return 1 if value else 0
        return value.count(self._syntax.repetition) + 1

    def components(self, field: int, repetition: int = 1) -> tuple[str, ...]:
        """Every component's first subcomponent, decoded; nothing when the field is absent or empty."""
        syntax = self._syntax
        value = self.raw(field)
        if repetition == 1 and value and self._is_plain(value):
            return tuple(value.split(syntax.component))
        value = self._repetition(field, repetition)
        if not value:
            return ()
        parts = [part.partition(syntax.subcomponent)[0] for part in value.split(syntax.component)]
        return tuple(map(syntax.decode, parts) if syntax.escape in value else parts)

    def whole(self, field: int, repetition: int = 1) -> str:
        """One repetition decoded as one text, component separators included."""
        value = self.raw(field)
        if repetition == 1 and self._is_plain(value):
            return value
        value = self._repetition(field, repetition)
        return self._syntax.decode(value) if self._syntax.escape in value else value

    def wire_fields(self) -> list[bytes]:
        """The fields' bytes as they came, by their numbers (MSH-10 must be echoed so); the name stands at 0."""
        separator = self._syntax.field.encode("ascii")
        parts = self.wire.split(separator)
        if self.name in HEADER_NAMES:
            parts.insert(1, separator)
        return parts


def _name_of(text: str, separator: str) -> str:
    """What stands before the first separator, be it too short, too long or a line of text that begins with PID."""
    return text.split(separator, 1)[0]


def _nth(text: str, separator: str, number: int) -> str:
    """The `number`-th part (from 1), or empty. The separator in use may be longer than one part is."""
    if number == 1:
        return text.partition(separator)[0]
    parts = text.split(separator, number)
    return parts[number - 1] if 0 < number <= len(parts) else ""


class Message:
    """One message: its header first, its segments in document order."""

    __slots__ = ("_ends", "_lead", "_lines", "_misnamed", "_of", "charset", "delimiters", "issues", "segments")

    def __init__(
        self,
        *,
        lines: list[bytes],
        ends: tuple[bytes, list[bytes]],
        delimiters: Delimiters,
        charset: str,
        issues: tuple[str, ...],
    ) -> None:
        self._lines = lines
        self._lead, self._ends = ends
        self.delimiters = delimiters
        self.charset = charset
        """The Python codec really used."""
        self.issues = issues
        """Codes: `bom`, `lead`, `nul`, `charset-unknown`, `charset-contradicted`, `charset-doubtful`,
        `charset-replaced`, `second-header`.
        """
        syntax = _syntax(delimiters, charset)
        texts = decoded(lines, charset)
        self.segments = tuple(
            [
                Segment(line, text, syntax)
                for line, text in zip(lines, texts, strict=True)
                if line and (line[0] > _BLANK or line.strip(_FILLING))
            ]
        )
        self._of: dict[str, tuple[Segment, ...]] | None = None
        self._misnamed: tuple[Segment, ...] | None = None

    @property
    def header(self) -> Segment:
        return self.segments[0]

    def all(self, name: str) -> tuple[Segment, ...]:
        """The segments of this name, in document order."""
        if self._of is None:
            found: dict[str, list[Segment]] = {}
            for segment in self.segments:
                found.setdefault(segment.name, []).append(segment)
            self._of = {known: tuple(segments) for known, segments in found.items()}
        return self._of.get(name, ())

    def first(self, name: str) -> Segment | None:
        found = self.all(name)
        return found[0] if found else None

    @property
    def misnamed(self) -> tuple[Segment, ...]:
        """Segments whose name HL7 does not allow (`obx`, `PI`, text after the last segment)."""
        if self._misnamed is None:
            if all(map(_is_name, {segment.raw(0) for segment in self.segments})):
                self._misnamed = ()
            else:
                self._misnamed = tuple([segment for segment in self.segments if not _is_name(segment.raw(0))])
        return self._misnamed

    def print(self) -> bytes:
        """The message as it came, byte for byte."""
        return self._lead + b"".join(chain.from_iterable(zip(self._lines, self._ends, strict=True)))


def _is_name(text: str) -> bool:
    return len(text) == _NAME and _is_segment_name(text)


@lru_cache(maxsize=256)
def _is_segment_name(text: str) -> bool:
    return _SEGMENT_NAME.fullmatch(text) is not None


def parse(payload: bytes, encoding: str = "utf-8") -> Message:
    """Read one message. `encoding` (a Python codec) is used where MSH-18 is silent.

    Raises MalformedMessageError: `NO_MSH` where no header comes first, `DELIMS` where MSH-1/2 are unusable, `CHARSET`.
    """
    lead, lines, ends = lines_of(payload)
    delimiters = delimiters_of(lines[0])
    body = payload[len(lead) :] if lead else payload
    charset, issues = charset_of(_field_18(lines[0], delimiters), body, "utf-8" if BOM in lead else encoding)
    return Message(
        lines=lines,
        ends=(lead, ends),
        delimiters=delimiters,
        charset=charset,
        issues=(*oddities(lead, lines, payload), *issues),
    )


def composed(line: str) -> Segment:
    """A segment that `hl7.compose` wrote, of no message: with HL7's own separators, which `compose` escapes."""
    return Segment(line.encode("utf-8", "surrogatepass"), line, _syntax(STANDARD, "utf-8"))


def headline(payload: bytes, encoding: str = "utf-8") -> Message | None:
    """The header alone, read with HL7's own encoding characters: to answer a message that `parse` refuses."""
    try:
        lead, lines, _ = lines_of(payload)
    except MalformedMessageError:
        return None
    separator = lines[0][_NAME : _NAME + 1]
    if not is_separator(separator):
        return None
    delimiters = Delimiters(field=separator.decode("ascii"))
    return Message(lines=lines[:1], ends=(lead, [b""]), delimiters=delimiters, charset=encoding, issues=())


@lru_cache(maxsize=64)
def _syntax(delimiters: Delimiters, charset: str) -> _Syntax:
    marks = delimiters
    decode = decoder(delimiters, charset)
    inner = marks.repetition, marks.escape, marks.subcomponent
    return _Syntax(marks.field, marks.component, *inner, (marks.escape,), inner, decode)


def _field_18(header: bytes, delimiters: Delimiters) -> str:
    separator = delimiters.field.encode("ascii")
    if header.count(separator) < 17:  # noqa: PLR2004 - MSH-18; MSH-1 is the separator
        return ""
    return header.split(separator, 18)[17].decode("latin-1")
