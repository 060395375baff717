"""The required bindings of R4 that the models do not check, for every coded element we write or read (R4 4.0.1)."""

from collections.abc import Iterator
from typing import Any

OBSERVATION_STATUS = frozenset(
    ["registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"]
)
SUBJECT_STATUS = frozenset(
    [
        "candidate",
        "eligible",
        "follow-up",
        "ineligible",
        "not-registered",
        "off-study",
        "on-study",
        "on-study-intervention",
        "on-study-observation",
        "pending-on-study",
        "potential-candidate",
        "screening",
        "withdrawn",
    ]
)
REQUIRED: dict[tuple[str, str], frozenset[str]] = {
    ("Observation", "status"): OBSERVATION_STATUS,
    ("ResearchSubject", "status"): SUBJECT_STATUS,
    ("Device", "status"): frozenset({"active", "inactive", "entered-in-error", "unknown"}),
    ("Device", "deviceName.type"): frozenset(
        {"udi-label-name", "user-friendly-name", "patient-reported-name", "manufacturer-name", "model-name", "other"}
    ),
    ("Patient", "gender"): frozenset({"male", "female", "other", "unknown"}),
    ("AuditEvent", "action"): frozenset("CRUDE"),
    ("AuditEvent", "outcome"): frozenset({"0", "4", "8", "12"}),
    ("Provenance", "entity.role"): frozenset({"derivation", "revision", "quotation", "source", "removal"}),
    ("Observation", "valueQuantity.comparator"): frozenset({"<", "<=", ">=", ">"}),
    ("Observation", "component.valueQuantity.comparator"): frozenset({"<", "<=", ">=", ">"}),
    ("*", "identifier.use"): frozenset({"usual", "official", "temp", "secondary", "old"}),
    ("Bundle", "type"): frozenset(
        [
            "document",
            "message",
            "transaction",
            "transaction-response",
            "batch",
            "batch-response",
            "history",
            "searchset",
            "collection",
        ]
    ),
    ("Bundle", "entry.request.method"): frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"}),
}


def problems(resource: dict[str, Any]) -> tuple[str, ...]:
    """Elements of one resource whose code is outside its required value set, as `Observation.status`; no values."""
    kind = str(resource.get("resourceType"))
    return tuple(
        f"{kind}.{path}"
        for (owner, path), allowed in REQUIRED.items()
        if owner in (kind, "*") and any(code not in allowed for code in _codes(resource, path.split(".")))
    )


def _codes(node: Any, path: list[str]) -> Iterator[object]:
    if isinstance(node, list):
        for item in node:
            yield from _codes(item, path)
    elif not path:
        yield node
    elif isinstance(node, dict) and path[0] in node:
        yield from _codes(node[path[0]], path[1:])
