"""JSON as FHIR allows it, and no other: what two readers could read differently is refused (reliability F16 to F25)."""

import json
from typing import Any

from adapter.errors import MalformedMessageError

Json = dict[str, Any]

BOM = b"\xef\xbb\xbf"
LONGEST_NUMBER = 40
"""Characters. A longer "number" is an attack or a mistake, and its digits cost quadratic time."""
MOST_EXPONENT = 30


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
    reason = "DUPKEY" if len(found) < len(pairs) else next((why for _, value in pairs if (why := _doubt(value))), "")
    if not reason:
        return found
    doubtful = Unsound(found)
    doubtful.reason = reason
    return doubtful


def _doubt(value: Any) -> str:
    """A resource inside keeps its doubt to itself."""
    if isinstance(value, str):
        return (
            "CHARSET"
            if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value)
            else ("CHARSET" if "\0" in value else "")
        )
    if isinstance(value, Unsound):
        return "" if "resourceType" in value else value.reason
    return next((why for one in value if (why := _doubt(one))), "") if isinstance(value, list) else ""


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_int=_number, parse_constant=_no_number
)
