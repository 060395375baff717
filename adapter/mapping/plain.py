"""Text fit to keep: what a message says, without bytes nobody can read and without end."""

import unicodedata

LONGEST = 200
"""Characters of a name, a code, a value; longer text is cut (reliability H36)."""
UNREADABLE = dict.fromkeys((0, *range(55296, 57344)), "�")
"""NUL and the surrogates that undecodable bytes survive as: neither can be stored as text."""


def plain(text: str) -> str:
    """The text as it may be stored and shown: HL7's null kept, unreadable bytes as U+FFFD, cut at LONGEST."""
    kept = text[:LONGEST].strip()
    return kept if kept.isascii() and "\0" not in kept else kept.translate(UNREADABLE)


def same_word(text: str) -> str:
    """What the spellings of one word have in common: case and accents do not matter (`ΘΕΤΙΚΟ` is `Θετικό`)."""
    if text.isascii():
        return text.lower()
    marked = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in marked if not unicodedata.combining(letter)).casefold()
