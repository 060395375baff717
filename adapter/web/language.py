"""Which language a page is in: what its reader chose, else what the browser asks for, else English."""

from collections.abc import Iterable

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from adapter.web import fields, tongue
from adapter.web.context import WebContext
from adapter.web.tongue import ENGLISH, LANGUAGES, say

router = APIRouter(include_in_schema=False)

YEAR = 365 * 24 * 3600
LONGEST = 200
"""Of what a browser asks for, the part that is read."""
NAMES = ("__Host-language", "language")
"""Of the cookie, with and without TLS."""


class Interpreter:
    """The layer that lets every page be made in its reader's language; scripts are answered in English."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        with tongue.speaking(wanted(Request(scope))):
            await self._app(scope, receive, send)


def wanted(request: Request) -> str:
    """Chosen, asked for by the browser, set for this installation, in this order."""
    context: WebContext = request.app.state.context
    chosen = next((request.cookies[name] for name in NAMES if name in request.cookies), "")
    return chosen if chosen in LANGUAGES else asked(request.headers.get("accept-language", ""), context.language)


def asked(header: str, otherwise: str = ENGLISH) -> str:
    """The language a browser likes best of those there are (RFC 9110, Accept-Language): `el-GR,en;q=0.5` → `el`."""
    liked = sorted(_weighed(header[:LONGEST].split(",")), key=lambda one: -one[0])
    return next((name for weight, name in liked if weight > 0 and name in LANGUAGES), otherwise)


def _weighed(ranges: Iterable[str]) -> Iterable[tuple[float, str]]:
    """What cannot be read has no weight."""
    for one in ranges:
        name, _, weight = one.strip().lower().partition(";")
        digits = weight.strip().removeprefix("q=")
        plain = digits.replace(".", "", 1)
        yield float(digits) if plain.isascii() and plain.isdigit() else float(not weight), name.partition("-")[0]


@router.post("/language")
async def choose(request: Request) -> Response:
    """Kept by the browser for a year; it opens nothing, so that a link from elsewhere may find it (Lax)."""
    context: WebContext = request.app.state.context
    given = await fields.form(request, "language", "to")
    if given["language"] not in LANGUAGES:
        raise HTTPException(422, say("This language is not spoken here."))
    response = RedirectResponse(fields.local_path(given["to"]), status_code=303)
    name, secure = NAMES[0 if context.cookie_secure else 1], context.cookie_secure
    response.set_cookie(name, given["language"], max_age=YEAR, httponly=True, secure=secure, samesite="lax", path="/")
    return response
