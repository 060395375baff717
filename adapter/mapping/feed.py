"""What the reader of one message knows beside the segment in hand: the site, the dictionary, the header."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from adapter.domain.events import ClinicalEvent
from adapter.domain.issue import Issue
from adapter.domain.ledger import Bucket
from adapter.domain.patient import PatientId
from adapter.hl7.datatypes import Moment
from adapter.hl7.er7 import Message, Segment
from adapter.mapping.dictionary import Dictionary
from adapter.mapping.site import SiteMap
from adapter.mapping.words import Words

FUTURE_TOLERANCE = timedelta(minutes=15)
"""How far a clock may be ahead of ours (reliability C51)."""
SKEW_TOLERANCE = timedelta(minutes=10)
"""As FUTURE_TOLERANCE, for MSH-7 (reliability H17)."""
UNUSABLE_PRECISION = frozenset({"year", "month"})
YEARS = range(1901, 2500)
NO_DAYS, NEAR = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, 12, tzinfo=UTC)), timedelta(hours=36)
"""Software that knows no date writes the first or the last one it has: 0001, 1601, 1753, 1900, the first second of 1970, the last day of
2099, 9999. Between the last two lie the dates of patients whose own were moved away, to be shown to others.
"""


@dataclass(frozen=True, slots=True)
class Feed:
    """`sender_time` is MSH-7 where it can be trusted, `told` the same in UTC, for ordering what was told: one instant must
    have one spelling (ADR 7). `facility` is MSH-4, `latest` the last moment that does not lie in the future.
    """

    words: Words
    message_id: str
    received: datetime
    latest: datetime
    sender_time: datetime | None = None
    told: datetime | None = None
    facility: str = ""
    source: str = ""
    """The configured name of where it came from: part of the identity of what a FHIR server numbers."""

    @property
    def site(self) -> SiteMap:
        return self.words.site

    @property
    def dictionary(self) -> Dictionary:
        return self.words.dictionary

    def moment(self, segment: Segment | None, field: int) -> Moment | None:
        """A DTM (or the start of a range) in the site's zone; `None` when absent, unreadable or coarser than a day."""
        return None if segment is None else usable(self.words.moment(segment.text(field)))

    def in_future(self, instant: datetime) -> bool:
        return instant > self.latest

    def assumes_zone(self, message: Message) -> bool:
        """Whether this message's header time had no offset and the site wants to be told."""
        stated = self.moment(message.header, 7)
        return self.site.timezone_flagged and stated is not None and not stated.zone_stated


@dataclass(frozen=True, slots=True)
class Mapped:
    """What one message said: events in order, findings, and one bucket for every OBX.

    `refusal` is the quarantine reason where nobody in it could be identified.
    """

    events: tuple[ClinicalEvent, ...] = ()
    issues: tuple[Issue, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    patients: tuple[PatientId, ...] = ()
    identifiers: tuple[tuple[str, str, str], ...] = ()
    refusal: str | None = None

    def __add__(self, other: "Mapped") -> "Mapped":
        return Mapped(
            self.events + other.events,
            self.issues + other.issues,
            self.buckets + other.buckets,
            self.patients + tuple(p for p in other.patients if p not in self.patients),
            self.identifiers + tuple(i for i in other.identifiers if i not in self.identifiers),
            self.refusal or other.refusal,
        )


def feed_of(message: Message, words: Words, *, message_id: str, received: datetime) -> Feed:
    sent = usable(words.moment(message.header.text(7)))
    trusted = None if sent is None or sent.instant > received + SKEW_TOLERANCE else sent.instant
    return Feed(
        words,
        message_id,
        received,
        latest=received + FUTURE_TOLERANCE,
        sender_time=trusted,
        told=None if trusted is None else trusted.astimezone(UTC),
        facility=message.header.text(4),
    )


def usable(found: Moment | None) -> Moment | None:
    return None if found is None or found.precision in UNUSABLE_PRECISION else meant(found)


def meant(found: Moment | None) -> Moment | None:
    """`None` for a date that stands where there is none: nothing happened in the year 1, and nothing ends in 9999."""
    if found is None or found.instant.year not in YEARS or any(abs(found.instant - one) < NEAR for one in NO_DAYS):
        return None
    return found
