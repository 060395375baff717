"""A page of a search: its entries, its link to the next one, and what its server says is wrong; nothing clinical."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from adapter.errors import MalformedMessageError
from adapter.fhir.contents import FLAWS, elements, word

Json = dict[str, Any]
Name = tuple[str, str]
"""Type and logical id of a resource."""

_SPACE = re.compile(r"[ \t\r\n]*")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_NAME = re.compile(r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?", re.ASCII)
# Numbers stay text: no digit is lost or paid for here, and whether they are any is the reader's business.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)

REFERENCES = {
    "DiagnosticReport": ("subject", "encounter", "specimen", "result"),
    "Observation": ("subject", "encounter", "specimen", "hasMember"),
    "MedicationAdministration": ("subject", "context", "medicationReference"),
    "MedicationRequest": ("subject", "encounter", "medicationReference"),
    "Condition": ("subject", "encounter"),
    "Encounter": ("subject", "location"),
    "Patient": ("link",),
    "Procedure": ("subject", "encounter"),
    "Specimen": ("subject",),
    "Flag": ("subject", "encounter"),
    "Consent": ("patient",),
}
"""Elements whose targets a reader needs."""
INNER = {"location": "location", "link": "other"}
"""Where an element is not the reference itself but holds it."""

BESIDE = frozenset({"Encounter", "Location", "Medication", "Patient", "Specimen"})
"""Targets that say whose, where or what the referring resource is: a reader knows one page, so they must stand in it too."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`version` tells two states of a resource apart; `at` is where its entry begins in the page's text."""

    kind: str
    id: str
    version: str
    updated: datetime | None
    resource: Json = field(repr=False)
    page: str = field(repr=False)
    at: int

    @property
    def name(self) -> Name:
        return self.kind, self.id

    def text(self) -> str:
        """The resource as it stands in the page, character for character."""
        return next(self.page[begin:end] for key, _, begin, end in members(self.page, self.at) if key == "resource")


@dataclass(frozen=True, slots=True)
class Page:
    """`hole` is where entries can be put into `text`, negative where nowhere; `flawed`: the server says it is not whole."""

    text: str = field(repr=False)
    entries: tuple[Entry, ...]
    next: str
    updated: datetime | None
    id: str
    flawed: bool
    hole: int

    def with_beside(self, found: Iterable[Entry], base: str) -> str:
        """The page as it came, and behind its own entries what they refer to."""
        more = [_as_entry(one, base, ',"search":{"mode":"include"}') for one in found]
        if not more or self.hole < 0:
            return self.text
        return ",".join([self.text[: self.hole].rstrip(), *more]) + self.text[self.hole :]


def read_page(body: bytes) -> Page:
    """Raises MalformedMessageError for what is no searchset (codes JSON, CHARSET, BUNDLE)."""
    text = _text(body)
    try:
        top, given, hole = _outermost(text)
    except (ValueError, IndexError, RecursionError):
        raise MalformedMessageError("JSON", "the page is no sound JSON — ask who keeps the server") from None
    if top.get("resourceType") != "Bundle" or top.get("type") != "searchset":
        raise MalformedMessageError("BUNDLE", "the answer is no searchset — look at the server's address")
    entries = tuple(_entry(value["resource"], text, at) for value, at in given if _holds(value))
    identity = top.get("id")
    return Page(
        text=text,
        entries=tuple(one for one in entries if one.kind != "OperationOutcome"),
        next=_next(top.get("link")),
        updated=moment_of(_meta(top).get("lastUpdated")),
        id=identity if isinstance(identity, str) and _ID.fullmatch(identity) else "",
        flawed=any(one.kind == "OperationOutcome" and _flawed(one.resource) for one in entries),
        hole=hole if entries else -1,
    )


def bundle_of(entries: Iterable[Entry], kind: str, base: str) -> str:
    """Resources that came by themselves, with what they refer to."""
    return f'{{"resourceType":"Bundle","type":"{kind}","entry":[{",".join(_as_entry(one, base) for one in entries)}]}}'


def _as_entry(one: Entry, base: str, more: str = "") -> str:
    return f'{{"fullUrl":{json.dumps(f"{base}/{one.kind}/{one.id}")},"resource":{one.text()}{more}}}'


def read_resource(body: bytes) -> Entry | None:
    """One resource by itself; None for anything else."""
    try:
        value, _ = _DECODER.raw_decode(text := f'{{"resource":{_text(body).strip()}}}')
    except (ValueError, RecursionError, MalformedMessageError):
        return None
    return _entry(value["resource"], text, 0) if _holds(value) else None


def targets(entry: Entry, base: str) -> Iterator[Name]:
    """What it refers to on its own server: relative, or absolute below `base`; anything else is nobody's to fetch (F31)."""
    for element in REFERENCES.get(entry.kind, ()):
        given = entry.resource.get(element)
        for one in given if isinstance(given, list) else [given]:
            held = one.get(INNER.get(element, "")) if isinstance(one, dict) else None
            inner = held if isinstance(held, dict) else one
            reference = inner.get("reference") if isinstance(inner, dict) else None
            if isinstance(reference, str) and (name := name_of(reference, base)):
                yield name


def name_of(reference: str, base: str) -> Name | None:
    found = _NAME.fullmatch(reference.removeprefix(f"{base}/"))
    return (found[1], found[2]) if found else None


def moment_of(value: object) -> datetime | None:
    """A FHIR instant; None for anything less, and for one without a zone."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MalformedMessageError("CHARSET", "the page is not UTF-8 — FHIR's JSON is nothing else") from None


def _outermost(text: str) -> tuple[Json, list[tuple[Any, int]], int]:
    """The Bundle's own members, its entries with the place of each, and where they end."""
    top: Json = {}
    entries: list[tuple[Any, int]] = []
    at, hole = _space(text, 0), -1
    for key, value, _, end in members(text, at):
        at = end
        if key == "entry" and isinstance(value, _Elements):
            entries, hole = value.found, end - 1
        else:
            top[key] = value
    at = _space(text, at + 1 if text[at] == "{" else at)
    if _space(text, _past(text, at, "}")) != len(text):
        raise ValueError("more behind the page")
    return top, entries, hole


@dataclass(frozen=True, slots=True)
class _Elements:
    found: list[tuple[Any, int]]


def members(text: str, at: int) -> Iterator[tuple[str, Any, int, int]]:
    """Of an object: key, value, where the value begins and ends; the elements of `entry` are told one by one."""
    at = _past(text, at, "{")
    while text[at] != "}":
        if text[at] != '"':
            raise ValueError("no key")
        key, at = _DECODER.raw_decode(text, at)
        begin = _past(text, _space(text, at), ":")
        value: Any
        if key == "entry" and text[begin] == "[":
            value, at = _elements(text, begin)
        else:
            value, at = _DECODER.raw_decode(text, begin)
        yield key, value, begin, at
        at = _space(text, at)
        at = at if text[at] == "}" else _past(text, at, ",")


def _elements(text: str, at: int) -> tuple[_Elements, int]:
    found: list[tuple[Any, int]] = []
    at = _past(text, at, "[")
    while text[at] != "]":
        value, end = _DECODER.raw_decode(text, at)
        found.append((value, at))
        at = _space(text, end)
        at = at if text[at] == "]" else _past(text, at, ",")
    return _Elements(found), at + 1


def _space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _past(text: str, at: int, mark: str) -> int:
    """Behind the mark that must stand here, and behind the space that follows it."""
    if text[at] != mark:
        raise ValueError("not where it should be")
    return _space(text, at + 1)


def _holds(value: Any) -> bool:
    resource = value.get("resource") if isinstance(value, dict) else None
    return isinstance(resource, dict) and isinstance(resource.get("resourceType"), str)


def _entry(resource: Json, page: str, at: int) -> Entry:
    meta, identity = _meta(resource), resource.get("id")
    return Entry(
        kind=resource["resourceType"],
        id=identity if isinstance(identity, str) else "",
        version=_version(resource, meta),
        updated=moment_of(meta.get("lastUpdated")),
        resource=resource,
        page=page,
        at=at,
    )


def _version(resource: Json, meta: Json) -> str:
    """The server's own, with its time: a server set back to yesterday gives a number twice. Else by the content."""
    said = [str(meta[key]) for key in ("versionId", "lastUpdated") if key in meta]
    if len(said) == 2:  # noqa: PLR2004 — both
        return "|".join(said)
    return sha256(json.dumps(resource, sort_keys=True).encode()).hexdigest()


def _meta(resource: Json) -> Json:
    meta = resource.get("meta")
    return meta if isinstance(meta, dict) else {}


def _next(links: object) -> str:
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("relation") == "next" and isinstance(link.get("url"), str):
            return str(link["url"])
    return ""


def _flawed(outcome: Json) -> bool:
    return any(word(issue, "severity") in FLAWS for issue in elements(outcome, "issue"))
