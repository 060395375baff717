"""What an EDC's answer to a transaction means: done with these ids, try again, or no for good."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from adapter.domain.message import RemoteResource
from adapter.errors import UnavailableError
from adapter.pipeline.exchange import Answer, Json, outcome_codes, read_json, refuse

FAILED, CONFLICT, STALE = 300, 409, 412

_LOCATION = re.compile(r"(?:^|/)ResearchSubject/([A-Za-z0-9.-]{1,64})(?:/_history/([A-Za-z0-9.-]{1,64}))?$", re.ASCII)
_ETAG = re.compile(r'(?:W/)?"([A-Za-z0-9.-]{1,64})"', re.ASCII)


class ConflictError(Exception):
    """Somebody else wrote meanwhile, or there is more than one match (HTTP 409, 412): only the caller can tell which."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Done:
    """`subject` is what the EDC now holds, where it said so; `created`: this transaction made it."""

    subject: RemoteResource | None
    created: bool


def read_reply(answer: Answer, *, entries: int, subject_at: int, wish: float | None) -> Done:
    """Entry by entry (bad-input E09). Raises UnavailableError, RejectedError or ConflictError."""
    body = read_json(answer)
    _refuse(answer.status, f"the EDC{outcome_codes(body)}", wish)
    replies = list(_replies(body))
    if len(replies) != entries:
        raise UnavailableError("the EDC's answer is no transaction-response of our bundle — tried again")
    for number, reply in enumerate(replies):
        status = _status(reply)
        _refuse(status, f"the EDC{outcome_codes(reply.get('outcome'))}, at entry {number + 1} of the bundle,", wish)
    mine = replies[subject_at]
    return Done(_remote(mine), _status(mine) == 201)  # noqa: PLR2004 — HTTP: created


def _refuse(status: int, what: str, wish: float | None) -> None:
    if status in (CONFLICT, STALE):
        raise ConflictError(status)
    if status >= FAILED:
        refuse(status, what, wish=wish)


def _replies(body: Json | None) -> Iterator[Json]:
    """The `response` of each entry, if this is a response bundle at all."""
    if not body or body.get("type") not in ("transaction-response", "batch-response"):
        return
    entries: Any = body.get("entry", [])
    for entry in entries if isinstance(entries, list) else []:
        reply = entry.get("response") if isinstance(entry, dict) else None
        if isinstance(reply, dict):
            yield reply


def _status(reply: Json) -> int:
    text = str(reply.get("status", ""))[:3]
    if not (text.isascii() and text.isdigit()):
        raise UnavailableError("an entry of the EDC's answer has no status — tried again")
    return int(text)


def _remote(reply: Json) -> RemoteResource | None:
    found = _LOCATION.search(str(reply.get("location", "")))
    if found is None:
        return None
    return RemoteResource(found[1], version_of(reply.get("etag")) or found[2] or "")


def version_of(etag: object) -> str:
    """`W/"3"` → `3`; empty where it is none."""
    found = _ETAG.fullmatch(str(etag or "").strip())
    return found[1] if found else ""
