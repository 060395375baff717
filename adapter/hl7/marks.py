"""MSH-1 and MSH-2: the separators that a message says it uses (chapter 2.5.4)."""

from functools import lru_cache

from adapter.errors import MalformedMessageError
from adapter.hl7.escapes import Delimiters
from adapter.hl7.lines import is_separator

_NAME = 3
_ENCODING_CHARACTERS = (4, 5)
_LONGEST_MARKS = 16
"""Bytes of the header in which MSH-1 and MSH-2 must stand."""


def delimiters_of(header: bytes) -> Delimiters:
    separator = header[_NAME : _NAME + 1]
    if not separator:
        raise _unusable()
    return _read(header[_NAME:_LONGEST_MARKS].split(separator, 2)[1], separator)


@lru_cache(maxsize=64)
def _read(characters: bytes, separator: bytes) -> Delimiters:
    marks = [bytes([mark]) for mark in separator + characters]
    different = len(set(marks)) == len(marks)
    if len(characters) not in _ENCODING_CHARACTERS or not different or not all(map(is_separator, marks)):
        raise _unusable()
    return Delimiters(*(mark.decode("ascii") for mark in marks))


def _unusable() -> MalformedMessageError:
    return MalformedMessageError(
        "DELIMS", "MSH-1 and MSH-2 are not five or six different marks — ask the sender to mend them"
    )
