"""A small strict FHIR R4 receiver in the place of the trial's EDC: for the demo and for tests."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from adapter.standins.edc_page import page
from adapter.standins.edc_store import TYPES, EdcStore, RefusedError, etag

FHIR_JSON = "application/fhir+json"
LARGEST = 4 * 1024 * 1024

Json = dict[str, Any]
Endpoint = Callable[[Request], Awaitable[Response]]


def create_edc(store: EdcStore, *, able: Sequence[str] = ("transaction",)) -> Starlette:
    """The ASGI application; base URL is its root, the page for people stands at `/`. `able`: which bundles it takes."""
    desk = _Desk(store, able)
    return Starlette(
        routes=[
            Route("/", desk.look, methods=["GET"]),
            Route("/", _strict(desk.bundle), methods=["POST"]),
            Route("/metadata", desk.metadata, methods=["GET"]),
            Route("/{kind}/_search", _strict(desk.search_by_form), methods=["POST"]),
            Route("/{kind}", _strict(desk.search), methods=["GET"]),
            Route("/{kind}", _strict(desk.create), methods=["POST"]),
            Route("/{kind}/{id}", _strict(desk.read), methods=["GET"]),
            Route("/{kind}/{id}", _strict(desk.update), methods=["PUT"]),
        ]
    )


class _Desk:
    def __init__(self, store: EdcStore, able: Sequence[str]) -> None:
        self._store, self._able = store, able

    async def look(self, _request: Request) -> Response:
        return HTMLResponse(page(self._store))

    async def metadata(self, _request: Request) -> Response:
        return _fhir(statement(self._able))

    async def bundle(self, request: Request) -> Response:
        body = await _body(request)
        if body.get("type") not in self._able:
            raise RefusedError(400, "not-supported", f"taken here: {', '.join(self._able) or 'no bundles'}")
        return _fhir(self._store.batch(body) if body["type"] == "batch" else self._store.transaction(body))

    async def create(self, request: Request) -> Response:
        kind = _known(request.path_params["kind"])
        held, status = self._store.create(kind, await _body(request), request.headers.get("If-None-Exist"))
        headers = {"ETag": etag(held), "Location": f"{kind}/{held['id']}/_history/{held['meta']['versionId']}"}
        return _fhir(held, status=status, headers=headers)

    async def search(self, request: Request) -> Response:
        return self._found(request.path_params["kind"], "&".join(f"{k}={v}" for k, v in request.query_params.items()))

    async def search_by_form(self, request: Request) -> Response:
        """`POST [type]/_search`: what is asked stays out of URLs and their logs."""
        async with request.form() as form:
            return self._found(request.path_params["kind"], "&".join(f"{k}={v}" for k, v in form.items()))

    def _found(self, kind: str, query: str) -> Response:
        _known(kind)
        found = self._store.search(kind, query)
        entries = [{"fullUrl": f"{kind}/{r['id']}", "resource": r} for r in found]
        return _fhir({"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries})

    async def read(self, request: Request) -> Response:
        kind, wanted = _known(request.path_params["kind"]), request.path_params["id"]
        held = self._store.resources.get((kind, wanted))
        if held is None:
            raise RefusedError(404, "not-found", "no such resource")
        return _fhir(held, headers={"ETag": etag(held)})

    async def update(self, request: Request) -> Response:
        kind, wanted = _known(request.path_params["kind"]), request.path_params["id"]
        held = self._store.update(kind, wanted, await _body(request), request.headers.get("If-Match"))
        return _fhir(held, headers={"ETag": etag(held)})


def _known(kind: str) -> str:
    if kind not in TYPES:
        raise RefusedError(404, "not-supported", "this resource type is not kept here")
    return kind


async def _body(request: Request) -> Json:
    if request.headers.get("Content-Type", "").split(";")[0] not in (FHIR_JSON, "application/json"):
        raise RefusedError(415, "not-supported", "send application/fhir+json")
    raw = await request.body()
    if len(raw) > LARGEST:
        raise RefusedError(413, "too-long", "the body is over the limit")
    try:
        value = json.loads(raw)
    except ValueError:
        raise RefusedError(400, "structure", "this is no JSON") from None
    if not isinstance(value, dict):
        raise RefusedError(400, "structure", "this is no resource")
    return value


def _strict(endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RefusedError as error:
            issue = {"severity": "error", "code": error.code, "diagnostics": error.text}
            return _fhir({"resourceType": "OperationOutcome", "issue": [issue]}, status=error.status)

    return answer


def _fhir(body: Json, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(body, status_code=status, headers=headers, media_type=FHIR_JSON)


def statement(able: Sequence[str] = ("transaction",)) -> Json:
    """The CapabilityStatement: ids by the client, conditional create, versions."""
    allowed = {
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalUpdate": True,
        "versioning": "versioned-update",
    }
    acts = [{"code": code} for code in ("read", "update", "create", "search-type")]
    resources = [{"type": kind, "interaction": acts, **allowed} for kind in sorted(TYPES)]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-01-01",
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "resource": resources, "interaction": [{"code": one} for one in able]}],
    }
