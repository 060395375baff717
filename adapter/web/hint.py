"""A knock from a polled FHIR server: a Subscription (rest-hook) that only has us ask sooner; nothing it says is believed."""

from hmac import compare_digest

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from adapter.web.context import WebContext
from adapter.web.tongue import say

router = APIRouter(include_in_schema=False)
BEARER = "Bearer "


@router.post("/fhir-hint/{source}")
async def knock(request: Request, source: str) -> Response:
    """The body is not read. One answer for a wrong word and for a source that takes no hints."""
    context: WebContext = request.app.state.context
    hint = context.hints.get(source)
    said = request.headers.get("authorization", "").removeprefix(BEARER)
    if hint is None or not compare_digest(said.encode(), hint.word.encode()):
        raise HTTPException(404, say("There is no such page."))
    hint.wake()
    return Response(status_code=204)
