"""JSON as FHIR allows it, and no other: what two readers could read differently is refused (reliability F16 to F25)."""

import json
import re
from collections.abc import Iterable
from typing import Any

from adapter.errors import MalformedMessageError

Json = dict[str, Any]

BOM = b"\xef\xbb\xbf"
DUPKEY = "DUPKEY"
"""A name stands twice in one object."""
LONGEST_NUMBER = 40
"""Characters. A longer "number" is an attack or a mistake, and its digits cost quadratic time."""
MOST_EXPONENT = 30
_UNFIT = re.compile("[\0\ud800-\udfff]")
_UNFIT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_SPACE = b" \t\n\r"


class Unsound(dict[str, Any]):
    """An object in which something is doubtful: `reason` is `DUPKEY` or `CHARSET`. It spoils its resource, not the Bundle."""

    reason = ""


class Decimal(str):
    """A JSON number, character by character: no digit is lost, and none is added."""

    __slots__ = ()


def read(body: bytes) -> Any:
    """The value; numbers are `Decimal`. Raises MalformedMessageError: `JSON`, `CHARSET`, `XML`."""
    text = _text(body)
    if text.lstrip()[:1] == "<":
        raise MalformedMessageError("XML", "The content is XML or HTML — ask for FHIR's JSON (application/fhir+json)")
    try:
        held: list[Json] = []
        found = _quick(held).decode(text)
        return found if _beyond_doubt(body, held) else _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise MalformedMessageError("JSON", "The content is no sound JSON — ask who keeps the server") from None


def _text(body: bytes) -> str:
    try:
        return body.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedMessageError("CHARSET", "The content is not UTF-8 — FHIR's JSON is nothing else") from None


def _quick(held: list[Json]) -> json.JSONDecoder:
    """Notes every object it makes; whether a name stood twice in one of them it does not see."""

    def noted(found: Json) -> Json:
        held.append(found)
        return found

    return json.JSONDecoder(object_hook=noted, parse_float=_number, parse_int=_number, parse_constant=_no_number)


def _beyond_doubt(body: bytes, objects: list[Json]) -> bool:
    """Whether no object can be `Unsound`: as many names were kept as names end in the body, and no letter is unfit.

    An end of a name is a quote and a colon. Texts may hold what looks like one (`":-)"`), so that too many are counted and
    the slower reader looks; too few never are. UTF-8 brings neither a surrogate nor a NUL into a text, only an escape does.
    """
    if b"\\" in body and _UNFIT_ESCAPE.search(body):
        return False
    return body.translate(None, _SPACE).count(b'":') == sum(map(len, objects))


def _number(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        raise ValueError("a number out of all proportion")
    if "e" in text or "E" in text:
        _, _, exponent = text.lower().partition("e")
        if abs(int(exponent)) > MOST_EXPONENT:
            raise ValueError("a number out of all proportion")
    return Decimal(text)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _object(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    reason = DUPKEY if len(found) < len(pairs) else _doubt(found.values())
    if not reason:
        return found
    doubtful = Unsound(found)
    doubtful.reason = reason
    return doubtful


def _doubt(values: Iterable[Any]) -> str:
    """Of any of them; a resource inside keeps its doubt to itself."""
    for value in values:
        kind = type(value)
        if kind is str:
            if "\0" in value if value.isascii() else _UNFIT.search(value):
                return "CHARSET"
        elif kind is list:
            if reason := _doubt(value):
                return reason
        elif kind is Unsound and "resourceType" not in value:
            return str(value.reason)
    return ""


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_int=_number, parse_constant=_no_number
)
"""Looks at every object: what is in doubt is told apart by it alone."""
