"""JSON as FHIR allows it, and no other: what two readers could read differently is refused (reliability F16 to F25)."""

import json
import re
from collections.abc import Iterable
from typing import Any

from adapter.errors import MalformedMessageError

Json = dict[str, Any]

BOM = b"\xef\xbb\xbf"
LONGEST_NUMBER = 40
"""Characters. A longer "number" is an attack or a mistake, and its digits cost quadratic time."""
MOST_EXPONENT = 30
_UNFIT = re.compile("[\0\ud800-\udfff]")


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
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise MalformedMessageError("JSON", "The content is no sound JSON — ask who keeps the server") from None


def _text(body: bytes) -> str:
    try:
        return body.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedMessageError("CHARSET", "The content is not UTF-8 — FHIR's JSON is nothing else") from None


def _number(text: str) -> Decimal:
    exponent = text.lower().partition("e")[2] or "0"
    if len(text) > LONGEST_NUMBER or abs(int(exponent)) > MOST_EXPONENT:
        raise ValueError("a number out of all proportion")
    return Decimal(text)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _object(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    reason = "DUPKEY" if len(found) < len(pairs) else _doubt(found.values())
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
