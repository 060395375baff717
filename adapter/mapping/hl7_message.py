"""What to do with a message by its header, and its events: the dispatch by MSH-9."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from adapter.domain.issue import Issue
from adapter.domain.ledger import Bucket
from adapter.hl7.er7 import Message
from adapter.hl7.tables import ProcessingId
from adapter.mapping.feed import Feed, Mapped
from adapter.mapping.hl7_adt import SUPPORTED, events_from_adt
from adapter.mapping.hl7_oru import events_from_oru
from adapter.mapping.hl7_pharmacy import EVENTS as PHARMACY
from adapter.mapping.hl7_pharmacy import events_from_pharmacy
from adapter.mapping.hl7_problem import PROBLEMS, events_from_problems
from adapter.mapping.shape import has_stray_text, misshapen

RESULTS = frozenset({"R01", "R30", "R31", "R32", ""})
"""ORU triggers that carry results; R40 is an alarm (decisions C5). A silent trigger is the feed's default."""
SPECIMENS = frozenset({"R21", "R22", "R23", "R24", ""})
"""OUL triggers: results by container, specimen or order."""
READ: Mapping[str, frozenset[str]] = {
    "ORU": RESULTS,
    "OUL": SPECIMENS,
    "ADT": SUPPORTED,
    "PPR": PROBLEMS,
    **PHARMACY,
}
"""Message type → trigger events whose content is read."""
IGNORED = {
    "ACK": "acknowledgment",
    **dict.fromkeys(("ORM", "OML", "OMG", "OMP", "OMI", "OMS", "OMD"), "order-only"),
    "MDM": "document",
}
"""Why a type is not read: an order is no result, and a document's text is nothing a machine understands here."""
NOT_NEEDED = {("ADT", "A60"): "allergy-only"}
"""As IGNORED, for one event: no criterion asks for allergies, so IAM and AL1 are passed by wherever they stand."""
OTHER_PROCESSING = frozenset(ProcessingId) - {ProcessingId.PRODUCTION}
ODDITIES = {
    "bom": "a byte order mark stands before MSH — ask the sender to leave it out",
    "lead": "bytes stand before MSH — ask the sender to leave them out",
    "nul": "the message holds NUL bytes — ask the sender to leave them out",
    "charset-unknown": "MSH-18 names a character set we do not know — the site's is used",
    "charset-contradicted": "MSH-18 says ASCII but other bytes came — the site's character set is used",
    "charset-doubtful": "the bytes are UTF-8 but are read in another set — compare MSH-18 and the site's encoding",
    "charset-replaced": "bytes do not belong to the character set — compare MSH-18 and the site's encoding",
    "second-header": "a second MSH stands inside the message — ask the sender for one message a frame",
    "stray-text": "text stands where a segment should — look at the raw message",
    "no-control-id": "MSH-10 is empty, so that answers cannot be told apart — ask the sender for it",
    "no-version": "MSH-12 is empty — ask the sender for it",
    "no-sender-time": "MSH-7 is missing, unreadable or in the future — compare the sender's clock",
    "old-sender-time": "MSH-7 is more than a year old — compare the sender's clock, unless this is an archive",
}


WHERE = {"no-control-id": "MSH-10", "no-version": "MSH-12", "no-sender-time": "MSH-7", "old-sender-time": "MSH-7"}
OLD = timedelta(days=365)
"""A message that waited so long was not waiting in a queue (reliability H18)."""


@dataclass(frozen=True, slots=True)
class Disposition:
    """`applied`, `ignored` or `quarantined`, with the reason of the latter two."""

    word: str
    reason: str | None = None


def kind_of(message: Message) -> tuple[str, str]:
    """Message type and trigger event; a silent trigger of an ADT stands in EVN-1."""
    header = message.header
    kind, event = header.text(9).strip().upper(), header.text(9, 2).strip().upper()
    if "_" in kind and not event:
        kind, _, event = kind.partition("_")
    evn = message.first("EVN")
    return kind, event or (evn.text(1).strip().upper() if kind == "ADT" and evn is not None else "")


def disposition(message: Message, kind: str, event: str, *, production: bool) -> Disposition:
    """By header and shape alone (reliability H02, H10 to H12, H29, H31, H37; decisions F6)."""
    if not kind:
        return Disposition("quarantined", "HDR")
    if production and message.header.text(11).strip().upper() in OTHER_PROCESSING:
        return Disposition("quarantined", "PROCID")
    if not supported(kind, event):
        return Disposition("ignored", NOT_NEEDED.get((kind, event)) or IGNORED.get(kind, "unsupported-type"))
    if message.header.raw(14) or message.first("DSC") is not None or message.first("ADD") is not None:
        return Disposition("quarantined", "CONTINUATION")
    reason = misshapen(message)
    return Disposition("applied") if reason is None else Disposition("quarantined", reason)


def supported(kind: str, event: str) -> bool:
    return event in READ.get(kind, ())


def events_of(message: Message, kind: str, event: str, feed: Feed) -> Mapped:
    """By the type of a message that `supported` knows."""
    if kind == "ADT":
        return events_from_adt(message, event, feed)
    if kind == "PPR":
        return events_from_problems(message, feed)
    return events_from_pharmacy(message, kind, feed) if kind in PHARMACY else events_from_oru(message, feed)


def mapped(message: Message, feed: Feed, *, production: bool) -> tuple[Disposition, Mapped]:
    """The events of a message that is applied; for others only the ledger, all of it `message_not_used`."""
    kind, event = kind_of(message)
    decided = disposition(message, kind, event, production=production)
    if decided.word != "applied":
        return decided, not_used(message)
    found = events_of(message, kind, event, feed)
    if found.refusal is not None:
        unused = not_used(message)
        return Disposition("quarantined", found.refusal), replace(
            unused, issues=found.issues, identifiers=found.identifiers
        )
    odd = oddities(message, feed)
    return decided, replace(found, issues=odd + found.issues) if odd else found


def not_used(message: Message) -> Mapped:
    return Mapped(buckets=(Bucket.MESSAGE_NOT_USED,) * len(message.all("OBX")))


def oddities(message: Message, feed: Feed) -> tuple[Issue, ...]:
    """What is strange about the message as a whole."""
    codes = (*message.issues, *header_oddities(message, feed), *(["stray-text"] * has_stray_text(message)))
    found = [Issue(code, WHERE.get(code, "MSH"), ODDITIES.get(code, "look at the raw message")) for code in codes]
    if feed.assumes_zone(message):
        text = "times came without an offset and were read in the site's zone — set 'timezone' in the site's file"
        found.append(Issue("timezone-assumed", "MSH-7", text))
    return tuple(found)


def header_oddities(message: Message, feed: Feed) -> Iterator[str]:
    if not message.header.raw(10):
        yield "no-control-id"
    if not message.header.raw(12):
        yield "no-version"
    if feed.sender_time is None:
        yield "no-sender-time"
    elif feed.received - feed.sender_time > OLD:
        yield "old-sender-time"
