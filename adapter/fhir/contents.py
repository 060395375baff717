"""What stands in one resource, Bundle or NDJSON: its resources, and which of them a reference means. Nothing clinical."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.errors import MalformedMessageError
from adapter.fhir.strict import Json, read

BUNDLES = frozenset({"searchset", "collection", "transaction", "batch", "history", "document", "message"})
"""Bundle types whose entries hold resources."""
FLAWS = frozenset({"fatal", "error", "warning"})
"""Severities of an OperationOutcome that say: this is not all (bad-input F02)."""
MOMENTS = ("DateTime", "Instant")
Coding = tuple[str, str, str]
"""Code, display, system."""
Unit = tuple[str, str]
"""Code and text."""


@dataclass(frozen=True, slots=True)
class Contents:
    """`resources` are what it says, `flaws` how often the server says that this is not all (OperationOutcome, F02).

    `beside` are those that only help to understand others (`search.mode` include); they are read too.
    """

    kind: str
    """The resource type, `Bundle searchset`, or `NDJSON`."""
    id: str
    resources: tuple[Json, ...] = field(repr=False)
    flaws: int = 0
    _known: Mapping[str, Json] = field(default_factory=dict, repr=False)
    _urls: Mapping[int, str] = field(default_factory=dict, repr=False)
    """Where each resource stands that is said to stand on a server, by its `id()`."""
    known: dict[int, Any] = field(default_factory=dict, repr=False, compare=False)
    """What a reader has found out of a resource, by its `id()`: of use as long as the page is held."""

    def target(self, reference: object, within: Json) -> Json | None:
        """The resource a Reference means, where it stands here: contained, by fullUrl, or by type and id. One on another server
        than its fullUrl says is another resource, whatever its id.
        """
        said = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(said, str) or not said:
            return None
        if said.startswith("#"):
            held = elements(within, "contained")
            return next((one for one in held if f"#{one.get('id')}" == said), None)
        plain = said.partition("/_history/")[0]
        if (found := self._known.get(plain)) is not None:
            return found
        found = self._known.get("/".join(plain.split("/")[-2:]))
        here, there = self._urls.get(id(found), ""), _place(plain)
        return None if here and there and here != there else found


def contents_of(body: bytes) -> Contents:
    """Raises MalformedMessageError: as `strict.read`, and `NO_FHIR` for what is no resource."""
    lines = [line for line in body.splitlines() if line.strip()]
    if len(lines) > 1 and all(line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in lines):
        resources = tuple(one for one in map(read, lines) if is_resource(one))
        return Contents("NDJSON", "", resources, _known=_index(("", one) for one in resources))
    found = read(body)
    if not is_resource(found):
        raise MalformedMessageError("NO_FHIR", "The content is no FHIR resource — look at the server's address")
    return (
        _bundle(found)
        if found["resourceType"] == "Bundle"
        else Contents(found["resourceType"], text(found, "id"), (found,), _known=_index([("", found)]))
    )


def _bundle(bundle: Json) -> Contents:
    kind = text(bundle, "type")
    if kind not in BUNDLES:
        raise MalformedMessageError(
            "NO_FHIR", "The Bundle's type holds no resources — look at what the server was asked"
        )
    entries = [
        (text(one, "fullUrl"), one["resource"]) for one in elements(bundle, "entry") if is_resource(one.get("resource"))
    ]
    outcomes = [one for _, one in entries if one["resourceType"] == "OperationOutcome"]
    flaws = sum(text(issue, "severity") in FLAWS for one in outcomes for issue in elements(one, "issue"))
    said = tuple(one for _, one in entries if one["resourceType"] != "OperationOutcome")
    urls = {id(one): _place(url) for url, one in entries if url.endswith(f"/{one['resourceType']}/{one.get('id')}")}
    return Contents(f"Bundle {kind}", text(bundle, "id"), said, flaws, _index(entries), urls)


def _place(url: str) -> str:
    """Server and path, whether reached by TLS or not; empty for what is no address."""
    scheme, _, rest = url.partition("://")
    return rest if scheme in ("http", "https") else ""


def _index(entries: Any) -> dict[str, Json]:
    known: dict[str, Json] = {}
    for url, one in entries:
        for name in (url, f"{one['resourceType']}/{one.get('id')}"):
            if name:
                known[name] = one
    return known


def is_resource(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("resourceType"), str)


def text(element: object, *path: str) -> str:
    """The text at the path, empty where there is none; liberal where a server writes something else."""
    for step in path:
        if not isinstance(element, dict):
            return ""
        element = element.get(step)
    return element.strip() if isinstance(element, str) else ""


def word(element: Json, name: str) -> str:
    """As `text`, for one step into what is an object."""
    found = element.get(name)
    return found.strip() if isinstance(found, str) else ""


def element(parent: object, name: str) -> Json:
    """The object of this name; the first where a version of FHIR has several; empty where there is none."""
    found = parent.get(name) if isinstance(parent, dict) else None
    if isinstance(found, list):
        found = found[0] if found else None
    return found if isinstance(found, dict) else {}


def elements(parent: object, name: str) -> list[Json]:
    """The objects of this name, one or many."""
    found = parent.get(name) if isinstance(parent, dict) else None
    if found is None:
        return []
    listed = found if isinstance(found, list) else [found]
    return [one for one in listed if isinstance(one, dict)]


def codings(concept: object) -> Iterator[Coding]:
    """Of a CodeableConcept or a Coding, in order."""
    return iter(coding_list(concept))


def coding_list(concept: object) -> list[Coding]:
    listed = elements(concept, "coding") or ([concept] if isinstance(concept, dict) and "code" in concept else [])
    return [
        (code, word(one, "display"), word(one, "system").removeprefix("urn:oid:"))
        for one in listed
        if (code := word(one, "code"))
    ]


def unit_of(quantity: Json) -> Unit | None:
    """Code and text of its unit; nothing where it has none, which is not a unit without a name."""
    said = word(quantity, "code"), word(quantity, "unit")
    return said if any(said) else None


def time_in(resource: Json, name: str) -> str:
    """`name`[x]: DateTime, Instant, the end of a Period (else its start), the first event of a Timing."""
    for ending in MOMENTS:
        if said := word(resource, name + ending):
            return said
    if period := element(resource, f"{name}Period"):
        return word(period, "end") or word(period, "start")
    events = element(resource, f"{name}Timing").get("event")
    return events[0] if isinstance(events, list) and events and isinstance(events[0], str) else ""
