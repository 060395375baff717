r"""Escape sequences of HL7 v2 (chapter 2.7): read after splitting, in one pass, and written when composing.

`\E\F\E\` is the text `\F\`; `\X0D\` is a carriage return inside a text and never ends a segment. What is not known stays
as it was written. `\C2842\` and `\M2442\` switch the character set as ISO 2022 does, for a channel that carries no escape byte.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple


class Delimiters(NamedTuple):
    """MSH-1 and MSH-2 of this message. `truncation` is the fifth encoding character of v2.7, or empty."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""

    @property
    def encoding_characters(self) -> str:
        return self.component + self.repetition + self.escape + self.subcomponent + self.truncation


STANDARD = Delimiters()

REMEMBERED, SHORT = 512, 80
"""So many of the last texts, of so many characters at most: a feed says the names of its tests again and again."""

_LINE_BREAK = "\n"
_ESC = "\x1b"
_ISO_2022 = ("iso2022_jp_ext", "iso2022_jp_2", "iso2022_kr", "iso2022_jp_2004")
_SEQUENCES = (
    r"(?:(?P<mark>[FSTREP])|X(?P<hex>(?:[0-9A-Fa-f]{2})+)|(?P<format>\.(?:br|sp|ce|sk|fi|nf|in|ti)[+-]?[0-9]*)"
    r"|C(?P<single>[0-9A-Fa-f]{4})|M(?P<multi>[0-9A-Fa-f]{4}(?:[0-9A-Fa-f]{2})?)|[HN])"
)
_BREAKS = (".br", ".sp", ".ce")
_CONTROL = re.compile(r"[\x00-\x1f]")
_SPECIAL = re.compile(r"[\x00-\x1f|^~\\&]")
"""What may not stand in a field as it is, with the standard delimiters."""


def decoder(delimiters: Delimiters, charset: str) -> Callable[[str], str]:
    """A function from escaped to plain text. Linear in the text; never raises on text."""
    escape = re.escape(delimiters.escape)
    pattern = re.compile(escape + _SEQUENCES + escape)
    switches = re.compile(escape + r"[CM][0-9A-Fa-f]{4}")
    marks = {
        "F": delimiters.field,
        "S": delimiters.component,
        "T": delimiters.subcomponent,
        "R": delimiters.repetition,
        "E": delimiters.escape,
        "P": delimiters.truncation or "#",
    }

    def plain(found: re.Match[str]) -> str:
        if mark := found["mark"]:
            return marks[mark]
        if switch := found["single"] or found["multi"]:
            return _ESC + bytes.fromhex(switch).decode("latin-1")
        if digits := found["hex"]:
            return _hexadecimal(digits, charset)
        formatting = found["format"]
        if formatting is None:
            return ""
        if formatting.startswith(_BREAKS):
            return _LINE_BREAK
        return " " if formatting.startswith(".sk") else ""

    def decode(text: str) -> str:
        plainly = pattern.sub(plain, text)
        return _switched(plainly, text) if _ESC in plainly and switches.search(text) else plainly

    known = lru_cache(maxsize=REMEMBERED)(decode)
    return lambda text: known(text) if len(text) <= SHORT else decode(text)


def _switched(text: str, written: str) -> str:
    """ISO 2022 read as such, in whichever of its Japanese forms knows it; what none knows stays as it was written."""
    for codec in _ISO_2022:
        try:
            return text.encode("ascii").decode(codec)
        except UnicodeError:
            continue
    return written


def _hexadecimal(digits: str, charset: str) -> str:
    data = bytes.fromhex(digits)
    try:
        return data.decode(charset, "surrogateescape")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def escaped(text: str, delimiters: Delimiters = STANDARD) -> str:
    """Text as it may stand in a field; control characters become hexadecimal sequences."""
    if delimiters is STANDARD and not _SPECIAL.search(text):
        return text
    mark = delimiters.escape
    names = {
        delimiters.escape: "E",
        delimiters.field: "F",
        delimiters.component: "S",
        delimiters.subcomponent: "T",
        delimiters.repetition: "R",
    }
    table = {ord(character): f"{mark}{name}{mark}" for character, name in names.items()}
    return _CONTROL.sub(lambda found: f"{mark}X{ord(found[0]):02X}{mark}", text.translate(table))
