"""The same worklist for scripts: JSON under /api/v1, with the session of the pages."""

import hashlib
import json
import secrets
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool

from adapter.domain.trial import Trial
from adapter.store import on_show, worklist
from adapter.store.accounts import Scope
from adapter.store.audit import Act
from adapter.store.database import Transaction
from adapter.store.worklist import CandidateRow, HistoryRow
from adapter.web import fields, since, wishes
from adapter.web.access import MayAct, SeesCounts, SeesPatients, SignedIn, check_csrf
from adapter.web.acts import Beside, Wish, nothing, perform
from adapter.web.answers import ABSENT, MISTAKEN, REFUSALS
from adapter.web.context import WebContext
from adapter.web.dossier import explained, known
from adapter.web.quality import read_counts
from adapter.web.record import note
from adapter.web.wishes import Asked, RefusedError
from adapter.web.worklist import read_feeds

router = APIRouter(prefix="/api/v1", responses=REFUSALS)

LONGEST_NOTE = wishes.LONGEST_NOTE
PAGE = 500
"""Candidates in one answer; `pages` says how many there are."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeterminationBody(_Strict):
    """A person's answer to a criterion. `at` is when they knew; now, if left out."""

    criterion: str = Field(max_length=64)
    answer: Literal["met", "not-met", "unknown"]
    at: AwareDatetime | None = None
    note: str = Field(default="", max_length=LONGEST_NOTE)


class StatusBody(_Strict):
    status: str = Field(max_length=64)
    reason: str = Field(default="", max_length=64)
    note: str = Field(default="", max_length=LONGEST_NOTE)


class ResultBody(_Strict):
    """A result of the central laboratory."""

    concept: str = Field(max_length=64)
    value: str = Field(max_length=20)
    unit: str = Field(max_length=20)
    drawn: AwareDatetime


class OnsetBody(_Strict):
    """When sepsis began, where a person says otherwise than the score; `null` takes it back."""

    onset: AwareDatetime | None
    reason: str = Field(min_length=1, max_length=LONGEST_NOTE)


Posted = DeterminationBody | StatusBody | ResultBody | OnsetBody
KINDS = {DeterminationBody: "determination", StatusBody: "status", ResultBody: "result", OnsetBody: "onset"}
_POSTED: TypeAdapter[Posted] = TypeAdapter(Posted)
_SCHEMA = {"requestBody": {"required": True, "content": {"application/json": {"schema": {
    "anyOf": [kind.model_json_schema() for kind in (DeterminationBody, StatusBody, ResultBody, OnsetBody)]
}}}}}  # fmt: skip


@router.get("/session")
async def session(visitor: SignedIn) -> dict[str, str]:
    """Who is signed in, and the token a POST must carry as `X-CSRF-Token`."""
    return {"user": visitor.name, "role": visitor.role, "csrf": visitor.csrf}


@router.get("/candidates")
async def candidates(
    request: Request, visitor: SeesPatients, page: Annotated[int, Query(ge=1, le=10_000)] = 1
) -> dict[str, Any]:
    """Who is shown on the worklist, least time left first, 500 on a page, and how many are only watched."""
    context: WebContext = request.app.state.context
    rows, total, watching = await run_in_threadpool(_listed, context, visitor.scope, page)
    await note(request, Act(visitor.name, visitor.role, "view-worklist", "worklist", detail={"rows": len(rows)}))
    now = context.clock()
    counts = {"watching": watching, "total": total, "pages": max(1, -(-total // PAGE))}
    return {"as_of": now.isoformat(), **counts, "candidates": [brief(row, now) for row in rows]}


@router.get("/candidates/{candidate}", responses=ABSENT)
async def one(request: Request, visitor: SeesPatients, candidate: str) -> JSONResponse:
    """One candidate with its assessment (the `explain` object) and history. The ETag serves `If-Match`."""
    context: WebContext = request.app.state.context
    row, history = await run_in_threadpool(_explained, context, await known(request, visitor, candidate))
    more = {"assessment": row.assessment, "history": [_moment(entry) for entry in history]}
    return JSONResponse(brief(row, context.clock()) | more, headers={"ETag": etag(row)})


@router.post(
    "/candidates/{candidate}/determinations", status_code=201, openapi_extra=_SCHEMA, responses=ABSENT | MISTAKEN
)
async def determine(request: Request, visitor: MayAct, candidate: str) -> JSONResponse:
    """An answer, a status or a central result. An `Idempotency-Key` makes a repetition the same act, whatever has changed since
    the first, while this process remembers it; `If-Match` refuses one upon a candidate who is no longer as it was read.
    """
    context: WebContext = request.app.state.context
    check_csrf(visitor, request.headers.get("x-csrf-token", ""))
    posted = _read(await fields.json_object(request))
    row = await known(request, visitor, candidate)
    trial = context.trial(row.trial)
    if trial is None:
        raise HTTPException(404, "This trial is not screened here.")
    kind = KINDS[type(posted)]
    wish = Wish(kind, row, _key(request), (("body", posted.model_dump_json()),))
    body = _body(posted, Asked(row, visitor.name, context.clock()), trial)
    done = await perform(request, visitor, wish, body, _as_read(context, row, request.headers.get("if-match")))
    return JSONResponse({"message": done.inbox_id, "state": str(done.state)}, status_code=201)


@router.get("/feeds")
async def feeds(request: Request, visitor: SeesCounts) -> dict[str, Any]:
    """When each source was last heard."""
    listed = await run_in_threadpool(read_feeds, request.app.state.context, visitor.scope)
    return {"feeds": [_feed(feed.name, feed.site, feed.kind, feed.state, feed.last) for feed in listed]}


@router.get("/quality")
async def quality(request: Request, visitor: SeesCounts) -> dict[str, Any]:
    """Counts of messages, candidates, reasons of quarantine, and of what no mapping knew."""
    return await run_in_threadpool(read_counts, request.app.state.context, visitor)


def _as_read(context: WebContext, row: CandidateRow, wanted: str | None) -> Beside:
    """In the transaction that stores: nothing changed since, and no act of anybody waits to change it."""

    def check(tx: Transaction, message: int) -> None:
        present = worklist.find(tx, row.id)
        if present is None or etag(present) != wanted or since.acted(tx, context.bench.rules(), row.patient, message):
            raise HTTPException(412, "The candidate has changed since you read it.")

    return nothing if wanted in {None, "*"} else check


def _explained(context: WebContext, row: CandidateRow) -> tuple[CandidateRow, list[HistoryRow]]:
    with context.database.read() as conn:
        return explained(conn, row)


def brief(row: CandidateRow, now: datetime) -> dict[str, Any]:
    left = (row.deadline - now).total_seconds() / 3600 if row.deadline else None
    return {
        "id": row.id,
        "trial": row.trial,
        "verdict": row.verdict,
        "certainty": row.certainty,
        "stratum": row.stratum,
        "status": row.status,
        "standing": row.standing,
        "deadline": _time(row.deadline),
        "hours_left": None if left is None else round(left, 2),
        "patient": {"site": row.patient.site, "authority": row.patient.authority, "id": row.patient.value}
        | {"family": row.family, "given": row.given, "birth_date": row.birth_date},
        "ward": row.ward,
        "bed": row.bed,
        "missing": list(row.assessment.get("missing") or ()),
        "raised": _time(row.raised),
        "changed": _time(row.changed),
        "evaluated_at": _time(row.evaluated_at),
    }


def etag(row: CandidateRow) -> str:
    """Changes with what a person decides upon, not with the passing of time."""
    answers = [(c.get("id"), c.get("answer")) for c in row.assessment.get("criteria") or ()]
    facts = json.dumps([row.verdict, row.certainty, row.stratum, row.status, row.sequence, answers])
    return f'"{hashlib.sha256(facts.encode()).hexdigest()[:16]}"'


def _listed(context: WebContext, scope: Scope, page: int) -> tuple[list[CandidateRow], int, int]:
    trials, now, first = [trial.id for trial in context.trials], context.clock(), (page - 1) * PAGE
    with context.database.read() as conn:
        rows = on_show.page(conn, now, (scope, trials), slice(first, first + PAGE))
        return rows, on_show.number_of(conn, now, scope, trials), worklist.watching_count(conn, scope)


def _read(found: dict[str, Any]) -> Posted:
    try:
        return _POSTED.validate_python(found)
    except ValidationError as error:
        wrong = sorted({".".join(str(part) for part in problem["loc"][1:]) for problem in error.errors()} - {""})
        raise HTTPException(422, f"Look at: {', '.join(wrong) or 'the whole object'}.") from None


def _body(posted: Posted, asked: Asked, trial: Trial) -> bytes:
    try:
        match posted:
            case DeterminationBody():
                return wishes.determination(
                    asked.known_at(posted.at), trial, posted.criterion, posted.answer, posted.note
                )
            case StatusBody():
                return wishes.status(asked, trial, posted.status, posted.reason, posted.note)
            case OnsetBody(onset=None):
                return wishes.onset_as_computed(asked, posted.reason)
            case OnsetBody():
                return wishes.onset(asked, posted.onset, posted.reason)
            case ResultBody():
                return wishes.result(asked, posted.concept, posted.value, posted.unit, posted.drawn)
    except RefusedError as error:
        raise HTTPException(422, str(error)) from None


def _key(request: Request) -> str:
    return request.headers.get("idempotency-key", "")[:200] or secrets.token_urlsafe(16)


def _moment(entry: HistoryRow) -> dict[str, Any]:
    return {
        "at": _time(entry.at),
        "kind": entry.kind,
        "verdict": entry.verdict,
        "text": entry.text,
        "message": entry.message_id,
        "by": entry.by,
    }


def _feed(name: str, site: str, kind: str, state: str, last: datetime | None) -> dict[str, Any]:
    return {"name": name, "site": site, "kind": kind, "state": state, "last_received": _time(last)}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
