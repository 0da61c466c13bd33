"""Pages of other origins may ask, where a setting says so (Fetch standard, CORS protocol)."""

from collections.abc import Collection
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

METHODS: Final = ("GET", "HEAD", "POST", "DELETE")
EXPOSED: Final = (
    "Accept-Ranges",
    "Age",
    "Allow",
    "Cache-Status",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Range",
    "ETag",
    "Retry-After",
    "WWW-Authenticate",
)
"""What a page may read of an answer beyond what it always may."""


class Cors:
    """ASGI middleware: pages of `origins`, or of all with `*`, may read every answer.

    Credentials that a browser adds by itself are not among what they may send. A preflight that
    asks for what is not allowed is answered as any OPTIONS, which allows nothing.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._cors = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=("*",),
            expose_headers=EXPOSED,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with what the origin may; answer preflights."""
        app = self._app if _is_preflight(scope) and self._refuses(scope) else self._cors
        await app(scope, receive, send)

    def _refuses(self, scope: Scope) -> bool:
        response = self._cors.preflight_response(Headers(scope=scope))
        return response.status_code != HTTPStatus.OK


def _is_preflight(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return (
        scope["method"] == "OPTIONS"
        and "origin" in headers
        and "access-control-request-method" in headers
    )
