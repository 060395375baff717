"""What browsers and scripts send us, read strictly: one value a field, nothing that was not asked for."""

import json
from collections.abc import Sequence
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request

from adapter.web.tongue import say

MOST_FIELDS = 20
FORM = "application/x-www-form-urlencoded"
WRITTEN = ("note", "reason", "text")
"""Fields of the candidate's page that hold somebody's own words."""


async def form(request: Request, *names: str, perhaps: Sequence[str] = ()) -> dict[str, str]:
    """The named fields, each present (perhaps empty) and trimmed; those of `perhaps` are empty where they are missing.
    Raises 415, 400 or 422.
    """
    pairs = await _pairs(request)
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise HTTPException(400, say("A field of this form came twice."))
    if set(fields) - {*names, *perhaps} or set(names) - set(fields):
        raise HTTPException(422, say("This form is incomplete. Reload the page and try again."))
    if any("\0" in value for value in fields.values()):
        raise HTTPException(422, say("This form holds characters that cannot be kept."))
    return dict.fromkeys(perhaps, "") | {name: value.strip() for name, value in fields.items()}


async def written(request: Request) -> str:
    """What somebody wrote into a form that is not taken; empty where nobody wrote, or it cannot be read."""
    try:
        pairs = await _pairs(request)
    except HTTPException:
        return ""
    return "\n".join(value.strip() for name, value in pairs if name in WRITTEN).strip()


async def _pairs(request: Request) -> list[tuple[str, str]]:
    if media_type(request) != FORM:
        raise HTTPException(415, say("Send this form as a browser does."))
    try:
        body = (await request.body()).decode()
        return parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise HTTPException(400, say("This form cannot be read.")) from None


async def json_object(request: Request) -> dict[str, Any]:
    """A JSON object without NaN and without a key twice. Raises 415, 400 or 422."""
    if media_type(request) != "application/json":
        raise HTTPException(415, "Send application/json.")
    try:
        found = json.loads(await request.body(), parse_constant=_refuse, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise HTTPException(400, "This is not the JSON it should be.") from None
    if not isinstance(found, dict):
        raise HTTPException(422, "Send one JSON object.")
    return found


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def local_path(text: str) -> str:
    """A path of this site to go on to; anything else is the worklist."""
    plain = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if plain else "/"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
