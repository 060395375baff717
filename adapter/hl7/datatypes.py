"""HL7 data types as Python values: times, numbers and identifiers; what cannot be read is None, never a guess (chapter 2A)."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from adapter.hl7.er7 import Segment

Precision = Literal["year", "month", "day", "hour", "minute", "second", "fraction"]

_MOMENT = re.compile(
    r"(?P<year>[0-9]{4})(?:(?P<month>[0-9]{2})(?:(?P<day>[0-9]{2})(?:(?P<hour>[0-9]{2})"
    r"(?:(?P<minute>[0-9]{2})(?:(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?)?)?)?)?)?"
    r"(?P<zone>[+-][0-9]{4})?"
)
_PARTS: tuple[Precision, ...] = ("year", "month", "day", "hour", "minute", "second", "fraction")
_EARLIEST = (1, 1, 1, 0, 0, 0)
_LEAP_SECOND = 60
_MICROSECOND_DIGITS = 6
_MINUTES_IN_HOUR = 60
_LONGEST_OFFSET = timedelta(hours=14)

_COMPARATORS = {"≤": "<=", "=<": "<=", "≥": ">=", "=>": ">=", "=": None, "": None}
_NUMBER = re.compile(
    r"(?P<comparator>[<>]=?|=[<>]?|[≤≥])? *(?P<sign>[+-]?)(?P<digits>[0-9]*)(?:(?P<mark>[.,])(?P<decimals>[0-9]*))?"
)
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:[.,][0-9]{3})+")
_LONGEST_NUMBER = 40
"""Characters: a longer "number" is an attack or a mistake, and digits cost quadratic time."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A DTM. `instant` is aware, with a fixed offset, so that differences are true durations across a change of clocks.

    Flags: `dst-ambiguous` (the hour came twice; the first instant is kept, `latest` is the other), `dst-gap` (the hour was
    skipped; shifted forward), `leap-second` (read as :59). A coarse value stands for its first instant. `iso` is `instant`
    written in ISO 8601, once.
    """

    instant: datetime
    precision: Precision
    zone_stated: bool
    flags: tuple[str, ...] = ()
    latest: datetime | None = None
    iso: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "iso", self.instant.isoformat())


@dataclass(frozen=True, slots=True)
class Number:
    """An exact number, with `<`, `<=`, `>` or `>=` where the sender gave a bound."""

    value: Fraction
    comparator: str | None = None


@dataclass(frozen=True, slots=True)
class Identifier:
    """A CX: the value, who assigned it (namespace, else universal id), and its type (`MR`, `VN`, …)."""

    value: str
    authority: str = ""
    type: str = ""


def moment(text: str, zone: tzinfo) -> Moment | None:
    """Read `YYYY[MM[DD[HH[MM[SS[.S…]]]]]][±ZZZZ]`; `zone` is used where the text states none."""
    found = _MOMENT.fullmatch(text.strip(" "))
    if found is None:
        return None
    precision: Precision = next(part for part in reversed(_PARTS) if found[part] is not None)
    given = [int(found[part]) for part in _PARTS[:-1] if found[part] is not None]
    flags = _tame_leap_second(given)
    try:
        stated = _offset(found["zone"])
        year, month, day, hour, minute, second = (*given, *_EARLIEST[len(given) :])
        wall = datetime(year, month, day, hour, minute, second, _microseconds(found["fraction"]), tzinfo=stated or zone)
        first, latest, clock = _instants(wall)
    except (ValueError, OverflowError):
        return None
    return Moment(first, precision, stated is not None, flags + clock, latest)


def _tame_leap_second(given: list[int]) -> tuple[str, ...]:
    if len(given) == len(_EARLIEST) and given[-1] == _LEAP_SECOND:
        given[-1] -= 1
        return ("leap-second",)
    return ()


def _microseconds(fraction: str | None) -> int:
    return int((fraction or "0")[:_MICROSECOND_DIGITS].ljust(_MICROSECOND_DIGITS, "0"))


def _offset(text: str | None) -> timezone | None:
    if text is None:
        return None
    hours, minutes = int(text[1:3]), int(text[3:])
    offset = timedelta(hours=hours, minutes=minutes)
    if minutes >= _MINUTES_IN_HOUR or offset > _LONGEST_OFFSET:
        raise ValueError(text)
    return _zone(-offset if text[0] == "-" else offset)


@lru_cache(maxsize=64)
def _zone(offset: timedelta) -> timezone:
    """One zone for one offset: two moments of the same zone are compared at once."""
    return timezone(offset)


def _instants(wall: datetime) -> tuple[datetime, datetime | None, tuple[str, ...]]:
    """The instant a wall clock means, the other one where the hour came twice, and what was odd."""
    early, late = wall.replace(fold=0), wall.replace(fold=1)
    before, after = early.utcoffset(), late.utcoffset()
    if before is None or after is None:
        raise ValueError("a zone without an offset")
    first = early.astimezone(UTC)
    if before == after:
        return _fixed(first, before), None, ()
    if before > after:
        return _fixed(first, before), _fixed(late.astimezone(UTC), after), ("dst-ambiguous",)
    return _fixed(first, after), None, ("dst-gap",)


def _fixed(instant: datetime, offset: timedelta) -> datetime:
    return instant.astimezone(_zone(offset))


def number(text: str, *, decimal: str = ".") -> Number | None:
    """Read an NM, or an ST that holds a number: ASCII digits, a sign, a comparator, `decimal` as the decimal mark.

    No exponents, no grouping, no words: `1e3`, `1,234.5`, `1:40`, `+++` and `haemolysed` are None.
    """
    found = _NUMBER.fullmatch(text.strip(" ")) if len(text) <= _LONGEST_NUMBER else None
    if found is None or found["mark"] not in (None, decimal):
        return None
    digits, decimals = found["digits"], found["decimals"] or ""
    if not digits + decimals:
        return None
    value = Fraction(int(digits + decimals), 10 ** len(decimals))
    written = found["comparator"] or ""
    return Number(-value if found["sign"] == "-" else value, _COMPARATORS.get(written, written))


def grouping_ambiguous(text: str, decimal: str = ".") -> bool:
    """Whether `4.420` or `4,420` might be four thousand or four: some group marks, each before three digits.

    With several marks of one kind (`1,234,567`) the text is no decimal number; it is ambiguous too where the mark is the
    site's decimal mark, and otherwise only unreadable to `number`.
    """
    plain = text.strip(" ").lstrip("<>=≤≥").strip(" ").lstrip("+-")
    if len(text) > _LONGEST_NUMBER or _GROUPED.fullmatch(plain) is None:
        return False
    marks = [letter for letter in plain if not letter.isdigit()]
    return len(marks) == 1 or decimal in marks


def structured_number(parts: tuple[str, ...], *, decimal: str = ".") -> Number | None:
    """Read an SN (`>^100`, `^5`); a ratio, a range or a category (`^1^:^128`, `^2^+`) is no number."""
    comparator, first, *rest = (*parts, "", "")
    if any(rest):
        return None
    read = number(first, decimal=decimal)
    written = comparator.strip(" ")
    if read is None or read.comparator is not None or written not in {"", "=", "<", ">", "<=", ">=", "≤", "≥"}:
        return None
    return Number(read.value, _COMPARATORS.get(written, written))


def identifier(segment: Segment, field: int, repetition: int = 1) -> Identifier:
    """Read a CX: CX.1, the assigning authority CX.4 (namespace, else universal id), the type CX.5."""
    authority = segment.text(field, 4, 1, repetition) or segment.text(field, 4, 2, repetition)
    return Identifier(segment.text(field, 1, 1, repetition), authority, segment.text(field, 5, 1, repetition))


def identifiers(segment: Segment, field: int) -> tuple[Identifier, ...]:
    """Every repetition that holds a value (PID-3 repeats)."""
    found = (identifier(segment, field, repetition) for repetition in range(1, segment.repetitions(field) + 1))
    return tuple(one for one in found if one.value)
