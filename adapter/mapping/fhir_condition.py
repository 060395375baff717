"""Condition → the problem that a PRB would have stated: codes with a status, never free text."""

from collections.abc import Iterator
from dataclasses import replace

from adapter.domain.condition import Condition
from adapter.fhir.contents import Contents, codings, element, text
from adapter.fhir.strict import Json
from adapter.hl7 import compose
from adapter.mapping.feed import Feed
from adapter.mapping.fhir_encounter import visit_named
from adapter.mapping.fhir_fields import coded, dtm, segments, time_of
from adapter.mapping.hl7_problem import problem

DELETED = "DE"
"""PRB-1, table 0287."""
REFUTED = frozenset({"refuted", "entered-in-error"})
UNSURE = frozenset({"unconfirmed", "provisional", "differential"})
"""Somebody thinks of it: laid before a person, and no ground of anything else."""
ENDED = frozenset({"resolved", "inactive", "remission"})
ADMITTING = "encounter-diagnosis"


def conditions_of(resource: Json, contents: Contents, feed: Feed) -> Iterator[Condition]:
    """One a coding; with R4's codes for status or DSTU2's words for them."""
    (prb,) = segments([_prb(resource, feed)])
    kind = "working" if any(code == ADMITTING for code, _, _ in codings(element(resource, "category"))) else "problem"
    for said in problem(prb, visit_named(resource, contents), feed):
        yield replace(said, kind=kind)


def _prb(resource: Json, feed: Feed) -> str:
    verification = _status(resource, "verificationStatus")
    doubt = "REFUTED" if verification in REFUTED else verification.upper() if verification in UNSURE else ""
    over = _status(resource, "clinicalStatus") in ENDED
    onset = time_of(resource, "onset") or dtm(text(resource, "recordedDate"))
    fields: list[compose.Field] = [None] * 16
    fields[0] = DELETED if verification == "entered-in-error" else "UP"
    fields[2] = coded(element(resource, "code"), feed)
    fields[3] = f"fhir|{feed.source}|{text(resource, 'id')}"
    fields[6], fields[15] = dtm(text(resource, "recordedDate")), onset
    fields[8] = time_of(resource, "abatement")
    fields[12] = doubt
    fields[13] = "RESOLVED" if over else ""
    return compose.segment("PRB", *fields)


def _status(resource: Json, name: str) -> str:
    return next((code for code, _, _ in codings(element(resource, name))), text(resource, name))
