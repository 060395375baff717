"""What people decide enters by the inbox like any message: stored, audited, replayed (decisions F4)."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from adapter.domain.message import MessageKind, MessageState, RawMessage, Receipt
from adapter.ports import Inbox
from adapter.store import inbox
from adapter.store.audit import Act
from adapter.store.worklist import CandidateRow
from adapter.web.context import WebContext
from adapter.web.record import note
from adapter.web.sessions import Visitor

SOURCE = "worklist"
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


@dataclass(frozen=True, slots=True)
class Done:
    inbox_id: int
    state: MessageState


class Acts:
    """Remembers what was just stored: a double click is one message, and both clicks get the same answer."""

    def __init__(self, into: Inbox) -> None:
        self._inbox = into
        self._stored: OrderedDict[tuple[str, ...], asyncio.Task[Receipt]] = OrderedDict()

    async def store(self, key: tuple[str, ...], message: Callable[[], RawMessage]) -> Receipt:
        """Raises UnavailableError when it could not be stored; it may be tried again then."""
        task = self._stored.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = asyncio.ensure_future(self._put(message()))
            self._stored[key] = task
        while len(self._stored) > REMEMBERED:
            self._stored.popitem(last=False)
        # The browser may go away; what was begun is finished.
        return await asyncio.shield(task)

    async def _put(self, message: RawMessage) -> Receipt:
        return await self._inbox.put(message)


async def perform(request: Request, visitor: Visitor, wish: Wish, body: bytes) -> Done:
    """Stores the act, writes it down, and waits a little until it has taken effect."""
    context: WebContext = request.app.state.context
    acts: Acts = request.app.state.acts
    receipt = await acts.store(wish.key(visitor), lambda: _message(context, wish, body))
    detail = {"inbox": receipt.inbox_id, "trial": wish.row.trial}
    await note(request, Act(visitor.name, visitor.role, wish.kind, "candidate", wish.row.id, detail))
    state = await _settled(context, receipt.inbox_id)
    context.roll.forget()
    return Done(receipt.inbox_id, state)


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
