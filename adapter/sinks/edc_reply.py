"""What an EDC's answer means: done with these ids, try again, or no for good; of each entry, and of the whole."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapter.domain.message import RemoteResource
from adapter.errors import UnavailableError
from adapter.fhir.contents import FLAWS, elements, word
from adapter.pipeline.exchange import Answer, Json, outcome_codes, read_json, refuse

FAILED, CONFLICT, STALE = 300, 409, 412

_LOCATION = re.compile(
    r"(?:^|/)([A-Z][A-Za-z]{1,63})/([A-Za-z0-9.-]{1,64})(?:/_history/([A-Za-z0-9.-]{1,64}))?$", re.ASCII
)
_ETAG = re.compile(r'(?:W/)?"([A-Za-z0-9.-]{1,64})"', re.ASCII)


class ConflictError(Exception):
    """Somebody else wrote meanwhile, or there is more than one match (HTTP 409, 412): only the caller can tell which."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Done:
    """`subject` is what the EDC now holds, where it said so; `created`: this delivery made it."""

    subject: RemoteResource | None
    created: bool


def read_reply(answer: Answer, *, entries: int, subject_at: int, wish: float | None) -> Done:
    """Of a transaction. Raises UnavailableError, RejectedError or ConflictError."""
    return answered(replies_of(answer, entries=entries, wish=wish), subject_at)


def replies_of(answer: Answer, *, entries: int, wish: float | None) -> list[Json]:
    """Entry by entry (bad-input E09). Raises as `read_reply`, at the first entry that was refused."""
    body = read_json(answer)
    _refuse(answer.status, f"the EDC{outcome_codes(body)}", wish)
    replies = list(_replies(body))
    if len(replies) != entries:
        raise UnavailableError("the EDC's answer is no transaction-response of our bundle — tried again")
    for number, reply in enumerate(replies):
        status = _status(reply)
        _refuse(status, f"the EDC{outcome_codes(reply.get('outcome'))}, at entry {number + 1} of the bundle,", wish)
    return replies


def one_answered(answer: Answer, kind: str, *, wish: float | None) -> Json:
    """What one resource sent by itself was answered, in the words of a bundle's entry. Raises as `read_reply`."""
    body = read_json(answer)
    _refuse(answer.status, f"the EDC{outcome_codes(body)}, asked to keep a {kind},", wish)
    said = answer.headers.get("Location") or answer.headers.get("Content-Location") or ""
    if not said and body and body.get("resourceType") == kind:
        said = f"{kind}/{body.get('id')}"
    outcome = body if body and body.get("resourceType") == "OperationOutcome" else None
    return {"status": str(answer.status), "location": said, "etag": answer.headers.get("ETag"), "outcome": outcome}


def answered(replies: Sequence[Json], subject_at: int) -> Done:
    """Of all entries, in order; what an EDC warned of beside success is noted (edc 5.5.5)."""
    mine = replies[subject_at]
    subject = located(mine, "ResearchSubject")
    if subject is not None:
        subject = replace(subject, note=_warnings(replies))
    return Done(subject, _status(mine) == 201)  # noqa: PLR2004 — HTTP: created


def _warnings(replies: Sequence[Json]) -> str:
    outcomes = [reply.get("outcome") for reply in replies]
    issues = [issue for one in outcomes if isinstance(one, dict) for issue in elements(one, "issue")]
    flaws = [issue for issue in issues if word(issue, "severity") in FLAWS]
    codes = outcome_codes({"resourceType": "OperationOutcome", "issue": flaws})
    return f"delivered, with warnings{codes}" if flaws else ""


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


def located(reply: Json, kind: str) -> RemoteResource | None:
    """Where the EDC put it, if it says so."""
    found = _LOCATION.search(str(reply.get("location", "")))
    if found is None or found[1] != kind:
        return None
    return RemoteResource(found[2], version_of(reply.get("etag")) or found[3] or "")


def version_of(etag: object) -> str:
    """`W/"3"` → `3`; empty where it is none."""
    found = _ETAG.fullmatch(str(etag or "").strip())
    return found[1] if found else ""
