"""Whose message it seems to be, by a look at its first patient alone: to hand it to whoever keeps that patient."""

import json

from adapter.domain.message import MessageKind, RawMessage
from adapter.domain.patient import PatientId
from adapter.errors import MalformedMessageError
from adapter.fhir.contents import contents_of
from adapter.hl7 import er7
from adapter.hl7.datatypes import identifiers
from adapter.mapping.feed import Feed
from adapter.mapping.fhir_patient import patient_of as fhir_patient_of
from adapter.mapping.identity import patient_identity
from adapter.screening import canary
from adapter.screening.actions import patient_of
from adapter.screening.rulebook import Rulebook


def of_page(message: RawMessage, rules: Rulebook) -> PatientId | None:
    """The first Patient of a FHIR page."""
    words = rules.words[message.site]
    contents = contents_of(message.body)
    feed = Feed(words, "", message.received, message.received, source=message.source)
    first = next((one for one in contents.resources if one["resourceType"] == "Patient"), None)
    found = "" if first is None else fhir_patient_of(first, contents, feed)
    return found if isinstance(found, PatientId) else None


def whose(message: RawMessage, rules: Rulebook) -> PatientId | None:
    """A guess that costs little and decides nothing: who keeps the message reads it whole and hands on what is another's."""
    site = rules.sites.get(message.site)
    if site is None or message.quarantine is not None:
        return None
    if message.kind is MessageKind.CANARY:
        return canary.seeming(message)
    try:
        if message.kind is MessageKind.ACTION:
            return patient_of(json.loads(message.body)["patient"])
        if message.kind is MessageKind.FHIR:
            return of_page(message, rules)
        pid = er7.parse(message.body, site.encoding).first("PID")
        found = patient_identity(() if pid is None else identifiers(pid, 3), site)
    except (MalformedMessageError, ValueError, LookupError, TypeError):
        return None
    return found if isinstance(found, PatientId) else None
