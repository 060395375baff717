"""The figures of a trial on one page: the flow of patients, times to a decision, how often a flag was right, who was missed."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from adapter.domain.trial import Trial
from adapter.pipeline.why_not import Cause
from adapter.store import missed_cases
from adapter.store.accounts import Scope
from adapter.store.missed_cases import MissedCase
from adapter.web import cases as missed
from adapter.web import flow, pictures, render, times
from adapter.web.access import SeesCounts
from adapter.web.answers import ABSENT, REFUSALS
from adapter.web.chronicle import Chronicle, Part, Sums
from adapter.web.context import WebContext
from adapter.web.flow import Step
from adapter.web.log import asked
from adapter.web.roles import Right
from adapter.web.sessions import Visitor
from adapter.web.shadow import Rehearsal, rehearsal
from adapter.web.tongue import say
from adapter.web.worklist import common_zone

router = APIRouter()


@router.get("/figures", include_in_schema=False)
async def page(request: Request, visitor: SeesCounts, trial: str = "", found: str = "") -> Response:
    said = say(missed.CAUSES[Cause(found)]) if found in set(Cause) else ""
    return await figures_page(request, visitor, asked(request.app.state.context, trial, visitor.scope), said=said)


async def figures_page(
    request: Request, visitor: Visitor, trial: Trial, *, said: str = "", problem: str = ""
) -> Response:
    """Numbers only, whoever looks; a missed case's note and link are for who may see patients."""
    context: WebContext = request.app.state.context
    part, sums, cases = await read(request.app.state.chronicle, trial, visitor.scope)
    steps, now, zone = sums.steps, context.clock(), common_zone(context, visitor.scope)
    tried = await run_in_threadpool(_tried, part, context, visitor.scope)
    return render.page(
        request,
        "figures.html",
        visitor=visitor,
        status=422 if problem else 200,
        here="figures",
        trial=trial,
        trials=[one for one in context.trials if visitor.scope.trial(one.id)],
        steps=steps,
        patients=part.judged.patients,
        flow=pictures.flow_picture(steps),
        sear=_sear(steps),
        times=sums.times,
        hours=_hours,
        by_flag=sums.by_flag,
        by_criterion=sums.by_criterion,
        tried=tried,
        known=missed.known_enrolled(sums.enrolled, cases),
        causes=missed.causes(cases),
        cases=missed.told(trial, cases, now),
        reports=visitor.may(Right.ACT),
        sees=visitor.may(Right.PATIENTS),
        latest=f"{now.astimezone(zone):%Y-%m-%dT%H:%M}",
        zone=times.zone_name(zone, now),
        as_of=f"{part.at.astimezone(zone):%H:%M:%S}",
        said=said,
        problem=problem,
    )


@router.get("/api/v1/flow", responses=REFUSALS | ABSENT)
async def as_json(request: Request, visitor: SeesCounts, trial: str = "") -> dict[str, Any]:
    """The same numbers: each step with those who left it, by reason."""
    context: WebContext = request.app.state.context
    chosen = asked(context, trial, visitor.scope)
    part, sums, cases = await read(request.app.state.chronicle, chosen, visitor.scope)
    tried = await run_in_threadpool(_tried, part, context, visitor.scope)
    return {
        "trial": chosen.id,
        "as_of": part.at.isoformat(),
        "patients": part.judged.patients,
        "flow": [step.as_json() for step in sums.steps],
        "times": [_fields(one) for one in sums.times],
        "predictive": [_fields(one) for one in sums.by_flag],
        "missed": dict(missed.causes(cases)),
        "shadow": None if tried is None else tried.as_json() | {"predictive": [_fields(one) for one in tried.by_flag]},
    }


async def read(chronicle: Chronicle, trial: Trial, scope: Scope) -> tuple[Part, Sums, list[MissedCase]]:
    part = await chronicle.read(trial, scope)
    return part, *await run_in_threadpool(_summed, chronicle.context, part, scope)


def _summed(context: WebContext, part: Part, scope: Scope) -> tuple[Sums, list[MissedCase]]:
    """A missed case names no site: who works for some sites alone reads of those that have a candidate there."""
    with context.database.read() as conn:
        cases = missed_cases.listing(conn, part.trial.id)
    if scope.sites is not None:
        mine = {one.logged.id for one in part.entries}
        cases = [case for case in cases if case.candidate in mine]
    return part.sums(), cases


def _tried(part: Part, context: WebContext, scope: Scope) -> Rehearsal | None:
    with context.database.read() as conn:
        told = part.spans, part.tellings(conn)
    return rehearsal(part.trial, part.listed, told, context.clock(), common_zone(context, scope))


def _fields(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


def _sear(steps: tuple[Step, ...]) -> list[tuple[str, int, str]]:
    """Screened, eligible, approached, randomised, each as a share of those shown to people."""
    counts = dict(zip(flow.Stage, (step.count for step in steps[1:]), strict=True))
    named = (
        (say("Screened"), flow.Stage.FLAGGED),
        (say("Eligible"), flow.Stage.ELIGIBLE),
        (say("Approached"), flow.Stage.APPROACHED),
        (say("Randomised"), flow.Stage.RANDOMISED),
    )
    return [(name, counts[stage], _share(counts[stage], counts[flow.Stage.FLAGGED])) for name, stage in named]


def _share(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)}\u00a0%" if whole else "–"


def _hours(hours: float | None) -> str:
    return "–" if hours is None else times.duration(hours * times.HOUR)
