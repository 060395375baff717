"""The forms of a candidate's page: an answer, a status, a central result."""

from collections.abc import Callable

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from adapter.domain.onset import ONSET
from adapter.domain.trial import Trial
from adapter.web import fields, wishes
from adapter.web.access import MayAct, of_this_session
from adapter.web.acts import Wish, nothing, perform, unused
from adapter.web.context import WebContext
from adapter.web.dossier import known
from adapter.web.onward import onward
from adapter.web.sessions import Visitor
from adapter.web.since import Wanted, Watch, onset_as_asked
from adapter.web.tongue import plain, say
from adapter.web.wishes import Asked, RefusedError
from adapter.web.worklist import candidate_page, redrawn

router = APIRouter(include_in_schema=False)

EVERY_FORM = ("csrf", "token")
ONSET_FORM = "onset"
Body = Callable[[Asked, Trial], bytes]


@router.post("/c/{candidate}/determination")
async def determine(request: Request, visitor: MayAct, candidate: str) -> Response:
    given = await fields.form(request, *EVERY_FORM, "criterion", "answer", "note")

    def body(asked: Asked, trial: Trial) -> bytes:
        return wishes.determination(asked, trial, given["criterion"], given["answer"], given["note"])

    return await _done(request, visitor, ("determination", candidate), given, body)


@router.post("/c/{candidate}/onset")
async def set_onset(request: Request, visitor: MayAct, candidate: str) -> Response:
    context: WebContext = request.app.state.context
    given = await fields.form(request, *EVERY_FORM, "began", "reason")

    def body(asked: Asked, _trial: Trial) -> bytes:
        if not given["began"]:
            return wishes.onset_as_computed(asked, given["reason"])
        return wishes.onset(asked, wishes.drawn(given["began"], asked.row, context), given["reason"])

    return await _done(request, visitor, (ONSET_FORM, candidate), given, body)


@router.post("/c/{candidate}/status")
async def set_status(request: Request, visitor: MayAct, candidate: str) -> Response:
    given = await fields.form(request, *EVERY_FORM, "choice", "note")
    wanted, _, reason = given["choice"].partition("|")

    def body(asked: Asked, trial: Trial) -> bytes:
        if reason != wishes.SURE:
            wishes.sure(asked, wanted)
        return wishes.status(asked, trial, wanted, reason.removeprefix(wishes.SURE), given["note"])

    return await _done(request, visitor, ("status", candidate), given, body)


@router.post("/c/{candidate}/result")
async def enter_result(request: Request, visitor: MayAct, candidate: str) -> Response:
    context: WebContext = request.app.state.context
    given = await fields.form(request, *EVERY_FORM, "test", "value", "drawn")
    concept, _, unit = given["test"].partition("|")

    def body(asked: Asked, _trial: Trial) -> bytes:
        drawn = wishes.drawn(given["drawn"], asked.row, context)
        return wishes.result(asked, concept, plain(given["value"]), unit, drawn)

    return await _done(request, visitor, ("result", candidate), given, body)


async def _done(
    request: Request, visitor: Visitor, what: tuple[str, str], given: dict[str, str], body: Body
) -> Response:
    context: WebContext = request.app.state.context
    kind, candidate = what
    typed = {name: value for name, value in given.items() if name not in EVERY_FORM}
    if not of_this_session(visitor, given["csrf"]):
        return await redrawn(request, visitor, candidate, typed)
    row = await known(request, visitor, candidate)
    trial = context.trial(row.trial)
    if trial is None:
        raise HTTPException(404, say("This trial is not screened here."))
    asked = Asked(row, visitor.name, context.clock())
    wish = Wish(kind, row, given["token"], tuple(sorted(typed.items())))
    try:
        stored, watch = body(asked, trial), _watch(request, asked, kind, given)
        if watch:
            await run_in_threadpool(watch.look)
        done = await perform(request, visitor, wish, stored, watch.again if watch else nothing)
    except RefusedError as error:
        return await candidate_page(request, visitor, candidate, problem=str(error), typed=typed | error.instead)
    if problem := unused(done):
        return await candidate_page(request, visitor, candidate, problem=problem)
    following = request.query_params.get("following", "")
    then = _answered(trial, given, following) if kind == "determination" else f"#{kind}"
    return RedirectResponse(f"/c/{candidate}?saved={done.state}{then}", status_code=303)


def _watch(request: Request, asked: Asked, kind: str, given: dict[str, str]) -> Watch | None:
    """Over what a colleague may have decided since the form was drawn; a result replaces nobody's decision."""
    drawn, context = request.query_params.get("upon", ""), request.app.state.context
    if not drawn:
        return None
    if kind == ONSET_FORM:
        began = wishes.drawn(given["began"], asked.row, context) if given["began"] else None
        return Watch(context, asked, Wanted(ONSET, onset_as_asked(began), drawn))
    wanted = given.get("choice", given.get("answer", "")).removesuffix(f"|{wishes.SURE}")
    return Watch(context, asked, Wanted(given.get("criterion", ""), wanted, drawn))


def _answered(trial: Trial, given: dict[str, str], following: str) -> str:
    """What the page says of it, and its part to go on with: a second click goes where the first one did."""
    criterion = given["criterion"]
    return f"&answered={criterion}#{onward(trial, criterion, given['answer'], following)}"
