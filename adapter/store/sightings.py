"""Writing a fresh assessment to the worklist, with a line of history where something changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from adapter.domain.alert import AlertChange
from adapter.domain.assessment import Assessment
from adapter.domain.patient import Demographics, PatientId
from adapter.store.codec import canonical, instant, instant_or_none, storable
from adapter.store.patients import key_of
from adapter.store.schema import candidate_history, candidates

_KNOWN = select(
    candidates.c.id,
    candidates.c.verdict,
    candidates.c.status,
    candidates.c.sequence,
    candidates.c.standing,
    candidates.c.summary,
    candidates.c.raised,
    candidates.c.changed,
    candidates.c.decided_at,
    candidates.c.decided_sequence,
).where(candidates.c.id.in_(bindparam("candidates", expanding=True)))
_AGAIN = update(candidates).where(candidates.c.id == bindparam("candidate"))

Row = dict[str, object]
_ALERT = ("sequence", "standing", "summary", "raised", "changed")


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was found of one candidate: `id` is opaque and the caller's, `explained` the `explain` object,
    `by` the person whose act led to it, empty for a message or the clock.
    """

    id: str
    assessment: Assessment
    explained: Mapping[str, Any]
    change: AlertChange | None = None
    message_id: int | None = None
    demographics: Demographics | None = None
    by: str = ""


def record(tx: Connection, seen: Sighting) -> None:
    record_many(tx, [seen], {})


def record_many(tx: Connection, sightings: Sequence[Sighting], keys: Mapping[PatientId, int]) -> None:
    """One row per episode, always the newest finding; history only where people were told, or verdict or status turned.

    A handful of statements, however many they are; `keys` are the rows of patients that somebody remembers.
    """
    rows = tx.execute(_KNOWN, {"candidates": [seen.id for seen in sightings]}).mappings()
    known: dict[str, Mapping[Any, Any]] = {row["id"]: row for row in rows}
    new: list[Row] = []
    again: list[Row] = []
    lines: list[Row] = []
    for seen in sightings:
        was = known.get(seen.id)
        values = known[seen.id] = _decided(was, _finding(seen) | _alert(was, seen.change))
        lines += _lines(was, seen)
        if was is None:
            who = seen.assessment.patient
            new.append(
                {"id": seen.id, "patient": keys.get(who) or key_of(tx, who), **_episode(seen.assessment), **values}
            )
        else:
            again.append({"candidate": seen.id, **values})
    for statement, written in ((insert(candidates), new), (_AGAIN, again), (insert(candidate_history), lines)):
        if written:
            tx.execute(statement, written)


def _episode(assessment: Assessment) -> dict[str, str]:
    return {"trial": assessment.trial, "episode": storable(assessment.episode)}


def _finding(seen: Sighting) -> dict[str, object]:
    found, place = seen.assessment, seen.assessment.encounter
    return {
        "verdict": str(found.verdict),
        "certainty": str(found.certainty),
        "stratum": found.stratum,
        "shown": int(found.shown),
        "status": found.status,
        "decided_at": instant_or_none(found.decided_at),
        "deadline": instant_or_none(found.sepsis.deadline),
        "ward": storable(place.ward) if place else "",
        "bed": storable(place.bed) if place else "",
        "review_at": instant_or_none(found.review_at),
        "assessment": canonical(dict(seen.explained)),
        "evaluated_at": instant(found.at),
        **_person(seen.demographics or Demographics()),
    }


def _decided(known: Mapping[Any, Any] | None, values: dict[str, object]) -> dict[str, object]:
    """How much people had been told of when somebody last decided: what they are told later is new since then."""
    if known is not None and known["decided_at"] == values["decided_at"]:
        return values | {"decided_sequence": known["decided_sequence"]}
    return values | {"decided_sequence": values["sequence"] if values["decided_at"] else 0}


def _person(demographics: Demographics) -> dict[str, str]:
    return {name: storable(demographics.get(name)) for name in ("family", "given", "birth_date")}


def _alert(known: Mapping[Any, Any] | None, change: AlertChange | None) -> dict[str, object]:
    """The alert after the change; without one it stays as it was."""
    if change is None:
        unknown = {"sequence": 0, "standing": 0, "summary": "", "raised": None, "changed": None}
        return unknown if known is None else {name: known[name] for name in _ALERT}
    return {
        "sequence": 1 + (known["sequence"] if known is not None else 0),
        "standing": int(change.alert.standing),
        "summary": change.alert.summary,
        "raised": instant(change.alert.raised),
        "changed": instant(change.alert.changed),
    }


def _lines(known: Mapping[Any, Any] | None, seen: Sighting) -> Iterator[dict[str, object]]:
    found, was = seen.assessment, known["verdict"] if known is not None else ""
    if seen.change is not None:
        yield _line(seen, str(seen.change.kind), seen.change.reason)
    elif was != found.verdict:
        yield _line(seen, "verdict", f"was {was}" if was else "first assessment")
    if found.status and found.status != (known["status"] if known is not None else ""):
        yield _line(seen, "status", found.status)


def _line(seen: Sighting, kind: str, text: str) -> dict[str, object]:
    return {
        "candidate": seen.id,
        "at": instant(seen.assessment.at),
        "kind": kind,
        "verdict": str(seen.assessment.verdict),
        "text": storable(text),
        "message": seen.message_id,
        "by": seen.by,
    }
