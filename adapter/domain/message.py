"""A message as it came, and the proof that it is stored."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class MessageKind(StrEnum):
    """What the bytes are, so that `interpret` knows its reader."""

    HL7V2 = "hl7v2"
    HL7V2_SHARED = "hl7v2-shared"
    """HL7 v2 that shared its frame with another message, without an envelope (decisions D): read alike, and flagged."""
    FHIR = "fhir"
    """FHIR R4 as JSON: one resource, a Bundle, or NDJSON; a page of a polled search is one message."""
    ACTION = "action"
    """A person's act on the worklist, as JSON (determination, status, central result)."""
    CANARY = "canary"
    """What the adapter tells itself of patients who are made up, as JSON (screening/canary.py); its source has this name too."""


class MessageState(StrEnum):
    """Where a stored message stands; duplicates never become a row (spec: decisions C3)."""

    PENDING = "pending"
    APPLIED = "applied"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class RawMessage:
    """The bytes as they came and what the door knew of them. `received` is UTC."""

    source: str
    site: str
    kind: MessageKind
    body: bytes
    received: datetime
    sender: str = ""
    """MSH-3 and MSH-4 as they came, joined by `|`: part of the duplicate key."""
    control_id: str = ""
    """MSH-10 as it came."""
    type: str = ""
    """MSH-9 as `ORU^R01`."""
    peer: str = ""
    quarantine: str | None = None
    """Reason code when the door already knows that nobody can read it (`NO_MSH`, `TOO_BIG`, …)."""
    acknowledgment: bytes = field(default=b"", repr=False)
    """The ACK to send once stored, unframed; stored beside it and replayed for a duplicate. Empty: none is owed."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that the bytes are on the disk."""

    inbox_id: int
    duplicate: bool
    acknowledgment: bytes = field(default=b"", repr=False)
    """The stored one: for a duplicate the first answer again, byte for byte."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is owed to a sink or a notifier: `payload` is JSON text; `subject` is an opaque ordering key."""

    id: int
    outlet: str
    subject: str
    kind: str
    payload: str
    key: str
    """Stable identity of this delivery on every retry (Message-ID, webhook-id)."""
    attempts: int = 0
    remote: "RemoteResource | None" = None
    """What the outlet holds of this subject since the last delivery, where it told us."""


@dataclass(frozen=True, slots=True)
class RemoteResource:
    """Id and version of a resource in somebody else's store (FHIR logical id, ETag version); `note`: what it warned of."""

    id: str
    version: str
    note: str = field(default="", compare=False)
