"""The screening log: who was shown and what became of them, for the site with names and for the trial unit without."""

from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from adapter.domain.trial import Trial
from adapter.store.accounts import Scope
from adapter.store.audit import Act
from adapter.web import again, entries, fields, flow, render, sheets, times, words
from adapter.web.access import MayAct, SeesPatients, check_csrf, check_fresh
from adapter.web.again import Waiting
from adapter.web.answers import ABSENT, REFUSALS
from adapter.web.chronicle import Part
from adapter.web.context import WebContext
from adapter.web.entries import Entry
from adapter.web.record import note
from adapter.web.sessions import Visitor
from adapter.web.tongue import ENGLISH, say, speaking
from adapter.web.worklist import common_zone

router = APIRouter()

MOST = 200
"""Rows on the page, the newest; a download holds all."""
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
WISH = ("csrf", "trial", "version", "format")


@router.get("/log", include_in_schema=False)
async def page(request: Request, visitor: SeesPatients, trial: str = "") -> Response:
    """Pseudonymous, as the trial unit would have it: each row leads to the candidate."""
    context: WebContext = request.app.state.context
    chosen = asked(context, trial, visitor.scope)
    part = await request.app.state.chronicle.read(chosen, visitor.scope)
    many, zone = part.entries, common_zone(context, visitor.scope)
    await note(request, _act(visitor.name, visitor.role, "view-log", chosen, rows=len(many)))
    return render.page(
        request,
        "log.html",
        visitor=visitor,
        here="log",
        trial=chosen,
        trials=[one for one in context.trials if visitor.scope.trial(one.id)],
        rows=[_shown(one, zone) for one in reversed(many[-MOST:])],
        total=len(many),
        withheld=sum(one.withheld for one in many),
        dates=str(context.dates),
        zone=times.zone_name(zone, context.clock()),
        as_of=f"{part.at.astimezone(zone):%H:%M:%S}",
    )


@router.post("/log/download", include_in_schema=False)
async def download(request: Request, visitor: MayAct) -> Response:
    """Whoever signed in long ago says first who they are."""
    given = await fields.form(request, *WISH, perhaps=again.PROOF)
    check_csrf(visitor, given["csrf"])
    wish, back = {name: given[name] for name in WISH}, f"/log?trial={quote(given['trial'], safe='')}"
    waiting = Waiting("/log/download", wish, say("Download the screening log"), back, say("Screening log"), "log")
    if asks := await again.asked(request, visitor, given, waiting):
        return asks
    return await _file_of(request, visitor, given)


async def _file_of(request: Request, visitor: Visitor, given: dict[str, str]) -> Response:
    """On record before the first byte leaves."""
    context: WebContext = request.app.state.context
    version, kind = given["version"], given["format"]
    if version not in entries.VERSIONS or kind not in FORMATS:
        raise HTTPException(422, say("Choose the site's or the trial unit's version, as CSV or XLSX."))
    trial = asked(context, given["trial"], visitor.scope)
    part = await request.app.state.chronicle.read(trial, visitor.scope)
    with speaking(ENGLISH):
        rows, body = await run_in_threadpool(_file, part, (version, kind))
    await note(request, _act(visitor.name, visitor.role, "export-log", trial, version=version, format=kind, rows=rows))
    name = f"screening-log-{trial.id}-{version}-{context.clock():%Y%m%d}.{kind}"
    return Response(body, media_type=FORMATS[kind], headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.get("/api/v1/screening-log", responses=REFUSALS | ABSENT)
async def as_json(request: Request, visitor: MayAct, trial: str = "") -> dict[str, Any]:
    """The trial unit's version: screening numbers, no names. `withheld` people may not leave, and are only counted. As a
    download, it is for who signed in within the last quarter hour.
    """
    context: WebContext = request.app.state.context
    check_fresh(visitor, context.clock())
    chosen = asked(context, trial, visitor.scope)
    part = await request.app.state.chronicle.read(chosen, visitor.scope)
    columns, rows = entries.columns_of("trial"), await run_in_threadpool(entries.rows_of, "trial", part.entries)
    act = _act(visitor.name, visitor.role, "export-log", chosen, version="trial", format="json", rows=len(rows))
    await note(request, act)
    return {
        "trial": chosen.id,
        "as_of": part.at.isoformat(),
        "dates": str(context.dates),
        "withheld": len(part.entries) - len(rows),
        "entries": [dict(zip(columns, row, strict=True)) for row in rows],
    }


def asked(context: WebContext, trial: str, scope: Scope) -> Trial:
    """The trial named, or the first of theirs; 404 for one that is not screened here, or not theirs."""
    mine = [one for one in context.trials if scope.trial(one.id)]
    found = next((one for one in mine if trial in ("", one.id)), None)
    if found is None:
        raise HTTPException(404, say("This trial is not screened here."))
    return found


def _file(part: Part, how: tuple[str, str]) -> tuple[int, bytes]:
    """In English whoever asks: other programs read these columns."""
    version, kind = how
    rows, columns = entries.rows_of(version, part.entries), entries.columns_of(version)
    if kind == "csv":
        return len(rows), sheets.as_csv(columns, rows)
    return len(rows), sheets.as_workbook(f"Screening log {part.trial.id}", columns, rows, part.at)


def _shown(one: Entry, zone: tzinfo) -> dict[str, Any]:
    """Exact times: whoever sees this page sees the patients too."""
    logged = one.logged
    return {
        "id": logged.id,
        "number": one.number,
        "withheld": one.withheld,
        "in_shadow": one.in_shadow,
        "erased": logged.erased,
        "age": say(entries.age_band(one)),
        "sex": words.sentence(logged.sex),
        "flagged": times.local(logged.flagged, zone),
        "look": _after(logged.flagged, logged.seen),
        "decision": _after(logged.flagged, entries.decided(one)),
        "verdict": words.verdict(logged.verdict),
        "status": words.sentence(logged.status),
        "why": words.capital(flow.passage(logged, one.trial).why),
    }


def _after(start: datetime | None, end: datetime | None) -> str:
    return "" if start is None or end is None else times.duration(max(0.0, (end - start).total_seconds()))


def _act(name: str, role: str, action: str, trial: Trial, **detail: Any) -> Act:
    return Act(name, role, action, "trial", trial.id, detail)
