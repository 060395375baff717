"""Every view and every act is written to the audit log, in the transaction of the act itself."""

from datetime import datetime
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from adapter.store import audit
from adapter.store.accounts import Scope
from adapter.store.audit import Act
from adapter.store.database import Transaction
from adapter.web.context import WebContext


def told(scope: Scope) -> dict[str, Any]:
    """Sites and trials as an entry names them; nothing for one who works for all."""
    named = {"sites": scope.sites, "trials": scope.trials}
    return {name: sorted(words) for name, words in named.items() if words is not None}


def recorded(tx: Transaction, act: Act, now: datetime) -> None:
    audit.append(tx, act, now)


def write(context: WebContext, act: Act) -> None:
    """An entry of its own transaction: a view, a refusal."""
    with context.database.write() as tx:
        recorded(tx, act, context.clock())


async def note(request: Request, act: Act) -> None:
    """`write` off the event loop. Raises UnavailableError: what cannot be recorded is not shown."""
    await run_in_threadpool(write, request.app.state.context, act)
