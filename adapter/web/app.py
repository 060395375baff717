"""The web room's front door: routes, the guard before them, and how every refusal looks."""

import re
from urllib.parse import quote, urlsplit

from anyio import CapacityLimiter
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.staticfiles import StaticFiles

from adapter import __version__, telemetry
from adapter.errors import UnavailableError
from adapter.web import (
    account,
    alerting,
    api,
    decide,
    emergency,
    fields,
    flow_page,
    health,
    hint,
    hospital,
    identity,
    language,
    live,
    log,
    moved,
    once,
    overlooked,
    quality,
    quarantine,
    recovery,
    render,
    screened,
    second_step,
    sign_in,
    together,
    trail,
    workbench,
    worklist,
)
from adapter.web.access import NotSignedInError
from adapter.web.acts import Acts
from adapter.web.attempts import Door
from adapter.web.chronicle import Chronicle
from adapter.web.context import WebContext
from adapter.web.folder import STATIC
from adapter.web.guard import LOOPBACK, Guard, Wall, hostname
from adapter.web.pace import Pace
from adapter.web.sessions import read_cookie
from adapter.web.tongue import LANGUAGES, catalogue, mark, say

TITLES = {
    400: mark("That could not be read"),
    403: mark("Not allowed"),
    404: mark("Not found"),
    405: mark("Not possible"),
    422: mark("Something is missing"),
    429: mark("Too fast"),
}
OF_STARLETTE = (mark("Not Found"), mark("Method Not Allowed"))
"""What Starlette itself says of an address nobody has."""
CANDIDATE = re.compile(r"/c/[0-9a-f]+(?=/)")
RETRY_SECONDS = "5"
DRAWN_AT_ONCE = 4
"""Pages."""
ROOMS = (
    *(worklist, decide, identity, moved, together, live, log, flow_page, overlooked, screened, trail, emergency),
    *(quality, alerting, quarantine, workbench, sign_in, second_step, account, recovery, hospital),
    *(once, language, health, hint, api),
)


def create_app(context: WebContext) -> FastAPI:
    """One application per store; all state is in the store but sign-in tries, the pace of each person and the last acts."""
    for name in LANGUAGES:
        catalogue(name)  # one that cannot be read fails here, not on a page
    app = FastAPI(title="Screening worklist", version=__version__, docs_url=None, redoc_url=None)
    app.state.context = context
    app.state.door = Door()
    app.state.acts = Acts()
    app.state.pace = Pace(context.requests_per_minute)
    app.state.drawing = CapacityLimiter(DRAWN_AT_ONCE)
    app.state.chronicle = Chronicle(context)
    app.state.live = live.Live(context)
    for room in ROOMS:
        app.include_router(room.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(NotSignedInError, _not_signed_in)
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(UnavailableError, _unavailable)
    app.add_middleware(Guard, wall=_wall(context))
    app.add_middleware(language.Interpreter)
    return app


def _wall(context: WebContext) -> Wall:
    hosts = LOOPBACK | {hostname(urlsplit(context.base_url).netloc)}
    return Wall(hosts, context.cookie_secure, _failed)


def _failed(reference: str, error: Exception) -> None:
    telemetry.bug("page failed", error, code=reference)


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")


async def _not_signed_in(request: Request, _error: Exception) -> Response:
    if _is_api(request):
        return JSONResponse({"detail": "Sign in first."}, status_code=401)
    if request.method == "GET" and _from_elsewhere(request):
        return render.notice(
            request, 200, say("One moment"), say("Opening the page…"), bounce=True, link=_here(request)
        )
    if request.method == "GET":
        return RedirectResponse(f"/sign-in?to={quote(_here(request), safe='')}", status_code=302)
    return await _ended(request)


async def _ended(request: Request) -> Response:
    """A form came too late: what was written for a candidate can still be copied, and signing in leads back to them."""
    text = say("Your session has ended, and nothing was saved. Sign in and try again.")
    candidate = CANDIDATE.match(request.url.path)
    link = f"/sign-in?to={quote(candidate[0], safe='')}" if candidate else "/sign-in"
    written = await fields.written(request) if candidate else ""
    more = {"link": link, "link_text": say("Sign in"), "written": written}
    return render.notice(request, 401, say("Sign in again"), text, **more)


def _from_elsewhere(request: Request) -> bool:
    """A link in a mail was followed: a strict cookie comes only once our own page asks again."""
    return request.headers.get("sec-fetch-site") == "cross-site" and not read_cookie(request)


def _here(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException | StarletteHTTPException):
        raise error
    if _is_api(request):
        return JSONResponse({"detail": error.detail}, status_code=error.status_code, headers=error.headers)
    title = say(TITLES.get(error.status_code, mark("That did not work")))
    page = render.notice(request, error.status_code, title, say(str(error.detail)))
    page.headers.update(error.headers or {})
    return page


async def _unavailable(request: Request, _error: Exception) -> Response:
    """The disk or the database is not there now: nothing was saved, nothing is shown that was not written down."""
    text = say("The database does not answer now. Nothing was saved. Try again in a moment.")
    page: Response = JSONResponse({"detail": text}, status_code=503)
    if not _is_api(request):
        page = render.notice(request, 503, say("Not available now"), text)
    page.headers["Retry-After"] = RETRY_SECONDS
    return page
