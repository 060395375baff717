"""A message as a tree (segments, fields, repetitions, components, subcomponents, decoded text), by us and by other people's readers."""

import warnings
from dataclasses import dataclass
from dataclasses import field as default
from typing import Any

import hl7
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message

from adapter.hl7 import er7
from adapter.hl7.escapes import Delimiters, decoder

Parts = list[list[list[str]]]
"""Repetitions of a field, their components, their subcomponents."""
UNREADABLE = {**dict.fromkeys(range(0xD800, 0xE000), "\ufffd")}
"""No other reader knows bytes that did not decode: all are given, and compared by, the replacement character."""


@dataclass(frozen=True)
class Line:
    """One segment: its name, its fields from 1; `beyond` are those whose number the reader does not know."""

    name: str
    fields: list[Parts]
    beyond: Parts = default(default_factory=list)

    def field(self, number: int) -> Parts:
        return self.fields[number - 1] if number <= len(self.fields) else []


def trimmed(tree: Any) -> Any:
    """Without what is empty at the end: HL7 gives no meaning to trailing separators (chapter 2.5.3)."""
    if isinstance(tree, str):
        return tree
    kept = [trimmed(one) for one in tree]
    while kept and kept[-1] in ("", []):
        kept.pop()
    return kept


def text_of(message: er7.Message) -> str:
    """What the others are given: our segments, each ended by the CR that they all want."""
    wires = (segment.wire.decode(message.charset, "surrogateescape") for segment in message.segments)
    return "".join(f"{wire}\r" for wire in wires).translate(UNREADABLE)


def ours(message: er7.Message) -> list[Line]:
    return [Line(plain(segment.name), our_fields(segment, message.delimiters)) for segment in message.segments]


def plain(text: str) -> str:
    return text.translate(UNREADABLE)


def our_fields(segment: er7.Segment, marks: er7.Delimiters) -> list[Parts]:
    """By what mapping calls: `raw`, `repetitions`, `text`."""
    count = len(segment.wire_fields()) - 1
    return trimmed([our_field(segment, number, marks) for number in range(1, count + 1)])  # type: ignore[no-any-return]


def our_field(segment: er7.Segment, number: int, marks: er7.Delimiters) -> Parts:
    raw = segment.raw(number)
    if segment.name in er7.HEADER_NAMES and number <= len(("MSH-1", "MSH-2")):
        return [[[segment.text(number)]]]
    components, parts = raw.count(marks.component) + 1, raw.count(marks.subcomponent) + 1
    return [
        [
            [plain(segment.text(number, component, part, repetition)) for part in range(1, parts + 1)]
            for component in range(1, components + 1)
        ]
        for repetition in range(1, segment.repetitions(number) + 1)
    ]


def by_hapi(read: list[Any]) -> list[Line]:
    return [Line(name, trimmed(fields)) for name, fields in read]


def by_python_hl7(text: str) -> list[Line] | str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return [hl7_line(message, segment) for message in (hl7.parse(text),) for segment in message]
        except (hl7.HL7Exception, IndexError, ValueError, KeyError) as error:
            return type(error).__name__


def hl7_line(message: hl7.Message, segment: hl7.Segment) -> Line:
    head = str(segment[0]) in er7.HEADER_NAMES
    fields = [
        [[[str(segment[number])]]] if head and number <= len(("MSH-1", "MSH-2")) else deepened(message, segment[number])
        for number in range(1, len(segment))
    ]
    return Line(str(segment[0]), trimmed(fields))


def deepened(message: hl7.Message, field: Any) -> Parts:
    """python-hl7 nests only as deep as it has to."""
    repetitions = list(field)
    return [
        [
            [
                message.unescape(str(part))
                for part in (component if isinstance(component, hl7.Component) else [component])
            ]
            for component in (repetition if isinstance(repetition, hl7.Repetition) else [repetition])
        ]
        for repetition in repetitions
    ]


def by_hl7apy(text: str) -> list[Line] | str:
    """Undecoded, as hl7apy leaves it; its names say where a field stands."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            message = parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=False)
            return [apy_line(segment) for segment in message.children]
        except (HL7apyException, AttributeError, IndexError, KeyError, ValueError) as error:
            return type(error).__name__


def apy_line(segment: Any) -> Line:
    fields: dict[int, Parts] = {}
    beyond: Parts = []
    for field in segment.children:
        number = int(field.name.rpartition("_")[2]) if field.name else 0
        (fields.setdefault(number, []) if number else beyond).append(apy_components(field))
    placed = [fields.get(number, []) for number in range(1, max(fields, default=0) + 1)]
    return Line(segment.name, trimmed(placed), beyond)


def apy_components(field: Any) -> list[list[str]]:
    """By the number in a component's name; those that its version's data type does not know have none, and stand behind."""
    if field.name in {"MSH_1", "MSH_2"}:
        return [[field.to_er7()]]
    marks = field.encoding_chars
    placed: dict[int, list[str]] = {}
    beyond = []
    for component in field.children:
        parts = [decoded(part, marks) for part in component.to_er7().split(marks["SUBCOMPONENT"])]
        number = (component.name or "").rpartition("_")[2]
        if number.isdigit():
            placed[int(number)] = parts
        elif component.name:
            placed[max(placed, default=0) + 1] = parts
        else:
            beyond.append(parts)
    return [placed.get(number, []) for number in range(1, max(placed, default=0) + 1)] + beyond


def decoded(text: str, marks: Any) -> str:
    """hl7apy splits and does not decode: its texts are decoded by us, so that only its splitting is an oracle."""
    delimiters = Delimiters(
        marks["FIELD"], marks["COMPONENT"], marks["REPETITION"], marks["ESCAPE"], marks["SUBCOMPONENT"]
    )
    return decoder(delimiters, "utf-8")(text)
