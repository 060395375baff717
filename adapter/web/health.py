"""For monitors: alive, ready, healthy, and the counters; nothing here names a patient."""

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool

from adapter.web.access import NotSignedInError, signed_in
from adapter.web.context import WebContext
from adapter.web.tongue import say

router = APIRouter(include_in_schema=False)

LOCAL = frozenset({"127.0.0.1", "::1"})
PROXY_HEADERS = ("x-forwarded-for", "forwarded", "x-real-ip")
TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' own name of its exposition format."""


@router.get("/livez")
async def alive(request: Request) -> Response:
    context: WebContext = request.app.state.context
    return _plain(well=(await run_in_threadpool(context.health)).live)


@router.get("/readyz")
async def ready(request: Request) -> Response:
    context: WebContext = request.app.state.context
    feeling = await run_in_threadpool(context.health)
    return _plain(well=feeling.ready)


@router.get("/healthz")
async def healthy(request: Request) -> JSONResponse:
    """503 while a critical alarm stands. The alarms' codes only for somebody signed in (W26)."""
    context: WebContext = request.app.state.context
    feeling = await run_in_threadpool(context.health)
    body: dict[str, object] = {"status": feeling.status}
    try:
        await signed_in(request)
    except NotSignedInError:
        pass
    else:
        body |= {"alarms": list(feeling.codes), "notices": list(feeling.notices)}
    return JSONResponse(body, status_code=503 if feeling.status == "failing" else 200)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Only from this machine itself; a request that came by a proxy did not (W25)."""
    near = request.client is not None and request.client.host in LOCAL
    if not near or any(name in request.headers for name in PROXY_HEADERS):
        raise HTTPException(404, say("There is no such page."))
    context: WebContext = request.app.state.context
    return Response(await run_in_threadpool(context.metrics), media_type=TEXT_FORMAT)


def _plain(*, well: bool) -> PlainTextResponse:
    return PlainTextResponse("ok\n" if well else "no\n", status_code=200 if well else 503)
