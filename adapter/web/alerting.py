"""The page of alerts: who is on call now and in the next two weeks, the channels and what they took last, and their test."""

import json
import secrets
from datetime import datetime, tzinfo
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from adapter.alerting.rota import turns
from adapter.pipeline.outgoing import INTENDED_USE, Owed
from adapter.store import calls, outbox
from adapter.store.audit import Act
from adapter.web import fields, render, times, words
from adapter.web.access import MayTestAlerts, SeesCounts, check_csrf
from adapter.web.context import WebContext
from adapter.web.reached import way_of
from adapter.web.record import recorded
from adapter.web.roles import Right, may
from adapter.web.sessions import Visitor
from adapter.web.tongue import say
from adapter.web.worklist import common_zone

router = APIRouter(include_in_schema=False)

DAYS = 14
MOST = 30
"""Messages on the page, newest first."""
TEST = "test"


@router.get("/alerts")
async def page(request: Request, visitor: SeesCounts, sent: str = "") -> Response:
    context: WebContext = request.app.state.context
    policy = context.alerts.policy
    zone, now = policy.zone if policy else common_zone(context, visitor.scope), context.clock()
    return render.page(
        request,
        "alerts.html",
        visitor=visitor,
        here="alerts",
        channels=sorted(context.alerts.channels.items()),
        policy=policy,
        rota=_rota(context, zone, now),
        lately=await run_in_threadpool(_lately, context, zone),
        zone=times.zone_name(zone, now),
        may_test=may(visitor.role, Right.TEST_ALERTS),
        said=say("The test is on its way: reload the page to see what became of it.") if sent else "",
    )


@router.post("/alerts/test")
async def send_test(request: Request, visitor: MayTestAlerts) -> Response:
    """A message of no candidate, by the very way that alerts take."""
    context: WebContext = request.app.state.context
    given = await fields.form(request, "csrf", "channel")
    check_csrf(visitor, given["csrf"])
    if given["channel"] not in context.alerts.channels:
        raise HTTPException(404, say("There is no such channel."))
    await run_in_threadpool(_owe, context, visitor, given["channel"])
    return RedirectResponse("/alerts?sent=test#lately", status_code=303)


def _owe(context: WebContext, visitor: Visitor, channel: str) -> None:
    key, now = secrets.token_hex(16), context.clock()
    with context.database.write() as tx:
        outbox.add(tx, Owed(channel, f"test-{key}", TEST, payload_of_test(context.base_url), key), now)
        recorded(tx, Act(visitor.name, visitor.role, "test-alert", "channel", channel), now)


def payload_of_test(base_url: str) -> str:
    said = {"kind": TEST, "link": f"{base_url}/alerts", "trial": "(a test)", "intended_use": INTENDED_USE}
    return json.dumps(said, sort_keys=True)


def _rota(context: WebContext, zone: tzinfo, now: datetime) -> list[dict[str, Any]]:
    """Turns from now on; the first is the present one."""
    if context.alerts.rota is None:
        return []
    return [
        {"start": times.local(turn.start, zone), "until": times.local(turn.until, zone), "who": turn.who}
        for turn in turns(context.alerts.rota(), now, DAYS)
    ]


def _lately(context: WebContext, zone: tzinfo) -> list[dict[str, Any]]:
    """No candidate stands here: the page is for those, too, who may see none."""
    with context.database.read() as conn:
        rows = calls.lately(conn, tuple(context.alerts.channels), MOST)
    return [
        {
            "at": times.local(row.created, zone),
            "what": words.happened(row.kind),
            "way": way_of(row, zone),
            "bad": row.state == outbox.DEAD or (row.state == outbox.WAITING and row.attempts > 0),
        }
        for row in rows
    ]
