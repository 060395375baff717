"""Which analytes fell silent while their source speaks, and which values moved (reliability C44, C45, 5.3)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from adapter.domain.rhythm import LEARNED, Rhythm, patience
from adapter.store import analytes, feeds
from adapter.store.analytes import Analyte
from adapter.store.database import Snapshot

SPEAKS = timedelta(hours=1)
"""A source that said nothing for longer is silent itself: its light says so, and in time an alarm (`feed-silent`)."""


@dataclass(frozen=True, slots=True)
class Seen:
    analyte: Analyte
    last: datetime


@dataclass(frozen=True, slots=True)
class Silent:
    """No code of the source brings this concept any more; `usual` is the gap there was between its messages."""

    source: str
    concept: str
    last: datetime
    usual: timedelta


@dataclass(frozen=True, slots=True)
class Moved:
    """By which factor the values of a code lie elsewhere, or from which unit it went to this one."""

    analyte: Analyte
    factor: Fraction | None = None
    former: str | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    all: tuple[Seen, ...]
    silent: tuple[Silent, ...]
    moved: tuple[Moved, ...]
    patience: Mapping[str, timedelta]
    """Of each source that brings analytes: how long it may say nothing."""


def watch(conn: Snapshot, now: datetime) -> Watched:
    known = analytes.listing(conn)
    speaking = {row.source for row in feeds.listing(conn) if now - row.last_received <= SPEAKS}
    return Watched(
        tuple(Seen(one, rhythm.last) for one, rhythm in known if rhythm.last is not None),
        tuple(_silent([pair for pair in known if pair[0].source in speaking], now)),
        tuple(_moved(known)),
        {
            source: patience(rhythm for one, rhythm in known if one.source == source)
            for source in {o.source for o, _ in known}
        },
    )


def _silent(known: list[tuple[Analyte, Rhythm]], now: datetime) -> Iterator[Silent]:
    """A concept is silent when all its codes are: another code in its place is a change, not a silence."""
    by_concept: dict[tuple[str, str], list[Rhythm]] = {}
    for one, rhythm in known:
        by_concept.setdefault((one.source, one.concept), []).append(rhythm)
    for (source, concept), rhythms in by_concept.items():
        learned = [rhythm for rhythm in rhythms if rhythm.messages >= LEARNED]
        newest = max((rhythm.last for rhythm in rhythms if rhythm.last is not None), default=None)
        if newest is not None and learned and all(rhythm.silent(now) for rhythm in learned):
            busiest = min(learned, key=lambda rhythm: rhythm.usual)
            if now - newest > busiest.usual:
                yield Silent(source, concept, newest, busiest.usual)


def _moved(known: list[tuple[Analyte, Rhythm]]) -> Iterator[Moved]:
    for one, rhythm in known:
        former = next((other.unit for other, was in known if _replaced((other, was), (one, rhythm))), None)
        if rhythm.shift is not None or former is not None:
            yield Moved(one, rhythm.shift, former)


def _replaced(other: tuple[Analyte, Rhythm], one: tuple[Analyte, Rhythm]) -> bool:
    """The same code went on in another unit, after many messages in its own."""
    (was, then), (now, rhythm) = other, one
    same = (was.source, was.concept, was.code) == (now.source, now.concept, now.code) and was.unit != now.unit
    if not same or then.messages < LEARNED or then.last is None or rhythm.first is None:
        return False
    return then.last <= rhythm.first
