"""Encounter → the statements that ADT would have made of the visit (HL7 v2 chapter 3)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from adapter.domain.encounter import EncounterAction, EncounterClass, EncounterStatement
from adapter.domain.issue import Issue
from adapter.fhir.contents import Contents, codings, element, elements, text
from adapter.fhir.strict import Json
from adapter.mapping.feed import Feed
from adapter.mapping.fhir_fields import identifiers_of, instant
from adapter.mapping.identity import statement_digest
from adapter.mapping.plain import plain

CLASSES = {
    "EMER": EncounterClass.EMERGENCY,
    **dict.fromkeys(("IMP", "ACUTE", "NONAC", "OBSENC"), EncounterClass.INPATIENT),
    **dict.fromkeys(("AMB", "SS", "VR", "HH", "FLD", "PRENC"), EncounterClass.OUTPATIENT),
}
"""v3 ActCode."""
EXPIRED = "exp"
"""discharge-disposition."""
RUNNING = frozenset({"arrived", "triaged", "in-progress", "onleave", "on-hold", "discharged"})
"""R5's `discharged` still has its paper work to come; its end is told by the period. Its `on-hold` is R4's `onleave`."""
PLANNED = frozenset({"planned"})
OVER = frozenset({"finished", "completed", "discontinued"})
"""R5's `discontinued` began, and was broken off."""
NEVER = frozenset({"cancelled", "entered-in-error"})
NO_TIME = Issue(
    "no-visit", "Encounter.period", "the visit has no beginning, so no clock can use it — ask the sender for it"
)


def visit_of(encounter: Json) -> str:
    """The visit's number as ADT would say it, else the resource's id."""
    numbers = identifiers_of(encounter)
    chosen = next((one for one in numbers if any(c == "VN" for c, _, _ in codings(element(one, "type")))), None)
    return plain(text(chosen or (numbers[0] if numbers else {}), "value") or text(encounter, "id"))


def visit_named(resource: Json, contents: Contents) -> str:
    """The visit a resource was made in, where its Encounter stands here."""
    reference = resource.get("encounter") or resource.get("context")
    target = contents.target(reference, resource)
    return visit_of(target) if target is not None and target["resourceType"] == "Encounter" else ""


def statements_of(encounter: Json, contents: Contents, feed: Feed) -> tuple[list[EncounterStatement], list[Issue]]:
    period = element(encounter, "period") or element(encounter, "actualPeriod")
    start, end = instant(text(period, "start"), feed), instant(text(period, "end"), feed)
    if start is None or not visit_of(encounter):
        return [], [NO_TIME]
    made = [_statement(encounter, contents, feed, action, when) for action, when in _actions(encounter, start, end)]
    return [*made, *_transfers(encounter, contents, feed, start)], []


def _actions(encounter: Json, at: datetime, end: datetime | None) -> Iterator[tuple[EncounterAction, datetime]]:
    """A visit that runs takes back whatever end was told of it before: an Encounter can be opened anew. One that is over and
    does not say since when takes nothing back.
    """
    status = text(encounter, "status")
    if status in PLANNED:
        yield EncounterAction.PLAN, at
    elif status in NEVER:
        yield EncounterAction.CANCEL_ADMIT, at
    elif status in OVER or status in RUNNING:
        yield EncounterAction.ADMIT, at
        gone = status in OVER or status == "discharged"
        if gone and end is not None:
            yield EncounterAction.DISCHARGE, end
        elif not gone and end is None:
            yield EncounterAction.CANCEL_DISCHARGE, at
    else:
        yield EncounterAction.UPDATE, at


def _transfers(encounter: Json, contents: Contents, feed: Feed, start: datetime) -> Iterator[EncounterStatement]:
    """Every later place of the visit, from when the patient came there."""
    for place in elements(encounter, "location"):
        since = instant(text(element(place, "period"), "start"), feed)
        if since is not None and since > start:
            yield _statement(encounter, contents, feed, EncounterAction.TRANSFER, since, place)


def _statement(  # noqa: PLR0913 — what a statement says
    encounter: Json,
    contents: Contents,
    feed: Feed,
    action: EncounterAction,
    at: datetime,
    place: Json | None = None,
) -> EncounterStatement:
    ward = _ward(place if place is not None else element(encounter, "location"), encounter, contents)
    statement = EncounterStatement(
        visit=visit_of(encounter),
        action=action,
        at=at,
        encounter_class=_class(encounter),
        ward=ward,
        bed="",
        sender_time=feed.told,
        digest="",
        message=feed.message_id,
        emergency_ward=ward in feed.site.emergency_wards,
        expired=action is EncounterAction.DISCHARGE and _expired(encounter),
    )
    return replace(statement, digest=statement_digest(statement))


def _class(encounter: Json) -> EncounterClass | None:
    """R4 has a Coding, R5 a list of CodeableConcepts."""
    found = (CLASSES.get(code) for code, _, _ in codings(element(encounter, "class")))
    return next((one for one in found if one is not None), None)


def _expired(encounter: Json) -> bool:
    """R4 has `hospitalization`, R5 `admission`."""
    ends = (element(element(encounter, name), "dischargeDisposition") for name in ("hospitalization", "admission"))
    return any(code == EXPIRED for end in ends for code, _, _ in codings(end))


def _ward(place: Json, encounter: Json, contents: Contents) -> str:
    """As the site's file names it: the Location's number, else its name."""
    reference = element(place, "location")
    location = contents.target(reference, encounter) or {}
    number = next((text(one, "value") for one in identifiers_of(location)), "")
    return plain(
        number or text(location, "name") or text(reference, "display") or text(reference, "identifier", "value")
    )
