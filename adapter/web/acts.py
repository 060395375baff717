"""What people decide enters by the inbox like any message: stored, audited, replayed (decisions F4)."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from adapter.domain.message import MessageKind, MessageState, RawMessage, Receipt
from adapter.store import inbox
from adapter.store.audit import Act
from adapter.store.by_hand import SOURCE
from adapter.store.database import Transaction
from adapter.store.worklist import CandidateRow
from adapter.web.context import WebContext
from adapter.web.record import recorded
from adapter.web.sessions import Visitor
from adapter.web.tongue import say

REMEMBERED = 1000
PATIENCE = 2.0
"""Seconds a person waits for the page to show what they just did."""
STEP = 0.04


@dataclass(frozen=True, slots=True)
class Wish:
    """One act as asked for: `fields` without the moment, so that a second click is the same wish."""

    kind: str
    row: CandidateRow
    token: str
    fields: tuple[tuple[str, str], ...]

    def key(self, visitor: Visitor) -> tuple[str, ...]:
        return (visitor.session, self.kind, self.row.id, self.token, repr(self.fields))


Beside = Callable[[Transaction, int], None]
"""What belongs to an act, in its own transaction: its message has this id. Whatever it raises undoes the act."""


def nothing(_tx: Transaction, _message: int) -> None:
    """Most acts stand for themselves."""


@dataclass(frozen=True, slots=True)
class Done:
    inbox_id: int
    state: MessageState


def unused(done: Done) -> str:
    """What to say of an act that is stored and cannot take effect; empty for any other."""
    if done.state not in {MessageState.QUARANTINED, MessageState.IGNORED}:
        return ""
    return say(
        "Stored as message %(number)s, but it could not be used. Tell your administrator this number.",
        number=done.inbox_id,
    )


class Acts:
    """Remembers what was just stored: a double click is one message, and both clicks get the same answer."""

    def __init__(self) -> None:
        self._stored: OrderedDict[tuple[str, ...], asyncio.Future[Receipt]] = OrderedDict()

    async def store(self, key: tuple[str, ...], put: Callable[[], Awaitable[Receipt]]) -> Receipt:
        """Raises what `put` raises, such as UnavailableError; it may be tried again then."""
        task = self._stored.get(key)
        if task is None or _failed(task):
            task = asyncio.ensure_future(put())
            self._stored[key] = task
        while len(self._stored) > REMEMBERED:
            self._stored.popitem(last=False)
        # The browser may go away; what was begun is finished.
        return await asyncio.shield(task)

    async def known(self, key: tuple[str, ...]) -> Receipt | None:
        """What was stored by this key, or is just being: raises what `put` raises then."""
        task = self._stored.get(key)
        return None if task is None or _failed(task) else await asyncio.shield(task)


def _failed(task: asyncio.Future[Receipt]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


async def perform(request: Request, visitor: Visitor, wish: Wish, body: bytes, beside: Beside = nothing) -> Done:
    """Stores the act with its audit entry and whatever belongs `beside` it, and waits a little until it has taken effect.

    Raises UnavailableError, and what `beside` raises: nothing was stored then.
    """
    context: WebContext = request.app.state.context
    acts: Acts = request.app.state.acts

    def stored() -> Awaitable[Receipt]:
        return run_in_threadpool(_stored, context, visitor, wish, (body, beside))

    return await _done(context, await acts.store(wish.key(visitor), stored))


async def repeated(request: Request, visitor: Visitor, wish: Wish) -> Done | None:
    """What came of the first click, for a second one that can ask for nothing any more; raises what `perform` raises."""
    acts: Acts = request.app.state.acts
    receipt = await acts.known(wish.key(visitor))
    return None if receipt is None else await _done(request.app.state.context, receipt)


async def _done(context: WebContext, receipt: Receipt) -> Done:
    state = await _settled(context, receipt.inbox_id)
    context.roll.forget()
    return Done(receipt.inbox_id, state)


def _stored(context: WebContext, visitor: Visitor, wish: Wish, what: tuple[bytes, Beside]) -> Receipt:
    """All in one transaction (reliability R6)."""
    body, beside = what

    def written(tx: Transaction, receipts: Sequence[Receipt]) -> None:
        (receipt,) = receipts
        if receipt.duplicate:
            return
        beside(tx, receipt.inbox_id)
        detail = {"inbox": receipt.inbox_id, "trial": wish.row.trial}
        act = Act(visitor.name, visitor.role, wish.kind, "candidate", wish.row.id, detail)
        recorded(tx, act, context.clock())

    (receipt,) = context.inbox.keep([_message(context, wish, body)], written)
    return receipt


def _message(context: WebContext, wish: Wish, body: bytes) -> RawMessage:
    return RawMessage(
        source=SOURCE,
        site=wish.row.patient.site,
        kind=MessageKind.ACTION,
        body=body,
        received=context.clock(),
        control_id=hashlib.sha256(wish.token.encode()).hexdigest()[:32],
        type=wish.kind,
    )


async def _settled(context: WebContext, inbox_id: int) -> MessageState:
    for _ in range(int(PATIENCE / STEP)):
        state = await run_in_threadpool(_state, context, inbox_id)
        if state is not MessageState.PENDING:
            return state
        await asyncio.sleep(STEP)
    return MessageState.PENDING


def _state(context: WebContext, inbox_id: int) -> MessageState:
    with context.database.read() as conn:
        return inbox.state(conn, inbox_id) or MessageState.PENDING
