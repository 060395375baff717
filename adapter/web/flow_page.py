"""The figures of a trial on one page: the flow of patients, times to a decision, how often a flag was right, who was missed."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from adapter.domain.trial import Trial
from adapter.pipeline.why_not import Cause
from adapter.store import missed_cases, screening_log
from adapter.store.accounts import Scope
from adapter.store.missed_cases import MissedCase
from adapter.store.screening_log import Judged, Logged
from adapter.web import cases as missed
from adapter.web import entries, figures, flow, pictures, render, times
from adapter.web.access import SeesCounts
from adapter.web.answers import ABSENT, REFUSALS
from adapter.web.context import WebContext
from adapter.web.flow import Step
from adapter.web.log import asked
from adapter.web.roles import Right
from adapter.web.sessions import Visitor
from adapter.web.tongue import say
from adapter.web.worklist import common_zone

router = APIRouter()

Known = tuple[Judged, list[Logged], list[MissedCase]]


@router.get("/figures", include_in_schema=False)
async def page(request: Request, visitor: SeesCounts, trial: str = "", found: str = "") -> Response:
    said = say(missed.CAUSES[Cause(found)]) if found in set(Cause) else ""
    return await figures_page(request, visitor, asked(request.app.state.context, trial, visitor.scope), said=said)


async def figures_page(
    request: Request, visitor: Visitor, trial: Trial, *, said: str = "", problem: str = ""
) -> Response:
    """Numbers only, whoever looks; a missed case's note and link are for who may see patients."""
    context: WebContext = request.app.state.context
    judged, listed, cases = await run_in_threadpool(read, context, trial, visitor.scope)
    steps, now = flow.flow(trial, judged, listed), context.clock()
    return render.page(
        request,
        "figures.html",
        visitor=visitor,
        status=422 if problem else 200,
        here="figures",
        trial=trial,
        trials=[one for one in context.trials if visitor.scope.trial(one.id)],
        steps=steps,
        patients=judged.patients,
        flow=pictures.flow_picture(steps),
        sear=_sear(steps),
        times=figures.times(listed),
        hours=_hours,
        by_flag=figures.by_flag(trial, listed),
        by_criterion=figures.by_criterion(trial, listed),
        known=missed.known_enrolled(trial, listed, cases),
        causes=missed.causes(cases),
        cases=missed.told(trial, cases, now),
        reports=visitor.may(Right.ACT),
        sees=visitor.may(Right.PATIENTS),
        latest=f"{now.astimezone(common_zone(context)):%Y-%m-%dT%H:%M}",
        zone=times.zone_name(common_zone(context), now),
        said=said,
        problem=problem,
    )


@router.get("/api/v1/flow", responses=REFUSALS | ABSENT)
async def as_json(request: Request, visitor: SeesCounts, trial: str = "") -> dict[str, Any]:
    """The same numbers: each step with those who left it, by reason."""
    context: WebContext = request.app.state.context
    chosen = asked(context, trial, visitor.scope)
    judged, listed, cases = await run_in_threadpool(read, context, chosen, visitor.scope)
    return {
        "trial": chosen.id,
        "as_of": context.clock().isoformat(),
        "patients": judged.patients,
        "flow": [step.as_json() for step in flow.flow(chosen, judged, listed)],
        "times": [_fields(one) for one in figures.times(listed)],
        "predictive": [_fields(one) for one in figures.by_flag(chosen, listed)],
        "missed": dict(missed.causes(cases)),
    }


def read(context: WebContext, trial: Trial, scope: Scope) -> Known:
    """A missed case names no site: who works for some sites alone reads of those that have a candidate there."""
    with context.database.read() as conn:
        listed = entries.complete(conn, screening_log.listing(conn, trial.id, scope))
        cases, mine = missed_cases.listing(conn, trial.id), {one.id for one in listed}
        if scope.sites is not None:
            cases = [case for case in cases if case.candidate in mine]
        return screening_log.judged(conn, trial.id, scope), listed, cases


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
