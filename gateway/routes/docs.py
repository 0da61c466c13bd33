"""`/docs` and `/redoc`: the API's own pages, from assets that are served here."""

from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

ASSETS: Final = "/docs/assets"
POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src blob:; frame-ancestors 'none'"
)
"""The pages' Content-Security-Policy, by which no page asks another host.

Without it ReDoc's bundle would fetch a logo from its maker's.
"""


def add_docs(app: FastAPI) -> None:
    """Serve the pages that show the app's OpenAPI document."""
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
                openapi_url=str(app.openapi_url),
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
                openapi_url=str(app.openapi_url),
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
