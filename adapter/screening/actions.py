"""What people do on the worklist, as messages: built for the inbox, and read back from it (canonical JSON)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

from adapter.domain.events import ClinicalEvent, CriterionDetermined, ObservationReceived, StatusDecided
from adapter.domain.issue import Issue
from adapter.domain.message import RawMessage
from adapter.domain.observation import Laboratory, Observation, Original, ResultStatus
from adapter.domain.patient import Decision, Determination, PatientId, PatientState
from adapter.domain.truth import Truth
from adapter.mapping.feed import Mapped
from adapter.mapping.identity import fingerprint, result_identity, sealed
from adapter.mapping.values import Refused, ValueReader, Written
from adapter.screening.rulebook import Rulebook

SYSTEM = "worklist"
"""The code system of what a person typed."""
UNREADABLE = "BAD_ACTION"


class DeterminationAct(TypedDict):
    """A person's answer to a criterion, `at` the time they knew it."""

    patient: PatientId
    trial: str
    episode: str
    criterion: str
    answer: Truth
    at: datetime
    by: str
    note: str


class StatusAct(TypedDict):
    """A person's status for a candidate."""

    patient: PatientId
    trial: str
    episode: str
    status: str
    at: datetime
    by: str
    reason: str
    note: str


class ResultAct(TypedDict):
    """A central laboratory's result typed in: `value` as written, `drawn` when the specimen was taken."""

    patient: PatientId
    concept: str
    value: str
    unit: str
    drawn: datetime
    at: datetime
    by: str


def determination_body(**act: Unpack[DeterminationAct]) -> bytes:
    return body("determination", dict(act))


def status_body(**act: Unpack[StatusAct]) -> bytes:
    return body("status", dict(act))


def result_body(**act: Unpack[ResultAct]) -> bytes:
    return body("result", dict(act))


def body(kind: str, act: Mapping[str, Any]) -> bytes:
    """Canonical JSON: the same act is the same bytes."""
    content = {"kind": kind} | {name: plain(value) for name, value in act.items()}
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def plain(value: Any) -> Any:
    if isinstance(value, PatientId):
        return {"site": value.site, "authority": value.authority, "value": value.value}
    return value.isoformat() if isinstance(value, datetime) else str(value)


def read_action(message: RawMessage, rules: Rulebook, *, message_id: str) -> Mapped:
    """The event an act stands for; what is no act of ours is refused as a whole (`BAD_ACTION`)."""
    try:
        act = json.loads(message.body)
        patient = patient_of(act["patient"])
        found = READERS[act["kind"]](act, patient, rules, message_id)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Mapped(refusal=UNREADABLE)
    if isinstance(found, Refused):
        return Mapped(issues=(Issue(found.code, "value", found.text, found.detail),), refusal="BAD_RESULT")
    return Mapped(events=(found,), patients=(patient,))


def patient_of(stated: Mapping[str, Any]) -> PatientId:
    return PatientId(text(stated, "site"), text(stated, "authority"), text(stated, "value"))


def text(act: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = act[name] if default is None else act.get(name, default)
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def moment(act: Mapping[str, Any], name: str) -> datetime:
    """Aware, or ValueError: a time without offset is no moment."""
    value = datetime.fromisoformat(text(act, name))
    if value.tzinfo is None:
        raise ValueError(name)
    return value


def determination(act: Mapping[str, Any], patient: PatientId, _: Rulebook, __: str) -> ClinicalEvent:
    made = Determination(
        trial=text(act, "trial"),
        criterion=text(act, "criterion"),
        answer=Truth(text(act, "answer")),
        at=moment(act, "at"),
        by=text(act, "by"),
        note=text(act, "note", ""),
        digest=fingerprint(act),
    )
    return CriterionDetermined(patient, made)


def status(act: Mapping[str, Any], patient: PatientId, _: Rulebook, __: str) -> ClinicalEvent:
    made = Decision(
        trial=text(act, "trial"),
        episode=text(act, "episode"),
        status=text(act, "status"),
        at=moment(act, "at"),
        by=text(act, "by"),
        reason=text(act, "reason", ""),
        note=text(act, "note", ""),
        digest=fingerprint(act),
    )
    return StatusDecided(patient, made)


def result(act: Mapping[str, Any], patient: PatientId, rules: Rulebook, message_id: str) -> ClinicalEvent | Refused:
    """Through the same conversion as an OBX; typing the same draw again corrects it."""
    value, unit = text(act, "value"), text(act, "unit")
    drawn, at, _ = moment(act, "drawn"), moment(act, "at"), text(act, "by")
    # A person types into our form, whose decimal mark is a point whatever the hospital's feed uses.
    reader = ValueReader(replace(rules.sites[patient.site], decimal="."), rules.dictionary)
    concept = rules.dictionary.concepts[text(act, "concept")]
    read = reader.read(concept, Written("NM", (value,), (unit,)))
    if isinstance(read, Refused):
        return read
    identity = result_identity(site=patient.site, order=SYSTEM, concept=read.concept.id, sub_id="", effective=drawn)
    made = Observation(
        identity=identity,
        concept=read.concept.id,
        effective=drawn,
        status=ResultStatus.FINAL,
        original=Original(value, unit, concept.id, SYSTEM),
        message=message_id,
        quantity=read.quantity,
        native=read.native,
        code=read.code,
        issued=at,
        sender_time=at.astimezone(UTC),
        laboratory=Laboratory.CENTRAL,
        flags=read.flags,
    )
    return ObservationReceived(patient, sealed(made))


Reader = Callable[[Mapping[str, Any], PatientId, Rulebook, str], ClinicalEvent | Refused]
READERS: Mapping[str, Reader] = {"determination": determination, "status": status, "result": result}


def acts_on(state: PatientState, trial: str, episode: str) -> tuple[str, ...]:
    """What people answered of this trial and decided of this episode: another one is a person's act."""
    answers = tuple(d.digest for d in state.determinations if d.trial == trial)
    return (*answers, *(d.digest for d in state.decided(trial, episode)))
