"""What somebody searches for, held against what the page shows of a patient: by words, however their letters are written."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapter.domain.alert import SHORT
from adapter.web.tongue import say

WORD = re.compile(r"[^\W_]+")
JOINED = re.compile(r"[^\W_]+(?:[-./][^\W_]+)*")
BED = re.compile(r"\d{1,2}")
"""A number so short is one of its own: bed 5 is no part of every patient's number."""

OWN = ("MRN", "bed %(name)s", "Candidate %(number)s")
MAIL = "Candidate"
"""Messages are English whatever language the pages speak."""


@dataclass(frozen=True, slots=True)
class Question:
    """Its words as they are compared; none answers to nobody."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, said: str) -> "Question":
        """Without the words that the page itself puts before numbers and a bed, unless nothing else was said."""
        asked = tuple(_asked(said))
        own = frozenset(_words(*(say(text, name="", number="") for text in OWN), MAIL))
        return cls(tuple(word for word in asked if word not in own) or asked)

    def met(self, numbers: Sequence[str], said: Sequence[str]) -> bool:
        """`said` of a patient, their number last, which is also known without what divides it; the candidate's own `numbers`, now
        and formerly, begin with what messages and pages show of them.
        """
        told = f" {' '.join(_words(*said))} / {''.join(_words(said[-1]))} "
        return bool(self.words) and all(_sought(word) in told or _names(word, numbers) for word in self.words)


def folded(text: str) -> str:
    """Without accents and case: Παράδειγμα, ΠΑΡΑΔΕΙΓΜΑ and παραδειγμα are one."""
    if text.isascii():
        return text.lower()
    spread = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in spread if not unicodedata.combining(letter)).casefold()


def _words(*texts: str) -> list[str]:
    return WORD.findall(folded(" ".join(texts)))


def _asked(said: str) -> Iterator[str]:
    """What is joined and holds a digit is one number: 12-345 is no 345 and 12 anywhere."""
    for found in JOINED.findall(folded(said)):
        parts = WORD.findall(found)
        yield from [" ".join(parts)] if any(letter.isdigit() for letter in found) else parts


def _names(word: str, numbers: Sequence[str]) -> bool:
    return len(word) >= SHORT and any(number.startswith(word) for number in numbers)


def _sought(word: str) -> str:
    return f" {word} " if BED.fullmatch(word) else word
