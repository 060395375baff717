"""`adapter screen`: an archive sorted by person and time, and each person's record followed by worker processes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from multiprocessing import get_context
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any

from adapter import assets
from adapter.daemon.sorting import LAST, Pile, read_letter
from adapter.daemon.spool import Letter, Spool
from adapter.domain.document import nearest
from adapter.domain.events import (
    AdministrationStated,
    ClinicalEvent,
    ConditionStated,
    EncounterChanged,
    ObservationReceived,
    PatientDescribed,
    RecordsTied,
)
from adapter.domain.message import MessageKind
from adapter.domain.observation import BEGINNING
from adapter.domain.patient import Demographics, PatientId
from adapter.domain.persons import person_of
from adapter.domain.ties import Tie
from adapter.errors import ConfigError
from adapter.screening.interpret import Interpretation
from adapter.screening.retrospect import Told, follow
from adapter.screening.rulebook import Rulebook

AHEAD = 2
"""Shares of each worker: one in hand, and one that waits."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a worker needs to load the rules by itself."""

    site: str
    trials: tuple[str, ...]
    assets: Path | None = None
    production: bool = True

    def load(self) -> Rulebook:
        """Raises ConfigError."""
        rules = assets.load_rulebook(self.assets, trials=self.trials, production=self.production)
        if self.site not in rules.sites:
            raise ConfigError(f"no site '{self.site}'{nearest(self.site, rules.sites)}")
        return rules


@dataclass
class Found:
    """Of some persons: a row for each episode (`person` counts them), who they are, and what became of their messages."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    persons: list[PatientId] = field(default_factory=list)
    messages: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    ledger: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Found") -> None:
        self.rows += [row | {"person": row["person"] + len(self.persons)} for row in other.rows]
        self.persons += other.persons
        for name in ("messages", "reasons", "ledger"):
            _sum(getattr(self, name), getattr(other, name))

    def count(self, seen: Interpretation) -> None:
        _sum(self.messages, {seen.disposition: 1})
        _sum(self.reasons, {seen.reason: 1} if seen.reason else {})
        _sum(self.ledger, seen.ledger.as_json())


def _sum(into: dict[str, int], more: dict[str, int]) -> None:
    for name, count in more.items():
        into[name] = into.get(name, 0) + count


def screened(letters: Sequence[Letter], site: str, rules: Rulebook) -> Found:
    """One pile: the records that are one person at the end are one from the beginning; visits stay where they were told."""
    found = Found()
    said: dict[PatientId, list[Told]] = {}
    ties: set[Tie] = set()
    read: list[tuple[datetime, tuple[ClinicalEvent, ...]]] = []
    for letter in letters:
        seen = read_letter(letter, site, rules)
        found.count(seen)
        ties |= {event.tie for event in seen.events if isinstance(event, RecordsTied)}
        read += by_their_own_clock(seen.events) if letter.kind is MessageKind.FHIR else [(letter.at, seen.events)]
    read.sort(key=itemgetter(0))
    for at, events in read:
        for patient, ours in groupby(events, key=attrgetter("patient")):
            said.setdefault(person_of(patient, ties).name, []).append(Told(at, tuple(ours)))
    for person, told in said.items():
        rows = [course.row() for course in follow(person, _moments(told), rules)]
        found.add(Found([row | {"person": 0, "episode": n} for n, row in enumerate(rows, 1)], [person]))
    return found


def by_their_own_clock(events: Iterable[ClinicalEvent]) -> Iterator[tuple[datetime, tuple[ClinicalEvent, ...]]]:
    """FHIR's files say how things ended, not when they were told: each is told when it was known at the earliest.

    Who a patient is, and what has no time, is known from the first of them on.
    """
    parts = [(_known(part), part) for event in events for part in _apart(event)]
    first = min((at for at, _ in parts if at != BEGINNING), default=BEGINNING)
    yield from ((max(at, first), (part,)) for at, part in parts)


def _apart(event: ClinicalEvent) -> Iterator[ClinicalEvent]:
    """A death is not known with the date of birth."""
    died = event.demographics.fields.get("died") if isinstance(event, PatientDescribed) else None
    if not isinstance(event, PatientDescribed) or died is None:
        yield event
        return
    lived = {name: said for name, said in event.demographics.fields.items() if name != "died"}
    yield PatientDescribed(event.patient, Demographics(lived))
    yield PatientDescribed(event.patient, Demographics({"died": died}))


def _known(event: ClinicalEvent) -> datetime:
    match event:
        case ObservationReceived():
            return event.observation.issued or event.observation.effective
        case EncounterChanged():
            return event.statement.at
        case AdministrationStated():
            return event.administration.start
        case ConditionStated():
            return event.condition.at
        case PatientDescribed() if died := event.demographics.get("died"):
            return _end_of(died)
        case _:
            return BEGINNING


def _end_of(said: str) -> datetime:
    """A moment as it was told, of a day its end. Of a month or a year alone nobody knows the day: the last moment there is."""
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return LAST
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC) + timedelta(days=1)


def _moments(told: Iterable[Told]) -> Iterator[Told]:
    """What was told at one moment is judged once."""
    for at, group in groupby(told, key=attrgetter("at")):
        yield Told(at, tuple(event for one in group for event in one.events))


_loaded: list[tuple[str, Rulebook]] = []
"""A worker's own: rules are loaded once a process."""


def _load(wish: Rules) -> None:
    _loaded[:] = [(wish.site, wish.load())]


def _work(piles: list[list[Letter]]) -> Found:
    site, rules = _loaded[0]
    found = Found()
    for pile in piles:
        found.add(screened(pile, site, rules))
    return found


def screen_all(piles: list[Pile], spool: Spool, wish: Rules, workers: int, on_done: Callable[[int], object]) -> Found:
    """The same whatever the number of workers; `on_done` hears how many messages are behind us.

    No more of the archive is in memory than what the workers have.
    """
    shares = enumerate(_shares(sorted(piles, key=len, reverse=True)))
    results: dict[int, Found] = {}
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_load, initargs=(wish,)) as pool:
        waiting: dict[Future[Found], tuple[int, int]] = {}
        while True:
            for number, share in islice(shares, AHEAD * workers - len(waiting)):
                letters = [sorted(map(spool.letter, pile.places), key=attrgetter("at")) for pile in share]
                waiting[pool.submit(_work, letters)] = number, sum(map(len, share))
            if not waiting:
                break
            for done in wait(waiting, return_when=FIRST_COMPLETED).done:
                number, count = waiting.pop(done)
                results[number] = done.result()
                on_done(count)
    found = Found()
    for number in range(len(results)):
        found.add(results[number])
    return found


def _shares(piles: Iterable[Pile]) -> Iterator[list[Pile]]:
    share, whole = [], Pile()
    for pile in piles:
        share.append(pile)
        whole.put(pile.places, pile.size)
        if whole.is_share:
            yield share
            share, whole = [], Pile()
    if share:
        yield share
