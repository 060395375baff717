"""A resource that its server deleted, said again as one that was never right: its last text with another status."""

import json
from datetime import datetime

from adapter.fhir.page import Entry, members, read_resource

STATUS = '"entered-in-error"'
VERIFICATION = json.dumps(
    {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "entered-in-error"}]}
)
SAID_BY = {"Condition": ("verificationStatus", VERIFICATION)}
"""Where a type says that it is an error; the others say it by `status`."""

MEANT = frozenset(
    {
        "Condition",
        "Consent",
        "DiagnosticReport",
        "Encounter",
        "Flag",
        "MedicationAdministration",
        "MedicationRequest",
        "Observation",
        "Procedure",
        "Specimen",
    }
)
"""Types whose deletion takes back what they said. A deleted Patient takes nothing back: a person must look."""


def withdrawn(entry: Entry, at: datetime) -> Entry | None:
    """The same, said to be an error at this time; everything else stands as it stood."""
    element, value = SAID_BY.get(entry.kind, ("status", STATUS))
    meta = json.dumps({"versionId": f"{entry.version.partition('|')[0][:40]}-deleted", "lastUpdated": at.isoformat()})
    return read_resource(_with(_with(entry.text(), element, value), "meta", meta).encode())


def _with(text: str, element: str, value: str) -> str:
    for key, _, begin, end in members(text, 0):
        if key == element:
            return text[:begin] + value + text[end:]
    return f'{{"{element}":{value},{text[1:].lstrip()}'
