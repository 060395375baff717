"""Our reader beside python-hl7 and hl7apy, over thousands of real fields written by many vendors."""

import csv
import os
import re
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import hl7
import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message

from adapter.errors import MalformedMessageError
from adapter.hl7 import er7

DATA = Path(os.environ.get("ADAPTER_TEST_DATA") or Path(__file__).parents[2].parent / "shared" / "data")
CATALOGUE = DATA / "hl7v2" / "messages.csv"
READ_DIFFERENTLY = re.compile(r"\\(?:\.[a-z]+[+-]?\d*|[HNP]|[CMZ]\w+|r)\\?")
"""Formatting, highlighting, local and character-set escapes: python-hl7 has its own taste, we keep or drop them."""
UNREADABLE = 65
"""Messages of the corpus with no header or broken separators (fuzzed inputs most of them)."""
HL7APY_STEP = 40
COMPARED = {"MSH": (8, 9, 11), "PID": (3, 5, 7, 8), "PV1": (2, 3), "OBR": (2, 3, 4, 7), "OBX": (2, 3, 4, 5, 6, 11)}
"""List positions; MSH-1 is the separator, so MSH-9 is at 8."""

pytestmark = pytest.mark.skipif(not CATALOGUE.exists(), reason=f"no test data in {DATA} (set ADAPTER_TEST_DATA)")


@cache
def corpus() -> tuple[tuple[str, bytes], ...]:
    with CATALOGUE.open(encoding="utf-8", newline="") as rows:
        paths = sorted({row["path"] for row in csv.DictReader(rows)})
    return tuple((path, part) for path in paths for part in er7.split((DATA / path).read_bytes()))


def readable() -> Iterator[tuple[str, er7.Message]]:
    for path, part in corpus():
        try:
            yield path, er7.parse(part)
        except MalformedMessageError:
            continue


def written(message: er7.Message) -> str:
    return "".join(segment.wire.decode(message.charset, "surrogateescape") + "\r" for segment in message.segments)


def test_nearly_every_message_of_the_corpus_is_read_and_printed_as_it_came() -> None:
    read = list(readable())
    assert len(corpus()) - len(read) <= UNREADABLE
    assert len(read) > 1200
    parts = iter(part for _, part in corpus() if er7.headline(part))
    assert all(message.print() in parts for _, message in read)


def test_our_fields_are_those_of_python_hl7() -> None:
    differences = [line for path, message in readable() for line in differing(path, message)]
    assert differences == []


def differing(path: str, message: er7.Message) -> Iterator[str]:
    oracle = hl7.parse(written(message))
    segments = list(oracle)
    if len(segments) != len(message.segments):
        yield f"{path}: {len(segments)} segments, ours {len(message.segments)}"
        return
    for theirs, ours in zip(segments, message.segments, strict=True):
        for number in range(3 if ours.name in er7.HEADER_NAMES else 1, len(theirs)):
            if not same(oracle, theirs[number], ours, number):
                yield f"{path}: {ours.name}-{number}"


def same(oracle: hl7.Message, theirs: hl7.Field, ours: er7.Segment, number: int) -> bool:
    raw = ours.raw(number)
    if str(theirs).rstrip() != raw.rstrip(" \t\n\x1c"):
        return False
    if READ_DIFFERENTLY.search(raw) or not raw.isascii():
        return True
    first = theirs
    while not isinstance(first, str):
        first = first[0]
    return bool(oracle.unescape(first).rstrip() == ours.text(number).rstrip(" \t\n\x1c"))


def test_our_segments_and_fields_are_those_of_hl7apy() -> None:
    compared = 0
    for path, message in list(readable())[::HL7APY_STEP]:
        theirs = by_hl7apy(written(message))
        if theirs is None:
            continue
        compared += 1
        assert theirs == [firsts(written_segment.split("|")) for written_segment in segments_of(message)], path
    assert compared > 15


def segments_of(message: er7.Message) -> list[str]:
    return written(message).rstrip("\r").split("\r")


def by_hl7apy(text: str) -> list[list[str]] | None:
    """The read fields of each segment in document order; None where it refuses the message."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read = parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=False)
        except HL7apyException:
            return None
    return [firsts(segment.to_er7().split("|")) for segment in read.children]


def firsts(fields: list[str]) -> list[str]:
    """First components of the fields hl7apy keeps whole: it drops fields and empty components its version does not know."""
    wanted = COMPARED.get(fields[0], ())
    padded = [*fields, *[""] * 20]
    return [fields[0], *(padded[number].split("~")[0].split("^")[0].strip() for number in wanted)]
