"""`adapter screen`: an archive sorted by person and time, and each person's record followed by worker processes."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from multiprocessing import get_context
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any

from adapter import assets
from adapter.daemon.clock import utc_now
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
from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.observation import BEGINNING
from adapter.domain.patient import Demographics, PatientId
from adapter.domain.persons import person_of
from adapter.domain.ties import Tie
from adapter.errors import ConfigError, MalformedMessageError
from adapter.fhir.gather import latest_in
from adapter.hl7 import er7
from adapter.hl7.datatypes import identifiers
from adapter.mapping.feed import feed_of
from adapter.mapping.identity import patient_identity
from adapter.screening.interpret import Interpretation, interpret, unreadable
from adapter.screening.retrospect import Told, follow
from adapter.screening.rulebook import Rulebook

SEVERAL = re.compile(rb"[\r\n]MRG[^A-Z0-9]|[\r\n]PID[^A-Z0-9][^\x00]*[\r\n]PID[^A-Z0-9]")
"""A message that may touch more than one record."""
SHARE = 500
"""Messages that a worker is handed at a time, at least; a person is never divided."""


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


@dataclass(frozen=True, slots=True)
class Letter:
    """A message of the archive: `at` is when it was sent, by its own header."""

    source: str
    body: bytes
    at: datetime
    kind: MessageKind = MessageKind.HL7V2


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


class Sorter:
    """Messages by the persons they touch; persons who share a message are one pile."""

    def __init__(self, site: str, rules: Rulebook) -> None:
        self._site, self._rules = site, rules
        self._pile: dict[PatientId, PatientId] = {}
        self._letters: dict[PatientId | None, list[Letter]] = {}
        self._last: datetime | None = None

    def put(self, source: str, body: bytes, kind: MessageKind = MessageKind.HL7V2) -> None:
        at, touched = self._look_fhir(body) if kind is MessageKind.FHIR else self._look(body)
        self._last = at or self._last
        letter = Letter(source, body, self._last or utc_now(), kind)
        for other in touched[1:]:
            self._pile[self._head(other)] = self._head(touched[0])
        self._letters.setdefault(touched[0] if touched else None, []).append(letter)

    def piles(self) -> list[list[Letter]]:
        """Each in order of time."""
        piles: dict[PatientId | None, list[Letter]] = {}
        for patient, letters in self._letters.items():
            piles.setdefault(None if patient is None else self._head(patient), []).extend(letters)
        return [sorted(pile, key=attrgetter("at")) for pile in piles.values()]

    def _head(self, patient: PatientId) -> PatientId:
        while (above := self._pile.get(patient, patient)) != patient:
            patient = above
        return patient

    def _look(self, body: bytes) -> tuple[datetime | None, tuple[PatientId, ...]]:
        words = self._rules.words[self._site]
        try:
            parsed = er7.parse(body, words.site.encoding)
        except MalformedMessageError:
            return None, ()
        feed = feed_of(parsed, words, message_id="", received=LAST)
        if SEVERAL.search(body):
            return feed.told, touched(interpret(letter_raw(self._site, body, LAST), self._rules, message_id="").events)
        pid = parsed.first("PID")
        patient = patient_identity(() if pid is None else identifiers(pid, 3), words.site)
        return feed.told, (patient,) if isinstance(patient, PatientId) else ()

    def _look_fhir(self, body: bytes) -> tuple[datetime | None, tuple[PatientId, ...]]:
        at = latest_in(body)
        seen = _read(Letter("", body, at or utc_now(), MessageKind.FHIR), self._site, self._rules)
        return at, touched(seen.events)


LAST = datetime(9998, 1, 1, tzinfo=UTC)
"""An archive may lie in any time: while it is sorted nothing of it is in the future."""


def touched(events: Collection[ClinicalEvent]) -> tuple[PatientId, ...]:
    found = [event.patient for event in events]
    found += [record for event in events if isinstance(event, RecordsTied) for record in event.tie.records]
    return tuple(dict.fromkeys(found))


def letter_raw(site: str, body: bytes, at: datetime, kind: MessageKind = MessageKind.HL7V2) -> RawMessage:
    return RawMessage("screen", site, kind, body, at)


def screened(letters: Sequence[Letter], site: str, rules: Rulebook) -> Found:
    """One pile: the records that are one person at the end are one from the beginning; visits stay where they were told."""
    found = Found()
    said: dict[PatientId, list[Told]] = {}
    ties: set[Tie] = set()
    read: list[tuple[datetime, tuple[ClinicalEvent, ...]]] = []
    for letter in letters:
        seen = _read(letter, site, rules)
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
    """The last moment of what may be a month or a year."""
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return LAST
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC) + timedelta(days=1)


def _moments(told: Iterable[Told]) -> Iterator[Told]:
    """What was told at one moment is judged once."""
    for at, group in groupby(told, key=attrgetter("at")):
        yield Told(at, tuple(event for one in group for event in one.events))


def _read(letter: Letter, site: str, rules: Rulebook) -> Interpretation:
    message = letter_raw(site, letter.body, letter.at, letter.kind)
    try:
        return interpret(message, rules, message_id=letter.source)
    except MalformedMessageError as error:
        return unreadable(letter.body, error.code)


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


def screen_all(piles: list[list[Letter]], wish: Rules, workers: int, on_done: Callable[[int], object]) -> Found:
    """The same whatever the number of workers; `on_done` hears how many messages are behind us."""
    shares = list(_shares(sorted(piles, key=len, reverse=True)))
    results: dict[int, Found] = {}
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_load, initargs=(wish,)) as pool:
        waiting = {pool.submit(_work, share): number for number, share in enumerate(shares)}
        for done in as_completed(waiting):
            results[waiting[done]] = done.result()
            on_done(sum(map(len, shares[waiting[done]])))
    found = Found()
    for number in range(len(shares)):
        found.add(results[number])
    return found


def _shares(piles: Iterable[list[Letter]]) -> Iterator[list[list[Letter]]]:
    share: list[list[Letter]] = []
    for pile in piles:
        share.append(pile)
        if sum(map(len, share)) >= SHARE:
            yield share
            share = []
    if share:
        yield share
