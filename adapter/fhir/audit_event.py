"""An entry of the audit log as a FHIR R4 AuditEvent, after IHE BALP where it has a profile; ids only, as in the log itself."""

import json
from collections.abc import Mapping
from typing import Any

from adapter.fhir.audit_codes import BALP, DCM, DISCLOSURE, KINDS, OTHER, QUERY, QUERY_OF_PATIENT, Coded, Kind
from adapter.fhir.codes import MESSAGE_NUMBER, NAMESPACE, SCREENING_NUMBER

Json = dict[str, Any]
Entry = Mapping[str, Any]

UNKNOWN: Json = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
}
"""BALP asks for addresses and queries, which the log does not hold."""
ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
SOURCE_ROLE: Coded = (DCM, "110153", "Source Role ID")
DESTINATION_ROLE: Coded = (DCM, "110152", "Destination Role ID")
RECIPIENT: Coded = ("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "information recipient")
SERVER: Coded = ("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server")
PERSON: Coded = (ENTITY_TYPE, "1", "Person")
SYSTEM_OBJECT: Coded = (ENTITY_TYPE, "2", "System Object")
OTHER_OBJECT: Coded = (ENTITY_TYPE, "4", "Other")
PATIENT_ROLE: Coded = (OBJECT_ROLE, "1", "Patient")
REPORT: Coded = (OBJECT_ROLE, "3", "Report")
RESOURCE: Coded = (OBJECT_ROLE, "4", "Domain Resource")
SECURITY_RESOURCE: Coded = (OBJECT_ROLE, "13", "Security Resource")
ASKED: Coded = (OBJECT_ROLE, "24", "Query")

ADAPTER: Json = {"display": "immunosep-adapter"}
PATIENTS = {"candidate": NAMESPACE + "sid/candidate", "screening-number": SCREENING_NUMBER}
"""What kinds of objects stand for a patient: by ids of our own."""
OBJECTS = {**PATIENTS, "message": MESSAGE_NUMBER}
WITHOUT_PATIENT = frozenset({"Read", "Query", "Update"})
"""Profiles that ask for no patient."""
OUTCOMES = {"ok": ("0", "Success")}
FAILED = ("4", "Minor failure")


def audit_event(entry: Entry) -> Json:
    """`entry` as it is stored; one without `hash`, `detail` and `reason` (a blinded copy) lacks them here too."""
    kind = KINDS.get(entry["action"], OTHER)
    outcome, words = OUTCOMES.get(entry["outcome"], FAILED)
    event: Json = {
        "resourceType": "AuditEvent",
        "type": _coding(kind.type),
        "subtype": [_coding(kind.subtype)] if kind.subtype else [],
        "action": kind.action,
        "recorded": entry["at"],
        "outcome": outcome,
        "outcomeDesc": words if outcome == "0" else entry["outcome"],
        "agent": _agents(entry, kind),
        "source": {"observer": ADAPTER, "type": [_coding(SERVER)]},
        "entity": [*_patients(entry), *_data(entry, kind), _own(entry)],
    }
    event["subtype"].append({"system": NAMESPACE + "CodeSystem/audit-action", "code": entry["action"]})
    if entry.get("hash"):
        event["id"] = entry["hash"]
    if reason := entry.get("reason", "").strip():
        event["purposeOfEvent"] = [{"text": reason}]
    if kind.profile and outcome == "0" and (kind.profile in WITHOUT_PATIENT or entry["object_type"] in PATIENTS):
        event["meta"] = {"profile": [BALP + kind.profile]}
    return event


def _coding(coded: Coded) -> Json:
    system, code, display = coded
    return {"system": system, "code": code, "display": display}


def _type(coded: Coded) -> Json:
    return {"coding": [_coding(coded)]}


def _agents(entry: Entry, kind: Kind) -> list[Json]:
    """In a read the data flow from server to client, in everything else from client to server, as BALP has it."""
    name = {"system": NAMESPACE + "sid/user", "value": entry["actor"].strip() or "unknown"}
    who: Json = {"who": {"identifier": name}, "requestor": True}
    if entry["role"]:
        who["role"] = [{"text": entry["role"]}]
    if not kind.profile:
        return [who]
    ours = {"who": ADAPTER, "requestor": False, "network": UNKNOWN}
    if kind is DISCLOSURE:
        outlet = {"display": json.loads(entry.get("detail") or "{}").get("outlet", "EDC")}
        return [{"type": _type(SOURCE_ROLE), **ours}, {"type": _type(DESTINATION_ROLE), **ours, "who": outlet}]
    read = kind.action == "R"
    client, server = (DESTINATION_ROLE, SOURCE_ROLE) if read else (SOURCE_ROLE, DESTINATION_ROLE)
    return [
        {
            "type": _type(client),
            "who": {"display": "web browser or command line"},
            "requestor": False,
            "network": UNKNOWN,
        },
        {"type": _type(server), **ours},
        {"type": _type(RECIPIENT), **who},
    ]


def _patients(entry: Entry) -> list[Json]:
    if entry["object_type"] not in PATIENTS:
        return []
    what = {"type": "Patient", "identifier": _identifier(entry)}
    return [{"what": what, "type": _coding(PERSON), "role": _coding(PATIENT_ROLE)}]


def _identifier(entry: Entry) -> Json:
    return {
        "system": OBJECTS.get(entry["object_type"], NAMESPACE + "sid/" + entry["object_type"]),
        "value": entry["object_id"],
    }


def _data(entry: Entry, kind: Kind) -> list[Json]:
    """What was read, changed or sent; of a search that it was one."""
    if kind in (QUERY, QUERY_OF_PATIENT):
        return [
            {"type": _coding(SYSTEM_OBJECT), "role": _coding(ASKED), "description": entry["action"], "_query": UNKNOWN}
        ]
    if not kind.profile and not entry["object_type"]:
        return []
    what = (
        {"identifier": _identifier(entry)}
        if entry["object_id"]
        else {"display": entry["object_type"] or entry["action"]}
    )
    role = REPORT if kind is DISCLOSURE else RESOURCE
    return [{"what": what, "type": _coding(SYSTEM_OBJECT), "role": _coding(role)}]


def _own(entry: Entry) -> Json:
    """The entry itself: its number, its place in the chain, its details as they are stored."""
    names = ("object_type", "object_id", "detail", "previous", "hash")
    said = [{"type": name, "valueString": entry[name]} for name in names if entry.get(name)]
    named = {"name": f"entry {entry['seq']} of the audit log", "type": _coding(OTHER_OBJECT)}
    return {**named, "role": _coding(SECURITY_RESOURCE), **({"detail": said} if said else {})}
