"""`adapter screen`: whom each message of an archive touches, without holding the archive."""

import re
from array import array
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from adapter.daemon.clock import utc_now
from adapter.daemon.spool import Letter, Spool
from adapter.domain.events import ClinicalEvent, RecordsTied
from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.patient import PatientId
from adapter.errors import MalformedMessageError
from adapter.fhir.gather import latest_in
from adapter.hl7 import er7
from adapter.hl7.datatypes import identifiers
from adapter.mapping.feed import feed_of
from adapter.mapping.identity import patient_identity
from adapter.screening.interpret import Interpretation, interpret, unreadable
from adapter.screening.rulebook import Rulebook

LAST = datetime(9998, 1, 1, tzinfo=UTC)
"""An archive may lie in any time: while it is sorted nothing of it is in the future."""
SEVERAL = re.compile(rb"[\r\n]MRG[^A-Z0-9]|[\r\n]PID[^A-Z0-9][^\x00]*[\r\n]PID[^A-Z0-9]")
"""A message that may touch more than one record."""
SHARE, HEAVY = 500, 4 * 1024 * 1024
"""Messages, or bytes of them, that a worker is handed at a time, at least; a person is never divided."""


@dataclass(slots=True)
class Pile:
    """Places in the spool of messages that are followed together, and how many bytes they are."""

    places: "array[int]" = field(default_factory=lambda: array("Q"))
    size: int = 0

    def put(self, places: Iterable[int], size: int) -> None:
        self.places.extend(places)
        self.size += size

    def __len__(self) -> int:
        return len(self.places)

    @property
    def is_share(self) -> bool:
        return len(self) >= SHARE or self.size >= HEAVY


class Sorter:
    """Messages by the persons they touch; persons who share a message are one pile."""

    def __init__(self, site: str, rules: Rulebook, spool: Spool) -> None:
        self._site, self._rules, self._spool = site, rules, spool
        self._above: dict[PatientId, PatientId] = {}
        self._piles: dict[PatientId, Pile] = {}
        self._nobodys: list[Pile] = []
        self._last: datetime | None = None

    def put(self, source: str, body: bytes, kind: MessageKind = MessageKind.HL7V2, lost: str = "") -> None:
        at, touched = (None, ()) if lost else self._look_fhir(body) if kind is MessageKind.FHIR else self._look(body)
        self._last = at or self._last
        place = self._spool.put_letter(Letter(source, body, self._last or utc_now(), kind, lost))
        for other in touched[1:]:
            self._above[self._head(other)] = self._head(touched[0])
        pile = self._piles.setdefault(touched[0], Pile()) if touched else self._nobody()
        pile.put((place,), len(body))

    def piles(self) -> list[Pile]:
        """Record by record, each in the order of the archive; what touches nobody need not be together."""
        piles: dict[PatientId, Pile] = {}
        for patient, pile in self._piles.items():
            piles.setdefault(self._head(patient), Pile()).put(pile.places, pile.size)
        return [*piles.values(), *self._nobodys]

    def _nobody(self) -> Pile:
        if not self._nobodys or self._nobodys[-1].is_share:
            self._nobodys.append(Pile())
        return self._nobodys[-1]

    def _head(self, patient: PatientId) -> PatientId:
        while (above := self._above.get(patient, patient)) != patient:
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
        seen = read_letter(Letter("", body, at or utc_now(), MessageKind.FHIR), self._site, self._rules)
        return at, touched(seen.events)


def touched(events: Collection[ClinicalEvent]) -> tuple[PatientId, ...]:
    found = [event.patient for event in events]
    found += [record for event in events if isinstance(event, RecordsTied) for record in event.tie.records]
    return tuple(dict.fromkeys(found))


def letter_raw(site: str, body: bytes, at: datetime, kind: MessageKind = MessageKind.HL7V2) -> RawMessage:
    return RawMessage("screen", site, kind, body, at)


def read_letter(letter: Letter, site: str, rules: Rulebook) -> Interpretation:
    if letter.lost:
        return unreadable(letter.body, letter.lost)
    message = letter_raw(site, letter.body, letter.at, letter.kind)
    try:
        return interpret(message, rules, message_id=letter.source)
    except MalformedMessageError as error:
        return unreadable(letter.body, error.code)
