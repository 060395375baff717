"""The stand-in EDC's memory: resources with versions, and transactions that happen whole or not at all."""

import copy
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from adapter.fhir.bindings import problems

Json = dict[str, Any]
Key = tuple[str, str]

TYPES = frozenset({"Patient", "ResearchSubject", "Observation", "Device", "Provenance"})
ORDER = {"DELETE": 0, "POST": 1, "PUT": 2}
"""FHIR R4 http.html#trules: the order in which a transaction's entries are processed."""

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)


class RefusedError(Exception):
    """Why a request is refused: HTTP status and issue code of the OperationOutcome."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


@dataclass(slots=True)
class EdcStore:
    """In memory; `lastUpdated` is a count, because a stand-in has no need of the hour."""

    resources: dict[Key, Json] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def transaction(self, bundle: Json) -> Json:
        """Raises RefusedError, and nothing has changed then."""
        entries = _entries(bundle)
        for entry in entries:
            _validate(entry["resource"])
        draft = EdcStore(dict(self.resources), self._numbers)
        written: dict[int, tuple[Key, int]] = {}
        names: dict[str, str] = {}
        for position in sorted(range(len(entries)), key=lambda p: ORDER[entries[p]["request"]["method"]]):
            key, status = draft._place(entries[position])
            written[position] = (key, status)
            names[entries[position].get("fullUrl", "")] = "/".join(key)
        for position, entry in enumerate(entries):
            draft._write(written[position], _renamed(entry["resource"], names))
        draft._check_references([written[p][0] for p in written])
        self.resources = draft.resources
        return _response([(written[p], self.resources[written[p][0]]) for p in range(len(entries))])

    def batch(self, bundle: Json) -> Json:
        """Each entry for itself, done or refused."""
        entries = [{"response": self._one_of_a_batch(entry)} for entry in bundle.get("entry", [])]
        return {"resourceType": "Bundle", "type": "batch-response", "entry": entries}

    def _one_of_a_batch(self, entry: Json) -> Json:
        try:
            done: Json = self.transaction(_alone(entry))["entry"][0]["response"]
        except RefusedError as error:
            issue = {"severity": "error", "code": error.code, "diagnostics": error.text}
            return {"status": str(error.status), "outcome": {"resourceType": "OperationOutcome", "issue": [issue]}}
        return done

    def create(self, kind: str, resource: Json, condition: str | None) -> tuple[Json, int]:
        """A single POST: what is held now, and whether that is new (201)."""
        request = {"method": "POST", "url": kind} | ({"ifNoneExist": condition} if condition else {})
        done = self.transaction(_alone({"resource": resource, "request": request}))["entry"][0]["response"]
        return self.resources[kind, done["location"].split("/")[1]], int(done["status"][:3])

    def _place(self, entry: Json) -> tuple[Key, int]:
        """Where the entry goes: 201 a new place, 200 an existing one, -200 an existing one that is left as it is."""
        request, kind = entry["request"], entry["resource"]["resourceType"]
        if request["method"] == "POST":
            return self._create(kind, request.get("ifNoneExist"))
        path, _, query = request["url"].partition("?")
        wanted, _, wanted_id = path.partition("/")
        if wanted != kind or (query == "") == (wanted_id == ""):
            raise RefusedError(400, "invalid", "the request URL does not fit the resource")
        if query:
            found = self.search(kind, query)
            if len(found) > 1:
                raise RefusedError(412, "multiple-matches", "more than one match")
            return ((kind, found[0]["id"]), 200) if found else ((kind, self._new_id()), 201)
        return self._update(kind, wanted_id, entry)

    def _create(self, kind: str, condition: str | None) -> tuple[Key, int]:
        found = self.search(kind, condition) if condition else []
        if len(found) > 1:
            raise RefusedError(412, "multiple-matches", "more than one match")
        return ((kind, found[0]["id"]), -200) if found else ((kind, self._new_id()), 201)

    def _update(self, kind: str, wanted_id: str, entry: Json) -> tuple[Key, int]:
        held = self.resources.get((kind, wanted_id))
        if not _ID.fullmatch(wanted_id) or entry["resource"].get("id") != wanted_id:
            raise RefusedError(400, "invalid", "the id of resource and URL differ")
        version = entry["request"].get("ifMatch")
        if version is not None and (held is None or version != etag(held)):
            raise RefusedError(412, "conflict", "the version is not the current one")
        return (kind, wanted_id), 200 if held else 201

    def _new_id(self) -> str:
        return f"edc-{next(self._numbers)}"

    def _write(self, place: tuple[Key, int], resource: Json) -> None:
        key, status = place
        held = self.resources.get(key)
        if status < 0:
            return
        version = int(held["meta"]["versionId"]) if held else 0
        plain = {k: v for k, v in resource.items() if k != "meta"} | {"id": key[1]}
        meta = {k: v for k, v in resource.get("meta", {}).items() if k not in ("versionId", "lastUpdated")}
        self.resources[key] = plain | {"meta": meta | {"versionId": str(version + 1)}}

    def _check_references(self, keys: list[Key]) -> None:
        for key in keys:
            for reference in _references(self.resources[key]):
                kind, _, wanted = reference.partition("/")
                if (kind, wanted) not in self.resources:
                    raise RefusedError(422, "not-found", "a reference leads nowhere")

    def update(self, kind: str, wanted_id: str, resource: Json, if_match: str | None) -> Json:
        """A single PUT, as a person's client does it; it too must name a version, where it names one, that is current."""
        _validate(resource)
        request = {"method": "PUT", "url": f"{kind}/{wanted_id}"} | ({"ifMatch": if_match} if if_match else {})
        place = self._place({"resource": resource, "request": request})
        self._write(place, resource)
        return self.resources[place[0]]

    def search(self, kind: str, query: str) -> list[Json]:
        """By `identifier`, `_tag`, `subject`, `target` or `individual`, a comma being an or. Raises RefusedError for anything else."""
        found = [r for (k, _), r in self.resources.items() if k == kind]
        for part in filter(None, query.split("&")):
            name, _, value = part.partition("=")
            if name not in _MATCH:
                raise RefusedError(400, "not-supported", "unknown search parameter")
            found = [r for r in found if any(_MATCH[name](r, one) for one in value.split(","))]
        return found


def _token(items: list[Json], value: str, member: str) -> bool:
    system, bar, code = value.rpartition("|")
    return any(i.get(member) == code and (not bar or i.get("system", "") == system) for i in items)


_MATCH: dict[str, Callable[[Json, str], bool]] = {
    "identifier": lambda r, v: _token(r.get("identifier", []), v, "value"),
    "_tag": lambda r, v: _token(r.get("meta", {}).get("tag", []), v, "code"),
    "subject": lambda r, v: r.get("subject", {}).get("reference") == v,
    "target": lambda r, v: any(one.get("reference") == v for one in r.get("target", [])),
    "individual": lambda r, v: r.get("individual", {}).get("reference") == v,
    "_count": lambda _r, v: v.isdigit(),
}


def etag(resource: Json) -> str:
    return f'W/"{resource["meta"]["versionId"]}"'


def _alone(entry: Json) -> Json:
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}


def _entries(bundle: Json) -> list[Json]:
    try:
        from fhir.resources.R4B.bundle import Bundle

        Bundle.model_validate(bundle)
    except ValueError:
        raise RefusedError(400, "structure", "this is no Bundle of R4") from None
    if bundle.get("type") != "transaction":
        raise RefusedError(400, "not-supported", "only transactions are taken")
    entries: list[Json] = bundle.get("entry", [])
    names = [entry.get("fullUrl") for entry in entries]
    if len(set(names)) != len(names):
        raise RefusedError(400, "duplicate", "two entries have one name")
    if not all("resource" in e and e.get("request", {}).get("method") in ("POST", "PUT") for e in entries):
        raise RefusedError(400, "required", "every entry needs a resource and a POST or PUT request")
    return entries


def _validate(resource: Json) -> None:
    """As the R4B model and the required bindings have it."""
    from fhir.resources.R4B import get_fhir_model_class

    kind = str(resource.get("resourceType"))
    if kind not in TYPES:
        raise RefusedError(422, "not-supported", "this resource type is not taken here")
    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValueError:
        raise RefusedError(422, "structure", f"this is no {kind} of R4") from None
    if wrong := problems(resource):
        raise RefusedError(422, "code-invalid", f"outside the required value set: {', '.join(wrong)}")


def _renamed(resource: Json, names: dict[str, str]) -> Json:
    """References to entries of the bundle become references to where these went."""
    result: Json = copy.deepcopy(resource)
    for holder in _holders(result):
        name = holder["reference"]
        if name.startswith("urn:uuid:"):
            if name not in names:
                raise RefusedError(422, "not-found", "a reference leads to no entry of the bundle")
            holder["reference"] = names[name]
    return result


def _references(resource: Json) -> list[str]:
    return [
        holder["reference"] for holder in _holders(resource) if not holder["reference"].startswith("ResearchStudy/")
    ]


def _holders(node: Any) -> Iterator[Json]:
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node
        for value in node.values():
            yield from _holders(value)
    elif isinstance(node, list):
        for value in node:
            yield from _holders(value)


def _response(written: list[tuple[tuple[Key, int], Json]]) -> Json:
    entries = [
        {
            "response": {
                "status": "201 Created" if status == 201 else "200 OK",  # noqa: PLR2004 — HTTP: created
                "location": f"{'/'.join(key)}/_history/{resource['meta']['versionId']}",
                "etag": etag(resource),
            }
        }
        for (key, status), resource in written
    ]
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}
