"""What of a message no mapping knows, each with what stands round it: an example for whoever must name it."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from adapter.domain.message import RawMessage
from adapter.errors import MalformedMessageError
from adapter.hl7 import er7
from adapter.hl7.datatypes import identifiers, number
from adapter.hl7.er7 import Message, Segment
from adapter.mapping.codes import Unmapped, meaning
from adapter.mapping.feed import Feed, feed_of
from adapter.mapping.groups import patient_groups
from adapter.mapping.hl7_pharmacy import LINES, substance_of
from adapter.mapping.misplaced import apart
from adapter.mapping.order import named
from adapter.mapping.plain import plain
from adapter.mapping.values import Refused, spellings
from adapter.mapping.words import Words


@dataclass(frozen=True, slots=True)
class Example:
    """`code` and `detail` as the issue has them; `person` tells patients apart and goes nowhere. `concept`: where it is mapped."""

    code: str
    detail: str
    person: str
    name: str = ""
    unit: str = ""
    number: Fraction | None = None
    worded: bool = False
    concept: str = ""


def examples(message: RawMessage, words: Words) -> Iterator[Example]:
    """Of every message of a batch; none of one that cannot be read."""
    for part in er7.split(message.body):
        try:
            parsed = er7.parse(part, words.site.encoding)
        except MalformedMessageError:
            continue
        feed = feed_of(parsed, words, message_id="", received=message.received)
        yield from _of_orders(parsed, feed)
        yield from _of_drugs(parsed, feed)


def _of_orders(message: Message, feed: Feed) -> Iterator[Example]:
    for group in patient_groups(message):
        person = _person(group.pid)
        for order in group.orders:
            name, specimen = named(order, feed)
            for line in order.results:
                yield from _of_result(line.obx, person, feed.words)
                if name and not specimen:
                    yield Example("unknown-specimen", plain(name), person)


def _of_result(obx: Segment, person: str, words: Words) -> Iterator[Example]:
    found = meaning(obx.components(3), words.site, words.dictionary)
    if isinstance(found, Unmapped):
        if not found.known:
            yield _result("unmapped-code", found.code, obx, person, words)
        return
    value = words.value(found.concept, found.unit, obx)
    if isinstance(value, Refused) and value.detail:
        yield _result(value.code, value.detail, obx, person, words, found.concept.id)


def _result(code: str, detail: str, obx: Segment, person: str, words: Words, concept: str = "") -> Example:  # noqa: PLR0913 — an example's parts
    written = spellings(obx)
    text = obx.text(5).strip()
    bare, behind = apart(text)
    found = number(bare, decimal=words.site.decimal)
    unit = (
        written[0] if written else behind * (words.site.units.ucum(behind) is not None)
    )  # else it may be anybody's words
    value = None if found is None else found.value
    return Example(
        code, plain(detail), person, plain(obx.text(3, 2)), plain(unit), value, bool(text) and value is None, concept
    )


def _of_drugs(message: Message, feed: Feed) -> Iterator[Example]:
    person = _person(message.first("PID"))
    for name, fields in LINES.items():
        for segment in message.all(name):
            found = substance_of(segment, fields.code, feed)
            if isinstance(found, str):
                yield Example("unmapped-drug", found, person, plain(segment.text(fields.code, 2)))


def _person(pid: Segment | None) -> str:
    found = () if pid is None else identifiers(pid, 3)
    return f"{found[0].authority}|{found[0].value}" if found else ""
