"""`/docs` and `/redoc`: the API's own pages, from assets that are served here."""

import functools
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles

DOCUMENT: Final = "/openapi.json"
ASSETS: Final = "/docs/assets"
POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src blob:; frame-ancestors 'none'"
)
"""The pages' Content-Security-Policy, by which no page asks another host.

Without it ReDoc's bundle would fetch a logo from its maker's.
"""


def add_docs(app: FastAPI) -> None:
    """Serve the app's OpenAPI document, and the pages that show it.

    The document is made once, for the first who asks: in a thread, for that takes half a second.
    """

    @functools.cache
    def written() -> bytes:
        return bytes(JSONResponse(app.openapi()).body)

    def document(_: Request) -> Response:  # not async, and so in a thread
        return Response(written(), media_type="application/json")

    app.add_route(DOCUMENT, document, include_in_schema=False)
    # The package is there for its files: both bundles in their current releases.
    app.mount(ASSETS, StaticFiles(packages=[("fastapi_offline", "static")]), name="assets")
    app.include_router(_router(app))


def _router(app: FastAPI) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.head("/docs")
    @routes.get("/docs")
    async def docs() -> HTMLResponse:
        return _guarded(
            get_swagger_ui_html(
                openapi_url=DOCUMENT,
                title=app.title,
                swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
                swagger_css_url=f"{ASSETS}/swagger-ui.css",
                swagger_favicon_url=f"{ASSETS}/favicon.png",
                swagger_ui_parameters={"displayRequestDuration": True, "tryItOutEnabled": True},
            )
        )

    @routes.head("/redoc")
    @routes.get("/redoc")
    async def redoc() -> HTMLResponse:
        return _guarded(
            get_redoc_html(
                openapi_url=DOCUMENT,
                title=app.title,
                redoc_js_url=f"{ASSETS}/redoc.standalone.js",
                redoc_favicon_url=f"{ASSETS}/favicon.png",
                with_google_fonts=False,
            )
        )

    return routes


def _guarded(page: HTMLResponse) -> HTMLResponse:
    page.headers["Content-Security-Policy"] = POLICY
    return page
