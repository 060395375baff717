"""What an answer of REDCap's API means: done, try again, or no for good."""

import json
import re
from typing import Any

from adapter.errors import RejectedError, UnavailableError
from adapter.pipeline.exchange import Answer, refuse

FAILED, BAD_REQUEST = 300, 400
_WORD = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


class RefusedError(RejectedError):
    """REDCap understood and said no (HTTP 400); `fields` are those of ours that it named."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        named = f" at {', '.join(fields)}" if fields else ""
        super().__init__(f"REDCap refuses the record (HTTP 400){named} — see Logging there, mend it, send again")
        self.fields = fields


def read(answer: Answer, known: frozenset[str], wish: float | None) -> Any:
    """The answer's JSON. Raises UnavailableError or RejectedError; REDCap's own words quote values, so none is repeated."""
    body = _json(answer.body)
    if answer.status == BAD_REQUEST or (answer.status < FAILED and isinstance(body, dict) and "error" in body):
        said = set(_WORD.findall(answer.body.decode("utf-8", "replace").lower()))
        raise RefusedError(tuple(sorted(known & said)))
    if answer.status >= FAILED:
        refuse(answer.status, "REDCap", wish=wish)
    if body is None:
        raise UnavailableError("REDCap's answer is no JSON: a login page, or a page that it is offline — tried again")
    return body


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def written(body: Any, number: str) -> None:
    """Whether the import wrote our record and no other."""
    ids = [str(one) for one in body] if isinstance(body, list) else []
    if ids != [number]:
        raise RejectedError(
            f"REDCap says that it wrote {len(ids)} records, and not the one that was sent — look there before anything"
        )


def rows(body: Any) -> list[dict[str, str]]:
    """A list of flat rows, every value as text."""
    if not isinstance(body, list) or not all(isinstance(one, dict) for one in body):
        raise UnavailableError("REDCap's answer is no list of rows — tried again")
    return [{str(key): "" if value is None else str(value) for key, value in one.items()} for one in body]
