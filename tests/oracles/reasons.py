"""Why another reader sees something else than we do: every difference has a name, and a rule that only it fits."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from adapter.hl7 import er7
from tests.oracles.trees import Line, Parts, plain, trimmed

READERS = {"hapi": "HAPI HL7v2 2.6.0", "hl7": "python-hl7 0.4.5", "hl7apy": "hl7apy 1.3.5"}


@dataclass(frozen=True)
class Difference:
    """One field read otherwise; or, with `number` 0, other segments or a refusal (`theirs` is its name)."""

    reader: str
    message: er7.Message
    segment: int = 0
    number: int = 0
    ours: Parts | list[str] = ()  # type: ignore[assignment]
    theirs: Parts | list[str] | str = ""

    @property
    def raw(self) -> str:
        return plain(self.message.segments[self.segment].raw(self.number))


@dataclass(frozen=True)
class Reason:
    """`right` is who follows chapter 2."""

    id: str
    readers: tuple[str, ...]
    right: str
    why: str
    fits: Callable[[Difference], bool]


def differences(reader: str, message: er7.Message, ours: list[Line], theirs: list[Line] | str) -> Iterator[Difference]:
    if isinstance(theirs, str):
        yield Difference(reader, message, theirs=theirs)
        return
    names = [line.name for line in theirs]
    if [line.name for line in ours] != names:
        yield Difference(reader, message, ours=[line.name for line in ours], theirs=names)
        return
    for place, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        lost = placed_nowhere(mine, other)
        if lost:
            yield Difference(
                reader, message, place, lost[0], [part for n in lost for part in mine.field(n)], other.beyond
            )
        for number in range(1, max(len(mine.fields), len(other.fields)) + 1):
            if number not in lost and mine.field(number) != other.field(number):
                yield Difference(reader, message, place, number, mine.field(number), other.field(number))


def placed_nowhere(mine: Line, other: Line) -> list[int]:
    """Our fields that the other reader has without a number; none where the texts are not the same."""
    lost = [n for n in range(1, len(mine.fields) + 1) if mine.field(n) and not other.field(n)]
    texts = [part for n in lost for part in mine.field(n)]
    return lost if other.beyond and spoken(texts) == spoken(other.beyond) else []


def spoken(parts: Parts) -> list[str]:
    return sorted(text.strip() for text in leaves(parts) if text.strip())


def reason_of(found: Difference) -> str:
    """The name of the first reason that fits; empty where the difference is unexplained."""
    return next((reason.id for reason in REASONS if found.reader in reason.readers and reason.fits(found)), "")


# --- escapes ------------------------------------------------------------------------------------------------------------------

KINDS = {
    "format": re.compile(r"\.(?:br|sp|ce|sk|fi|nf|in|ti)[+-]?[0-9]*"),
    "hex": re.compile(r"X(?:[0-9A-Fa-f]{2})+"),
    "highlight": re.compile(r"[HN]"),
    "truncation": re.compile(r"P"),
    "other": re.compile(r"[CMZ][0-9A-Za-z]*"),
}
MARKS = re.compile(r"[FSTRE]")


def leaves(parts: Parts) -> list[str]:
    return [text for repetition in parts for component in repetition for text in component]


def raw_parts(found: Difference) -> Parts:
    marks = found.message.delimiters
    return trimmed(
        [
            [component.split(marks.subcomponent) for component in repetition.split(marks.component)]
            for repetition in found.raw.split(marks.repetition)
        ]
    )


def by_escape(kind: str) -> Callable[[Difference], bool]:
    """Same structure; every leaf that differs holds a sequence of this kind, and nothing differs but what sequences stand for."""

    def fits(found: Difference) -> bool:
        if not found.number or isinstance(found.theirs, str):
            return False
        shapes = (shape(raw_parts(found)), shape(found.ours), shape(found.theirs))
        if len({str(one) for one in shapes}) != 1:
            return False
        triples = zip(leaves(raw_parts(found)), leaves(found.ours), leaves(found.theirs), strict=True)
        odd = [(raw, mine, other) for raw, mine, other in triples if mine != other]
        return bool(odd) and all(stands_for(kind, found.message.delimiters, *one) for one in odd)

    return fits


def shape(parts: Parts) -> list[list[int]]:
    return [[len(component) for component in repetition] for repetition in parts]


def stands_for(kind: str, marks: er7.Delimiters, raw: str, mine: str, other: str) -> bool:
    mark = re.escape(marks.escape)
    pieces = re.split(f"{mark}([^{mark}]*){mark}", raw)
    kinds = {kind_of(piece) for piece in pieces[1::2]}
    if kind == "unpaired":
        prefix = pieces[0].split(marks.escape)[0]
        return (
            ("unpaired" in kinds or marks.escape in pieces[-1]) and mine.startswith(prefix) and other.startswith(prefix)
        )
    if kind not in kinds or "unpaired" in kinds or marks.escape in pieces[-1]:
        return False
    pattern = "".join(
        re.escape(piece) if place % 2 == 0 else value_of(piece, marks) for place, piece in enumerate(pieces)
    )
    return all(re.fullmatch(pattern, text, re.DOTALL) for text in (mine, other))


def kind_of(sequence: str) -> str:
    if MARKS.fullmatch(sequence):
        return "mark"
    return next((kind for kind, pattern in KINDS.items() if pattern.fullmatch(sequence)), "unpaired")


def value_of(sequence: str, marks: er7.Delimiters) -> str:
    known = {
        "F": marks.field,
        "S": marks.component,
        "T": marks.subcomponent,
        "R": marks.repetition,
        "E": marks.escape,
    }
    return re.escape(known[sequence]) if sequence in known else ".*?"


# --- the rest -----------------------------------------------------------------------------------------------------------------


def unpaired(found: Difference) -> bool:
    return by_escape("unpaired")(found) or swallowed(found)


def swallowed(found: Difference) -> bool:
    """python-hl7 loses what follows an escape character without a partner, and with it the place of an empty component."""
    if found.reader != "hl7" or not found.number or isinstance(found.theirs, str):
        return False
    mark = found.message.delimiters.escape

    def kept(tree: Any) -> Any:
        return tree.split(mark)[0] if isinstance(tree, str) else [kept(one) for one in tree]

    lone = [text for text in leaves(raw_parts(found)) if mark in text]
    return (
        all(text.count(mark) == 1 for text in lone) and bool(lone) and trimmed(kept(raw_parts(found))) == found.theirs
    )


VERSIONS = ("2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1")


def stripped_end(found: Difference) -> bool:
    """The very end of the message (hl7apy: of a segment), without its blanks."""
    last = found.segment == len(found.message.segments) - 1
    if not (last or found.reader == "hl7apy") or isinstance(found.theirs, str):
        return False
    mine, other = leaves(found.ours), leaves(found.theirs)
    if not mine or mine == other or mine[:-1] != (other + [""] * len(mine))[: len(mine) - 1]:
        return False
    return mine[-1].rstrip() == (other[-1] if len(other) == len(mine) else "")


def is_second_header(found: Difference) -> bool:
    return found.segment > 0 and found.message.segments[found.segment].name in er7.HEADER_NAMES


def refused_header(found: Difference) -> bool:
    """A refusal where MSH-9 names no event or MSH-12 no version HAPI knows."""
    header = found.message.header
    incomplete = not header.text(9) or not header.text(9, 2) or header.text(12) not in VERSIONS
    return isinstance(found.theirs, str) and incomplete


def misnamed(found: Difference) -> bool:
    return not found.number and bool(found.message.misnamed)


def placeless(found: Difference) -> bool:
    """The same texts in other places: some of them have no number there."""
    if isinstance(found.theirs, str) or not found.number:
        return False
    return spoken(found.ours) == spoken(found.theirs)


def blank(found: Difference) -> bool:
    """Equal once texts of nothing but blanks are empty."""
    return not isinstance(found.theirs, str) and trimmed(unblanked(found.ours)) == trimmed(unblanked(found.theirs))


def unblanked(tree: Any) -> Any:
    return tree.rstrip() if isinstance(tree, str) else [unblanked(one) for one in tree]


def same_number(found: Difference) -> bool:
    mine, other = leaves(found.ours), leaves(found.theirs) if not isinstance(found.theirs, str) else []
    try:
        return len(mine) == len(other) == 1 and Decimal(mine[0]) == Decimal(other[0])
    except InvalidOperation:
        return False


def fifth_mark(found: Difference) -> bool:
    return found.theirs == "InvalidEncodingChars" and bool(found.message.delimiters.truncation)


REASONS = (
    Reason(
        "escape-format",
        ("hapi", "hl7", "hl7apy"),
        "all may",
        r"`\.br\` and its like (2.7.6) are for whoever displays FT. HAPI and hl7apy keep them as written, python-hl7 makes CR and "
        "indents of them; we make one line feed of a break and nothing of a margin: a reader of one line needs no more.",
        by_escape("format"),
    ),
    Reason(
        "escape-hex",
        ("hapi", "hl7"),
        "we",
        r"`\X..\` stands for bytes (2.7.5). HAPI leaves it undecoded; python-hl7 makes one character of each byte, whatever MSH-18 says.",
        by_escape("hex"),
    ),
    Reason(
        "escape-highlight",
        ("hapi", "hl7"),
        "all may",
        r"`\H\` and `\N\` (2.7.3) begin and end what is shown emphasised: no text. HAPI keeps them, python-hl7 writes `_`, we drop them.",
        by_escape("highlight"),
    ),
    Reason(
        "escape-truncation",
        ("hapi", "hl7", "hl7apy"),
        "we",
        r"`\P\` is the truncation character of 2.7 (2.5.5.2). HAPI reads `P`, python-hl7 nothing, hl7apy keeps it as written.",
        by_escape("truncation"),
    ),
    Reason(
        "escape-other",
        ("hapi", "hl7"),
        "we",
        r"`\C..\`, `\M..\` (character sets, 2.7.2) and `\Z..\` (local, 2.7.7): who does not know one keeps or ignores it. We keep "
        "all of it, python-hl7 loses it.",
        by_escape("other"),
    ),
    Reason(
        "escape-unpaired",
        ("hapi", "hl7"),
        "nobody",
        r"An escape character that begins no sequence of chapter 2.7: senders forget `\E\` (paths; `2.3\r`). We keep every character.",
        unpaired,
    ),
    Reason(
        "end-stripped",
        ("hl7", "hl7apy"),
        "we",
        "python-hl7 strips blanks (and a stray FS) from the end of the message, hl7apy from the end of each segment; a field may end in one.",
        stripped_end,
    ),
    Reason(
        "second-header",
        ("hapi", "hl7", "hl7apy"),
        "we",
        "A second MSH in the message: python-hl7 reads it as an ordinary segment; we count its fields as a header's (2.14.9).",
        is_second_header,
    ),
    Reason(
        "blank-dropped",
        ("hl7apy",),
        "we",
        "hl7apy takes a component of nothing but blanks for an empty one.",
        blank,
    ),
    Reason(
        "number-rewritten",
        ("hl7apy",),
        "we",
        "hl7apy reads an NM as a number and writes it anew (`.5` as `0.5`); we keep what was written.",
        same_number,
    ),
    Reason(
        "place-unknown",
        ("hl7apy",),
        "we",
        "Fields and components that the stated version does not know are to be ignored, not moved (2.8.2). hl7apy keeps their text and "
        "loses their place.",
        placeless,
    ),
    Reason(
        "mark-of-2.7",
        ("hl7apy",),
        "we",
        "`#` as the fifth encoding character (2.5.4, since 2.7) in a message that says it is older: hl7apy refuses it.",
        fifth_mark,
    ),
    Reason(
        "header-refused",
        ("hapi",),
        "we",
        "MSH-9 without an event or MSH-12 without a known version: HAPI refuses to read at all. A receiver takes higher versions (2.8) and "
        "answers what it can (ours: AA, then by rule).",
        refused_header,
    ),
    Reason(
        "segment-misnamed",
        ("hapi", "hl7", "hl7apy"),
        "nobody",
        "A segment's name is three letters or digits (2.5.2). Such a message is quarantined (`STRUCT`) or the line counted as stray text, so "
        "what the others make of the name does not matter.",
        misnamed,
    ),
)
