"""`/`: a page for a person, an index for a program."""

from http import HTTPStatus
from importlib.metadata import version
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from cache_core.client.client import Client
from cache_core.errors import CacheError
from gateway.http.fields import joined
from gateway.http.form.representation import JSON, choose
from gateway.http.problems import Refused
from gateway.routes.dependencies import Timeout
from gateway.survey import page as landing
from gateway.survey.survey import Survey, survey

HTML: Final = "text/html"
INDEX: Final = {
    "name": "GaoCache",
    "version": version("gaocache"),
    "links": {
        "key": "/groups/{group}/keys/{key}",
        "groups": "/groups",
        "cluster": "/cluster",
        "openapi": "/openapi.json",
        "docs": "/docs",
        "redoc": "/redoc",
    },
}
_HEADERS: Final = {"Cache-Control": "no-store", "Vary": "Accept"}


def router(client: Client) -> APIRouter:
    """Return the route of the gateway's root; the page shows the nodes that `client` asks."""
    routes = APIRouter(include_in_schema=False)

    async def seen(timeout: float) -> Survey:
        try:
            return survey(await client.describe(timeout=timeout))
        except CacheError:
            return Survey((), ())  # no member is known

    @routes.head("/")
    @routes.get("/")
    async def root(request: Request, timeout: Timeout) -> Response:
        chosen = choose(joined(request.headers.raw).get("accept", ""), (JSON, HTML))
        if chosen is None:
            words = f"there is {JSON} and {HTML}"
            raise Refused(HTTPStatus.NOT_ACCEPTABLE, "not-acceptable", words)
        if chosen == JSON:
            return JSONResponse(INDEX, headers=_HEADERS)
        page = landing.page(await seen(timeout), f"{request.url.scheme}://{request.url.netloc}")
        return HTMLResponse(page, headers={**_HEADERS, "Content-Security-Policy": landing.POLICY})

    return routes
