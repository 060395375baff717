"""Who said so and from what: the software as Device, the decision as Provenance."""

from collections.abc import Sequence
from typing import Any

from adapter.fhir.codes import AGENT_TYPE, DATA_OPERATION, MESSAGE_NUMBER, REASON_SYSTEM, RESOURCE_NUMBER, said_by
from adapter.fhir.observations import identifier, reference

Json = dict[str, Any]

ACTIVITY = {"raised": "CREATE", "updated": "UPDATE", "withdrawn": "NULLIFY"}
"""v3-DataOperation by the kind of the decision event."""


def device(resource_id: str, software: str, rulebook: str) -> Json:
    """One per release and rulebook."""
    return {
        "resourceType": "Device",
        "id": resource_id,
        **said_by("screening-device"),
        "identifier": [identifier(resource_id)],
        "status": "active",
        "deviceName": [{"name": "immunosep-adapter", "type": "user-friendly-name"}],
        "version": [
            {"type": {"text": "software"}, "value": software},
            {"type": {"text": "rulebook"}, "value": rulebook},
        ],
    }


def provenance(resource_id: str, *, targets: Sequence[str], agent: str, recorded: str, kind: str) -> Json:
    """The tag stands in for an identifier, which R4 Provenance has not, where a server gives ids of its own."""
    return {
        "resourceType": "Provenance",
        "id": resource_id,
        **said_by("screening-provenance", tag=[{"system": RESOURCE_NUMBER, "code": resource_id}]),
        "target": [reference(target) for target in targets],
        "recorded": recorded,
        "activity": {"coding": [{"system": DATA_OPERATION, "code": ACTIVITY.get(kind, "UPDATE")}]},
        "agent": [
            {"type": {"coding": [{"system": AGENT_TYPE, "code": "assembler"}]}, "who": reference(agent)},
        ],
    }


def reasons(codes: Sequence[str]) -> Json:
    """Reason codes of the trial file or of the alert; free text never leaves the hospital."""
    return {"reason": [{"coding": [{"system": REASON_SYSTEM, "code": code}]} for code in codes]} if codes else {}


def sources(messages: Sequence[str]) -> Json:
    """The raw messages behind it, by numbers that only the hospital can resolve."""
    entities = [{"role": "source", "what": {"identifier": {"system": MESSAGE_NUMBER, "value": m}}} for m in messages]
    return {"entity": entities} if entities else {}
