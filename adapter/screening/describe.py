"""Interpretation → the `convert` object: what the adapter would understand of a message."""

from datetime import datetime
from typing import Any

from adapter.domain.administration import Administration
from adapter.domain.condition import Condition
from adapter.domain.events import (
    AdministrationStated,
    ClinicalEvent,
    CriterionDetermined,
    EncounterChanged,
    ObservationReceived,
    PatientDescribed,
    RecordsTied,
    StatusDecided,
)
from adapter.domain.observation import Observation
from adapter.domain.overlay import PREFIX
from adapter.domain.patient import PatientId
from adapter.domain.quantity import Quantity, decimal_text
from adapter.domain.ties import Merge, Tie, Unlink
from adapter.screening.interpret import Interpretation


def as_json(seen: Interpretation, source: str) -> dict[str, Any]:
    """`source` is `PATH#index`."""
    return {
        "source": source,
        "type": seen.type,
        "control_id": seen.control_id,
        "version": seen.version,
        "charset": seen.charset,
        "disposition": seen.disposition,
        "reason": seen.reason,
        "patient": [
            {"authority": authority, "id": number, "type": kind} for authority, number, kind in seen.identifiers
        ],
        "events": [event_json(event) for event in seen.events],
        "issues": [
            {"code": issue.code, "where": issue.where, "text": issue.text}
            | ({"detail": issue.detail} if issue.detail else {})
            for issue in seen.issues
        ],
        "ledger": seen.ledger.as_json(),
    }


def event_json(event: ClinicalEvent) -> dict[str, Any]:  # noqa: PLR0911 — a line for each kind of event
    match event:
        case ObservationReceived(observation=observation):
            return observation_json(observation)
        case EncounterChanged():
            return encounter_json(event)
        case RecordsTied(tie=tie):
            return tie_json(tie)
        case PatientDescribed(demographics=demographics):
            return {
                "kind": "patient",
                "states": sorted(name for name in demographics.fields if not name.startswith(PREFIX)),
            }
        case CriterionDetermined(determination=said):
            content = {"trial": said.trial, "criterion": said.criterion, "answer": str(said.answer)}
            return {"kind": "determination"} | content | {"at": said.at.isoformat()}
        case StatusDecided(decision=decided):
            content = {"trial": decided.trial, "status": decided.status, "reason": decided.reason}
            return {"kind": "status"} | content | {"at": decided.at.isoformat()}
        case AdministrationStated(administration=drug):
            return administration_json(drug)
        case _:
            return condition_json(event.condition)


def observation_json(seen: Observation) -> dict[str, Any]:
    quantity = seen.quantity or seen.native
    original = seen.original
    return {
        "kind": "observation",
        "concept": seen.concept,
        "value": seen.code if quantity is None else decimal_text(quantity.value),
        "comparator": None if quantity is None or quantity.comparator is None else str(quantity.comparator),
        "unit": None if quantity is None else quantity.unit,
        "original": {"value": original.value, "unit": original.unit, "code": original.code, "system": original.system},
        "effective": seen.effective.isoformat(),
        "issued": time_json(seen.issued),
        "status": str(seen.status),
        "laboratory": str(seen.laboratory),
        "identity": seen.identity,
        "specimen": seen.specimen or None,
        "flags": list(seen.flags),
    }


def condition_json(said: Condition) -> dict[str, Any]:
    named = {"system": said.system, "code": said.code, "status": str(said.status)}
    return {"kind": "condition"} | named | {"at": said.at.isoformat(), "stated": said.kind or None}


def administration_json(said: Administration) -> dict[str, Any]:
    """`unit` is that of the rate, or of the dose where there is no rate; both are as they were told."""
    amount = said.rate or said.dose
    return {
        "kind": "administration",
        "substance": said.substance,
        "group": said.group,
        "rate": None if said.rate is None else decimal_text(said.rate.value),
        "dose": None if said.dose is None else decimal_text(said.dose.value),
        "unit": None if amount is None else amount.unit,
        "concentration": None if said.concentration is None else _amount_text(said.concentration),
        "route": said.route or None,
        "start": said.start.isoformat(),
        "end": time_json(said.end),
        "state": str(said.state),
        "original": {
            "value": said.original.value,
            "unit": said.original.unit,
            "code": said.original.code,
            "system": said.original.system,
        },
    }


def _amount_text(quantity: Quantity) -> str:
    return f"{decimal_text(quantity.value)} {quantity.unit}"


def encounter_json(event: EncounterChanged) -> dict[str, Any]:
    said = event.statement
    return {
        "kind": "encounter",
        "visit": said.visit,
        "event": str(said.action),
        "class": None if said.encounter_class is None else str(said.encounter_class),
        "ward": said.ward,
        "bed": said.bed,
        "at": said.at.isoformat(),
    }


def tie_json(tie: Tie) -> dict[str, Any]:
    match tie:
        case Merge(merged=gone, survivor=into):
            return {"kind": "merge", "from": patient_json(gone), "into": patient_json(into)}
        case Unlink(one=one, other=other):
            return {"kind": "unlink", "patients": [patient_json(one), patient_json(other)]}
        case _:
            what = "account" if tie.account else "visit"
            there = {"patient": patient_json(tie.target), what: tie.into}
            return {"kind": "move", "from": {"patient": patient_json(tie.source), what: tie.visit}, "into": there}


def patient_json(patient: PatientId) -> dict[str, str]:
    return {"authority": patient.authority, "id": patient.value}


def time_json(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
