"""FHIR R4 → the same events as HL7 v2 gives; resource by resource in docs/fhir-in.md. What is not read is counted."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from adapter.domain.events import (
    AdministrationStated,
    ClinicalEvent,
    ConditionStated,
    EncounterChanged,
    ObservationReceived,
)
from adapter.domain.issue import Issue
from adapter.domain.patient import PatientId
from adapter.fhir.contents import Contents, text
from adapter.fhir.strict import Json, Unsound
from adapter.mapping.feed import Feed, Mapped
from adapter.mapping.fhir_condition import conditions_of
from adapter.mapping.fhir_drug import given, ordered
from adapter.mapping.fhir_encounter import statements_of
from adapter.mapping.fhir_fields import in_fhir, told_by
from adapter.mapping.fhir_observation import buckets, lines_of
from adapter.mapping.fhir_patient import events_of as patient_events
from adapter.mapping.fhir_patient import named, patient_of
from adapter.mapping.hl7_message import Disposition
from adapter.mapping.hl7_oru import repeated
from adapter.mapping.plain import plain

Read = tuple[tuple[ClinicalEvent, ...], list[Issue]]
Reader = Callable[[Json, PatientId, Contents, Feed], Read]
OBSERVATION = "Observation"
REFUSED = {
    "DUPKEY": "a name stands twice in one object, of it or of its Patient, so that two readers could read two things — ask who keeps the server",
    "CHARSET": "a text holds what no text can hold (a lone surrogate, a NUL) — ask who keeps the server",
    "MODIFIER": "an extension that may change or negate the meaning stands in it, and nobody here knows it — look at it",
    "NO_PATIENT": "nobody here says who the patient is — ask for the Patient with the page, or for subject.identifier",
}
FLAWED = Issue("not-all", "OperationOutcome", "the server says that this is not all it should be — look at its log")


def events_from_fhir(contents: Contents, feed: Feed) -> tuple[Disposition, Mapped]:
    """Applied where any resource is; else quarantined with the reasons, or ignored where nothing in it is for us."""
    found = Mapped(identifiers=tuple(dict.fromkeys(named(contents, feed))), issues=(FLAWED,) * bool(contents.flaws))
    parts = [from_resource(resource, contents, feed) for resource in contents.resources]
    reasons = dict.fromkeys(one.refusal for one in parts if one.refusal)
    read = any(one.patients for one in parts)
    found = together([found, *(replace(one, refusal=None) if one.refusal else one for one in parts)])
    word = "applied" if read else "quarantined" if reasons else "ignored"
    why = ", ".join(reasons) or (None if read else "nothing-for-us")
    return Disposition(word, why), found


def together(parts: list[Mapped]) -> Mapped:
    """All in one; a page may have a thousand parts."""
    return Mapped(
        tuple(event for one in parts for event in one.events),
        tuple(issue for one in parts for issue in one.issues),
        tuple(bucket for one in parts for bucket in one.buckets),
        tuple(dict.fromkeys(patient for one in parts for patient in one.patients)),
        tuple(dict.fromkeys(name for one in parts for name in one.identifiers)),
    )


def from_resource(resource: Json, contents: Contents, feed: Feed) -> Mapped:
    """One resource; `refusal` where it is of a type we read and may not be read."""
    kind = resource["resourceType"]
    if kind != OBSERVATION and kind not in READERS:
        return Mapped()
    reason = doubt(resource)
    patient = reason or patient_of(resource, contents, feed)
    if isinstance(patient, str):
        unused = buckets(resource) if kind == OBSERVATION else ()
        return Mapped(issues=(_refused(patient, kind),), buckets=unused, refusal=patient)
    told = told_by(resource, feed)
    if kind == OBSERVATION:
        return _results(resource, patient, contents, told)
    events, issues = READERS[kind](resource, patient, contents, told)
    return Mapped(events, tuple(issues), (), (patient,))


def doubt(resource: Json) -> str:
    """Why nobody should read it, else empty (reliability F22, F23, F33)."""
    if isinstance(resource, Unsound):
        return resource.reason
    return "MODIFIER" if resource.get("modifierExtension") or text(resource, "implicitRules") else ""


def _refused(reason: str, kind: str) -> Issue:
    text_ = REFUSED.get(reason, "the patient's number does not follow this site's rule — compare 'patient_identifier'")
    return Issue(f"refused-{reason.lower().replace('_', '-')}", plain(kind), text_)


def _results(resource: Json, patient: PatientId, contents: Contents, feed: Feed) -> Mapped:
    lines = lines_of(resource, contents, feed)
    seen = tuple(observation for line in lines for observation in line.observations)
    issues = (*(issue for line in lines for issue in line.issues), *repeated(seen))
    return Mapped(
        tuple(ObservationReceived(patient, observation) for observation in seen),
        tuple(in_fhir(issue, resource) for issue in issues),
        tuple(line.bucket for line in lines),
        (patient,),
    )


def _visit(resource: Json, patient: PatientId, contents: Contents, feed: Feed) -> Read:
    statements, issues = statements_of(resource, contents, feed)
    return tuple(EncounterChanged(patient, statement) for statement in statements), issues


def _condition(resource: Json, patient: PatientId, contents: Contents, feed: Feed) -> Read:
    return tuple(ConditionStated(patient, said) for said in conditions_of(resource, contents, feed)), []


def _given(resource: Json, patient: PatientId, contents: Contents, feed: Feed) -> Read:
    said, issues = given(resource, contents, feed)
    return (() if said is None else (AdministrationStated(patient, said),)), issues


def _ordered(resource: Json, patient: PatientId, contents: Contents, feed: Feed) -> Read:
    said, issues = ordered(resource, contents, feed)
    return (() if said is None else (AdministrationStated(patient, said),)), issues


READERS: Mapping[str, Reader] = {
    "Patient": patient_events,
    "Encounter": _visit,
    "Condition": _condition,
    "MedicationAdministration": _given,
    "MedicationRequest": _ordered,
}
"""By resource type, beside Observation. Specimen, Medication and Location are read where another resource refers to them."""
