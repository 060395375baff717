"""The same bundle as this EDC wants to be asked: client ids, conditional update, or conditional create (decisions E2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from adapter.domain.message import RemoteResource
from adapter.errors import RejectedError
from adapter.fhir.codes import RESOURCE_NUMBER
from adapter.fhir.subject import merged
from adapter.pipeline.exchange import Json

CLIENT_ID, CONDITIONAL_UPDATE, CONDITIONAL_CREATE = "client-id", "conditional-update", "conditional-create"


class Manner(StrEnum):
    """What holds a delivery together at this EDC."""

    TRANSACTION = "transaction"
    BATCH = "batch"
    INDIVIDUAL = "individual"


@dataclass(frozen=True, slots=True)
class Abilities:
    """`ways`: resource type → how it may be written; a type the EDC is silent on takes client ids."""

    manner: Manner
    ways: dict[str, str]


def abilities(statement: Json | None) -> Abilities:
    """By the CapabilityStatement; an EDC that says nothing is taken to know transactions, as R4 servers do."""
    said = {code for rest in _rests(statement) for code in _codes(rest)}
    known = [manner for manner in (Manner.TRANSACTION, Manner.BATCH) if manner in said]
    fallback = Manner.INDIVIDUAL if said & WRITES else Manner.TRANSACTION
    return Abilities(known[0] if known else fallback, ways(statement))


WRITES = frozenset({"create", "update"})
"""An EDC that names how single resources are written, and neither transaction nor batch, has neither."""


def _rests(statement: Json | None) -> list[Json]:
    rests = (statement or {}).get("rest")
    return [rest for rest in rests if isinstance(rest, dict)] if isinstance(rests, list) else []


def _codes(rest: Json) -> Iterator[str]:
    """Of the whole server, and of each type."""
    resources = rest.get("resource")
    for one in (rest, *(resources if isinstance(resources, list) else ())):
        acts = one.get("interaction") if isinstance(one, dict) else None
        yield from (str(act.get("code")) for act in (acts if isinstance(acts, list) else ()) if isinstance(act, dict))


def ways(statement: Json | None) -> dict[str, str]:
    """Resource type → how it may be written, by the CapabilityStatement; a type it is silent on takes client ids."""
    try:
        resources = [r for rest in (statement or {}).get("rest", []) for r in rest.get("resource", [])]
        return {str(r["type"]): _way(r) for r in resources}
    except (AttributeError, KeyError, TypeError):
        return {}


def _way(resource: dict[str, Any]) -> str:
    if resource.get("updateCreate"):
        return CLIENT_ID
    if resource.get("conditionalUpdate") and resource["type"] != "Provenance":
        return CONDITIONAL_UPDATE
    return CONDITIONAL_CREATE if resource.get("conditionalCreate") else CLIENT_ID


def subject_position(bundle: Json) -> int:
    """Which entry is the ResearchSubject. Raises RejectedError for a payload that is none of ours."""
    for position, entry in enumerate(bundle.get("entry", [])):
        if entry["resource"]["resourceType"] == "ResearchSubject":
            return position
    raise RejectedError("the payload holds no ResearchSubject — this is a bug of ours, report it")


def adapted(bundle: Json, allowed: dict[str, str]) -> Json:
    """Entries by client id become conditional ones where this EDC gives ids of its own; the rest stays."""
    return bundle | {"entry": [_entry(entry, allowed) for entry in bundle["entry"]]}


def _entry(entry: Json, allowed: dict[str, str]) -> Json:
    resource, request = entry["resource"], entry["request"]
    kind = resource["resourceType"]
    way = allowed.get(kind, CLIENT_ID)
    if request["method"] != "PUT" or way == CLIENT_ID:
        return entry
    query = _query(resource)
    without_id = {key: value for key, value in resource.items() if key != "id"}
    if way == CONDITIONAL_UPDATE:
        return entry | {"resource": without_id, "request": {"method": "PUT", "url": f"{kind}?{query}"}}
    return entry | {"resource": without_id, "request": {"method": "POST", "url": kind, "ifNoneExist": query}}


def _query(resource: Json) -> str:
    """By identifier; by tag where R4 gives the resource none."""
    if "identifier" in resource:
        name = resource["identifier"][0]
        return f"identifier={name['system']}|{name['value']}"
    return f"_tag={RESOURCE_NUMBER}|{resource['id']}"


def same_subject(current: Json, ours: Json) -> bool:
    """Whether the resource the EDC holds is still of this screening number."""
    held = {(i.get("system"), i.get("value")) for i in current.get("identifier", []) if isinstance(i, dict)}
    return all((i["system"], i["value"]) in held for i in ours["identifier"])


def with_update(bundle: Json, position: int, current: Json, remote: RemoteResource) -> Json:
    """The ResearchSubject as an update of what the EDC holds, guarded by its version."""
    entry = bundle["entry"][position]
    request = {"method": "PUT", "url": f"ResearchSubject/{remote.id}"}
    if remote.version:
        request["ifMatch"] = f'W/"{remote.version}"'
    updated = entry | {"resource": merged(current, entry["resource"]) | {"id": remote.id}, "request": request}
    return bundle | {"entry": [*bundle["entry"][:position], updated, *bundle["entry"][position + 1 :]]}
