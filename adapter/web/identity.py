"""Who somebody in doubt is: one proposes with a reason, an investigator approves or sends it back (docs/adr/0047)."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from adapter.domain.overlay import SAME_PERSON
from adapter.errors import RejectedError
from adapter.pipeline.numbers import WHICH_NUMBER
from adapter.store import doubted
from adapter.store.audit import Act
from adapter.store.database import Transaction
from adapter.store.doubted import Proposed
from adapter.store.worklist import CandidateRow
from adapter.web import again, conflicts, fields, wishes
from adapter.web.access import MayAct, MayIdentify, of_this_session, refusal
from adapter.web.acts import Wish, perform, repeated, unused
from adapter.web.again import Waiting
from adapter.web.context import WebContext
from adapter.web.dossier import known
from adapter.web.record import recorded
from adapter.web.roles import Right
from adapter.web.sessions import Visitor
from adapter.web.tongue import mark, say
from adapter.web.wishes import Asked, RefusedError
from adapter.web.worklist import candidate_page, redrawn

router = APIRouter(include_in_schema=False)

FORM = ("csrf", "token")
WHY = mark("Say why: it is put on record with your name.")


@router.post("/c/{candidate}/screening-id")
async def propose_number(request: Request, visitor: MayAct, candidate: str) -> Response:
    given = await fields.form(request, *FORM, "number", "reason")
    return await _proposed(request, visitor, (candidate, WHICH_NUMBER), given)


@router.post("/c/{candidate}/same-person")
async def propose_one_person(request: Request, visitor: MayAct, candidate: str) -> Response:
    given = await fields.form(request, *FORM, "reason")
    return await _proposed(request, visitor, (candidate, SAME_PERSON), given)


@router.post("/c/{candidate}/identity/{number}/approve")
async def approve(request: Request, visitor: MayIdentify, candidate: str, number: int) -> Response:
    given = await fields.form(request, *FORM, perhaps=again.PROOF)
    if not of_this_session(visitor, given["csrf"]):
        return await redrawn(request, visitor, candidate, {})
    here, wish = f"/c/{candidate}", {name: given[name] for name in FORM}
    doing = say("Approve who this patient is")
    waiting = Waiting(f"{here}/identity/{number}/approve", wish, doing, here, say("Back to the candidate"), "worklist")
    if asks := await again.asked(request, visitor, given, waiting):
        return asks
    row = await known(request, visitor, candidate)
    return await _or_why_not(
        request, visitor, (candidate, ""), lambda: _approved(request, visitor, row, (number, given["token"]))
    )


@router.post("/c/{candidate}/identity/{number}/send-back")
async def send_back(request: Request, visitor: MayAct, candidate: str, number: int) -> Response:
    """An investigator does, or who proposed it."""
    given = await fields.form(request, *FORM, "reason")
    typed = {"proposal": str(number), "back": given["reason"]}
    if not of_this_session(visitor, given["csrf"]):
        return await redrawn(request, visitor, candidate, typed)
    row = await known(request, visitor, candidate)

    async def done() -> str:
        what = number, given["reason"]
        if not await run_in_threadpool(_sent_back, request.app.state.context, visitor, row, what):
            raise await refusal(request, visitor, Right.IDENTIFY)
        return doubted.SENT_BACK

    return await _or_why_not(request, visitor, (candidate, ""), done, typed)


async def _proposed(request: Request, visitor: Visitor, what: tuple[str, str], given: dict[str, str]) -> Response:
    candidate, question = what
    if not of_this_session(visitor, given["csrf"]):
        return await redrawn(request, visitor, candidate, {"identity": given["reason"]})
    row = await known(request, visitor, candidate)

    async def done() -> str:
        said = question, given.get("number", "")
        await run_in_threadpool(_propose, request.app.state.context, visitor, row, (*said, given["reason"]))
        return "proposed"

    typed = {"identity": given["reason"], "number": given.get("number", "")}
    return await _or_why_not(request, visitor, (candidate, f"#{question}"), done, typed)


async def _or_why_not(
    request: Request,
    visitor: Visitor,
    where: tuple[str, str],
    do: Callable[[], Awaitable[str]],
    typed: dict[str, str] | None = None,
) -> Response:
    """`where`: the candidate, and the part of the page to go on with."""
    candidate, then = where
    try:
        saved = await do()
    except (RefusedError, RejectedError) as error:
        return await candidate_page(request, visitor, candidate, problem=say(str(error)), typed=typed or {})
    return RedirectResponse(f"/c/{candidate}?saved={saved}{then}", status_code=303)


def _propose(context: WebContext, visitor: Visitor, row: CandidateRow, said: tuple[str, str, str]) -> None:
    """`said`: question, number where it asks for one, reason."""
    question, number, reason = said
    asked = Asked(row, visitor.name, context.clock())
    _body(asked, question, number)
    _reasoned(reason)
    possible = conflicts.answers(row)[question]
    with context.database.write() as tx:
        doubted.drop(tx, row.id, question, possible)
        if doubted.waiting(tx, row.id, question, possible):
            raise RejectedError(doubted.ALREADY)
        made = doubted.add(tx, row.id, (question, number or possible[0]), (visitor.name, reason), asked.at)
        recorded(tx, _act(visitor, "identity-propose", row, made, question), asked.at)


def _body(asked: Asked, question: str, answer: str) -> bytes:
    """The message that will say so; raises RefusedError for what cannot be an answer."""
    return wishes.screening_id(asked, answer) if question == WHICH_NUMBER else wishes.same_person(asked)


async def _approved(request: Request, visitor: Visitor, row: CandidateRow, what: tuple[int, str]) -> str:
    """The answer is stored as a message, and the proposal decided, in one transaction."""
    context: WebContext = request.app.state.context
    number, token = what
    asked = Asked(row, visitor.name, context.clock())
    found = await run_in_threadpool(_looked, context, row, number)
    wish = Wish(found.question, row, token, (("proposal", str(number)),))

    def beside(tx: Transaction, _message: int) -> None:
        one = conflicts.open_one(tx, row, number)
        if one.by == visitor.name and conflicts.others_approve(tx, row, visitor.name):
            raise RejectedError(conflicts.NOT_ONES_OWN)
        doubted.decide(tx, number, doubted.APPROVED, (visitor.name, ""), asked.at)
        recorded(tx, _act(visitor, "identity-approve", row, number, one.question, one.by), asked.at)

    done = await repeated(request, visitor, wish)
    if done is None:
        done = await perform(request, visitor, wish, _body(asked, found.question, found.answer), beside)
    if problem := unused(done):
        raise RefusedError(problem)
    return str(done.state) if done.state != "applied" else doubted.APPROVED


def _looked(context: WebContext, row: CandidateRow, number: int) -> Proposed:
    """Decided or not; raises RejectedError for one of another candidate."""
    with context.database.read() as conn:
        found = next((one for one in doubted.of(conn, row.id) if one.id == number), None)
    if found is None:
        raise RejectedError(conflicts.GONE)
    return found


def _sent_back(context: WebContext, visitor: Visitor, row: CandidateRow, what: tuple[int, str]) -> bool:
    """False for who neither proposed it nor may approve it."""
    number, why = what
    _reasoned(why)
    now = context.clock()
    with context.database.write() as tx:
        one = conflicts.open_one(tx, row, number)
        if not visitor.may(Right.IDENTIFY) and one.by != visitor.name:
            return False
        doubted.decide(tx, number, doubted.SENT_BACK, (visitor.name, why), now)
        recorded(tx, _act(visitor, "identity-send-back", row, number, one.question, one.by), now)
    return True


def _reasoned(reason: str) -> None:
    """Raises RefusedError for none, and for one that is too long."""
    if not reason:
        raise RefusedError(say(WHY))
    wishes.short_note(reason)


def _act(visitor: Visitor, action: str, row: CandidateRow, number: int, question: str, by: str = "") -> Act:  # noqa: PLR0913 — an entry with its parts
    """Neither the number nor a reason: the trail ties no screening number to a candidate, and holds no free text of a patient."""
    detail = {"trial": row.trial, "question": question, "proposal": number} | ({"proposed_by": by} if by else {})
    return Act(visitor.name, visitor.role, action, "candidate", row.id, detail)
