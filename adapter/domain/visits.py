"""The life of each visit, read from its statements in any order (HL7 v2 chapter 3, A01 to A13).

A cancel takes back what was stated before it; an update (A08) moves a bed but never revives a discharge; a planned
admission (A05) starts nothing (decisions C5). Where nobody has seen the admission, because the feed joined later, the
visit begins when its later events say it did.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from adapter.domain.encounter import Encounter, EncounterAction, EncounterClass, EncounterStatement

CANCELS = {
    EncounterAction.CANCEL_ADMIT: EncounterAction.ADMIT,
    EncounterAction.CANCEL_TRANSFER: EncounterAction.TRANSFER,
    EncounterAction.CANCEL_DISCHARGE: EncounterAction.DISCHARGE,
}

LAST = datetime.max.replace(tzinfo=UTC)
"""Sorts visits whose admission nobody has stated behind all others."""


def visits(statements: Iterable[EncounterStatement]) -> tuple[Encounter, ...]:
    """Every visit that began or was spoken of as running, earliest admission first (unknown admissions last)."""
    by_visit: dict[str, list[EncounterStatement]] = {}
    for statement in statements:
        by_visit.setdefault(statement.visit, []).append(statement)
    views = [view for said in by_visit.values() if (view := _view(said)) is not None]
    return tuple(sorted(views, key=lambda v: (v.admitted is None, v.admitted or LAST, v.visit)))


def stated(statement: EncounterStatement) -> tuple[datetime, datetime, str]:
    """The order in which things were said: by the sender's own time, never by arrival."""
    return (statement.sender_time or statement.at, statement.at, statement.digest)


def _view(said: list[EncounterStatement]) -> Encounter | None:
    said = sorted(said, key=stated)
    if all(statement.action is EncounterAction.PLAN for statement in said):
        return None
    live = _live(said)
    admits = sorted((s for s in live if s.action is EncounterAction.ADMIT), key=lambda s: (s.at, s.digest))
    places = [s for s in live if s.ward and s.action not in {EncounterAction.PLAN, EncounterAction.DISCHARGE}]
    classes = [s.encounter_class for s in live if s.encounter_class is not None]
    cancelled = not admits and any(s.action is EncounterAction.CANCEL_ADMIT for s in said)
    told = [] if cancelled else [s for s in live if s.admitted is not None and s.action is not EncounterAction.PLAN]
    return Encounter(
        visit=said[0].visit,
        encounter_class=classes[-1] if classes else None,
        ward=places[-1].ward if places else "",
        bed=places[-1].bed if places else "",
        admitted=admits[0].at if admits else (told[-1].admitted if told else None),
        discharged=_discharged(live, admits),
        started_in_emergency=any(_emergency(s) for s in (_first(admits) if admits else told[:1])),
        cancelled=cancelled,
        expired=_expired(live),
    )


def _live(said: list[EncounterStatement]) -> list[EncounterStatement]:
    """What still holds: each cancel removes the newest statement of its kind made before it (all admissions for A11)."""
    live: list[EncounterStatement] = []
    for statement in said:
        cancelled = CANCELS.get(statement.action)
        if cancelled is EncounterAction.ADMIT:
            live = [s for s in live if s.action is not EncounterAction.ADMIT]
        elif cancelled is not None:
            newest = next((s for s in reversed(live) if s.action is cancelled), None)
            live = [s for s in live if s is not newest]
        live.append(statement)
    return live


def _discharged(live: list[EncounterStatement], admits: list[EncounterStatement]) -> datetime | None:
    ends = [s.at for s in live if s.action is EncounterAction.DISCHARGE]
    if not ends or (admits and admits[-1].at > ends[-1]):
        return None
    return ends[-1]


def _expired(live: list[EncounterStatement]) -> bool:
    ends = [s for s in live if s.action is EncounterAction.DISCHARGE]
    return bool(ends) and ends[-1].expired


def _first(admits: list[EncounterStatement]) -> list[EncounterStatement]:
    """All that share the earliest time: A04 and A01 of one visit may both carry the time of arrival (PV1-44)."""
    return [s for s in admits if s.at == admits[0].at]


def _emergency(admit: EncounterStatement) -> bool:
    return admit.encounter_class is EncounterClass.EMERGENCY or admit.emergency_ward
