"""What a rule found: its truth, what it rests on, what would settle it, and when time alone changes it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import TypeVar

from adapter.domain.assessment import Evidence
from adapter.domain.quantity import Interval
from adapter.domain.trial import Combination, Comparison, Connective, Operator
from adapter.domain.truth import Truth, all_of, any_of, negate

Item = TypeVar("Item")


@dataclass(slots=True)  # never changed once made; frozen ones take three times as long to make
class Reading:
    """A fact as read. Numbers are intervals (several where sources disagree at one time), other facts a `word`.

    `assumed` is what a number would be if a person confirmed what no feed can tell (the SOFA before). `applies` is
    whether the comparison's context holds: `False` settles it, `None` leaves it to a person.
    """

    intervals: tuple[Interval, ...] = ()
    word: str | bool | None = None
    assumed: Interval | None = None
    applies: bool | None = True
    evidence: tuple[Evidence, ...] = ()
    flags: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    changes: datetime | None = None


@dataclass(slots=True)  # as above
class Finding:
    """`person`: what is unknown would be settled by a person rather than by more data."""

    truth: Truth
    evidence: tuple[Evidence, ...] = ()
    flags: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    person: bool = False
    changes: datetime | None = None


@lru_cache(maxsize=1024)
def whole_interval(low: int | None, high: int | None) -> Interval:
    """Of points or years: the same few, again and again."""
    return Interval(None if low is None else Fraction(low), None if high is None else Fraction(high))


def compare(comparison: Comparison, reading: Reading) -> Finding:
    """A number is met or not met only where every point of its interval agrees; otherwise it is unknown."""
    if reading.applies is False:
        return Finding(Truth.NOT_MET, changes=reading.changes)
    truth = _truth(comparison, reading)
    person = _person_settles(comparison, reading, truth)
    if reading.applies is None and truth is Truth.MET:
        truth = Truth.UNKNOWN
    open_question = truth is Truth.UNKNOWN
    return Finding(
        truth,
        evidence=reading.evidence,
        flags=reading.flags,
        asks=reading.asks if open_question else (),
        missing=reading.missing if open_question else (),
        person=person and open_question,
        changes=reading.changes,
    )


def _person_settles(comparison: Comparison, reading: Reading, truth: Truth) -> bool:
    if truth is Truth.MET:
        return True
    return reading.assumed is not None and inside(reading.assumed, comparison) is Truth.MET


def _truth(comparison: Comparison, reading: Reading) -> Truth:
    if comparison.operator is Operator.IS:
        return Truth.UNKNOWN if reading.word is None else _same(reading.word, comparison.value)
    truths = {inside(interval, comparison) for interval in reading.intervals}
    return truths.pop() if len(truths) == 1 else Truth.UNKNOWN


def _same(word: str | bool, value: Fraction | str | bool) -> Truth:
    return Truth.MET if word == value else Truth.NOT_MET


def inside(interval: Interval, comparison: Comparison) -> Truth:
    """Strict and half-open as the protocol writes it: 4420 is not above 4420, `>4420` is."""
    limit = comparison.value
    if not isinstance(limit, Fraction):
        return Truth.UNKNOWN
    match comparison.operator:
        case Operator.AT_LEAST:
            return _at_least(interval, limit)
        case Operator.BELOW:
            return negate(_at_least(interval, limit))
        case Operator.ABOVE:
            return _above(interval, limit)
        case _:
            return negate(_above(interval, limit))


def _at_least(interval: Interval, limit: Fraction) -> Truth:
    low, high = interval.low, interval.high
    if low is not None and low >= limit:
        return Truth.MET
    if high is not None and (high < limit or (high == limit and interval.high_open)):
        return Truth.NOT_MET
    return Truth.UNKNOWN


def _above(interval: Interval, limit: Fraction) -> Truth:
    low, high = interval.low, interval.high
    if low is not None and (low > limit or (low == limit and interval.low_open)):
        return Truth.MET
    if high is not None and high <= limit:
        return Truth.NOT_MET
    return Truth.UNKNOWN


def combine(combination: Combination, findings: Iterable[Finding]) -> Finding:
    """Kleene's logic; the evidence and questions are those of the parts that decided, or that still could."""
    parts = tuple(findings)
    match combination.connective:
        case Connective.NOT:
            return replace(parts[0], truth=negate(parts[0].truth))
        case Connective.ALL:
            return _joined(all_of(part.truth for part in parts), parts, settles=all)
        case _:
            return _joined(any_of(part.truth for part in parts), parts, settles=any)


def _joined(truth: Truth, parts: tuple[Finding, ...], *, settles: Callable[[Iterable[bool]], bool]) -> Finding:
    deciding = [part for part in parts if part.truth is truth]
    told = parts if truth is Truth.UNKNOWN else tuple(deciding)
    return Finding(
        truth,
        evidence=unique(item for part in told for item in part.evidence),
        flags=unique(flag for part in told for flag in part.flags),
        asks=unique(ask for part in deciding for ask in part.asks),
        missing=unique(concept for part in deciding for concept in part.missing),
        person=truth is Truth.UNKNOWN and settles(part.person for part in deciding),
        changes=earliest(part.changes for part in parts),
    )


def unique(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(dict.fromkeys(items))


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
