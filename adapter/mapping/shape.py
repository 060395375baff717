"""Whether a message is built as HL7 builds one: its segments have names, its fields an end (reliability H29, H31, H38)."""

import re

from adapter.hl7.er7 import Message, Segment

LIKE_A_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{1,3}", re.ASCII)
"""`obx`, `PV`: somebody meant a segment, and which one is anybody's guess."""
MOST_PARTS = 10_000
"""Fields, repetitions or components of one segment; reading a million of them would cost seconds."""


def misshapen(message: Message) -> str | None:
    """The quarantine reason: `STRUCT` or `LIMIT`."""
    marks = message.delimiters
    counted = [mark.encode("ascii") for mark in (marks.field, marks.repetition, marks.component, marks.subcomponent)]
    for segment in message.segments:
        if len(segment.wire) > MOST_PARTS and any(segment.wire.count(mark) > MOST_PARTS for mark in counted):
            return "LIMIT"
    return "STRUCT" if any(_meant(segment, marks.field) for segment in message.misnamed) else None


def has_stray_text(message: Message) -> bool:
    """Lines that are no segment: what a printer or a text report left behind."""
    return bool(message.misnamed)


def _meant(segment: Segment, separator: str) -> bool:
    return separator.encode("ascii") in segment.wire and LIKE_A_NAME.fullmatch(segment.raw(0)) is not None
