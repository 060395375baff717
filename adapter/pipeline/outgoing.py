"""What a decision owes to the outside: who is told, and which bundle goes to which EDC, if any yet."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from adapter.domain.alert import AlertChange, AlertKind
from adapter.domain.assessment import Assessment, Evidence
from adapter.domain.overlay import POSSIBLE_OVERLAY
from adapter.domain.truth import Truth
from adapter.fhir.bundle import (
    BundleContext,
    DecisionEvent,
    bundle_text,
    candidate_bundle,
    content_digest,
    is_reason,
    reason_code,
    tells_follow_up,
    tells_values,
)
from adapter.fhir.subject import VERDICT

INTENDED_USE = "Research recruitment support. Not for diagnosis, monitoring or treatment."
"""On every alert (decisions F10)."""
HELD = frozenset({"opt-out", POSSIBLE_OVERLAY})
"""Flags of an assessment of which nothing leaves: of whoever wants no part in research, and of a number under which two persons
may stand."""
MEASURED = f'"url":"{VERDICT}"'
"""In every snapshot that tells findings, and in no other."""
UNCODED = "other"
"""Stands for a reason that was no code of the trial file."""


class PushWhen(StrEnum):
    """The gate before an EDC (decisions E3): at the flag, once a person opened it, once consent is recorded."""

    CANDIDATE = "candidate"
    SCREENING = "screening"
    CONSENTED = "consented"


@dataclass(frozen=True, slots=True)
class NotifierOutlet:
    name: str


@dataclass(frozen=True, slots=True)
class SinkOutlet:
    name: str
    push_when: PushWhen
    context: BundleContext


Outlet = NotifierOutlet | SinkOutlet


@dataclass(frozen=True, slots=True)
class Occasion:
    """What is known of the episode beside its assessment.

    `candidate` is the worklist id, `link` its page; `decided`: a person's act, not a message, made this step;
    `reason` is that act's reason code of the trial file; `pushed` names the sinks that were already owed a snapshot of this
    subject, with the digest of the newest one's content; `earlier` are the statuses people set before the present one;
    `withdrawn`, by sink, what it was told and the hospital has taken back.
    """

    candidate: str
    screening_id: str
    link: str
    decided: bool = False
    reason: str = ""
    pushed: Mapping[str, str] = field(default_factory=dict)
    earlier: tuple[str, ...] = ()
    withdrawn: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Owed:
    """One outbox row to be; `content` is the digest of what a snapshot tells, whenever it was told. `ends` and `spares`: what
    becomes of the snapshots before it (`store/outbox.py`).
    """

    outlet: str
    subject: str
    kind: str
    payload: str
    key: str
    content: str = ""
    ends: bool = False
    spares: str = ""


def owed(
    change: AlertChange | None, assessment: Assessment, outlets: Sequence[Outlet], occasion: Occasion
) -> tuple[Owed, ...]:
    """In the order of the outlets; equal input gives equal keys, so that owing twice is owing once."""
    rows: list[Owed] = []
    for outlet in outlets:
        if isinstance(outlet, NotifierOutlet):
            rows += [_told(outlet, change, occasion)] if change is not None else []
        elif _is_due(outlet, change, assessment, occasion):
            rows.append(_pushed(outlet, change, assessment, occasion))
    return tuple(rows)


def withheld(assessment: Assessment) -> bool:
    """Whether nothing of this subject may leave, also of what is owed already."""
    return not HELD.isdisjoint(assessment.flags)


def gate_open(assessment: Assessment, push_when: PushWhen, *, consent: str = "I4") -> bool:
    """Whether data of this subject may leave now; consent withdrawn, an opt-out or doubt who it is closes every gate at once."""
    if withheld(assessment) or not tells_values(assessment, consent=consent):
        return False
    match push_when:
        case PushWhen.CANDIDATE:
            return assessment.shown
        case PushWhen.SCREENING:
            return assessment.status != ""
        case PushWhen.CONSENTED:
            answers = {c.id: c.answer for c in assessment.criteria}
            return assessment.status == "consented" or answers.get(consent) is Truth.MET


def _is_due(outlet: SinkOutlet, change: AlertChange | None, assessment: Assessment, occasion: Occasion) -> bool:
    """The first snapshot goes when the gate opens; afterwards every decision event sends an update, and so does whatever
    changes what the EDC was shown: a corrected value must not stay wrong there.
    """
    if withheld(assessment):
        return False
    consent = outlet.context.of(assessment.trial).consent_criterion
    if outlet.name not in occasion.pushed:
        return gate_open(assessment, outlet.push_when, consent=consent)
    if occasion.decided:
        return True
    if tells_values(assessment, consent=consent):
        return change is not None or _is_news(outlet, change, assessment, occasion)
    return tells_follow_up(assessment, consent=consent) and _is_news(outlet, None, assessment, occasion)


def _is_news(outlet: SinkOutlet, change: AlertChange | None, assessment: Assessment, occasion: Occasion) -> bool:
    return _content(outlet, change, assessment, occasion) != occasion.pushed[outlet.name]


def _content(outlet: SinkOutlet, change: AlertChange | None, assessment: Assessment, occasion: Occasion) -> str:
    event = _event(outlet, change, occasion)
    return content_digest(assessment, screening_id=occasion.screening_id, context=outlet.context, event=event)


def _told(outlet: NotifierOutlet, change: AlertChange, occasion: Occasion) -> Owed:
    kind = str(change.kind)
    payload = {
        "kind": kind,
        "candidate": occasion.candidate,
        "link": occasion.link,
        "trial": change.alert.trial,
        "intended_use": INTENDED_USE,
    }
    key = _key(outlet.name, occasion.candidate, kind, change.alert.changed.isoformat())
    return Owed(outlet.name, occasion.candidate, kind, json.dumps(payload, sort_keys=True), key)


def _pushed(outlet: SinkOutlet, change: AlertChange | None, assessment: Assessment, occasion: Occasion) -> Owed:
    bundle = candidate_bundle(
        assessment,
        screening_id=occasion.screening_id,
        context=outlet.context,
        event=_event(outlet, change, occasion),
    )
    payload = bundle_text(bundle)
    key = _key(outlet.name, occasion.screening_id, "bundle", hashlib.sha256(payload.encode()).hexdigest())
    content = _content(outlet, change, assessment, occasion)
    ends, spares = _before(assessment, consent=outlet.context.of(assessment.trial).consent_criterion)
    return Owed(outlet.name, occasion.screening_id, "bundle", payload, key, content, ends, spares)


def _before(assessment: Assessment, *, consent: str) -> tuple[bool, str]:
    """Once somebody ended it or took the consent back, no value leaves any more. After registration the findings of the
    screening are told no more: those that are owed must go.
    """
    if tells_values(assessment, consent=consent):
        return False, ""
    return (False, MEASURED) if tells_follow_up(assessment, consent=consent) else (True, "")


def _event(outlet: SinkOutlet, change: AlertChange | None, occasion: Occasion) -> DecisionEvent:
    """A withdrawal says why; what an update says changed holds times, so it stays here."""
    first = outlet.name not in occasion.pushed
    kind = AlertKind.RAISED if first else AlertKind.UPDATED
    # A person's words are never turned into a code: they may name somebody.
    reason = occasion.reason if not occasion.reason or is_reason(occasion.reason) else UNCODED
    if change is not None and change.kind is AlertKind.WITHDRAWN:
        kind, reason = AlertKind.WITHDRAWN, reason or reason_code(change.reason)
    return DecisionEvent(str(kind), reason, occasion.earlier, occasion.withdrawn.get(outlet.name, ()))


def _key(*parts: str) -> str:
    """Message-ID, webhook-id and file name: opaque, stable, 128 bits."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]
