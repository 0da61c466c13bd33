"""The methods that a resource takes, and `OPTIONS`, which asks for them.

RFC 9110, sections 9.3.7 (OPTIONS) and 10.2.1 (Allow).
"""

from http import HTTPMethod, HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.http.request_head import SERVER

_FILES: Final = frozenset((HTTPMethod.GET, HTTPMethod.HEAD))
FILES_ALLOW: Final = "GET, HEAD, OPTIONS"
"""Allow's value inside a mounted folder, where `allowed` can't tell it."""


class Options:
    """ASGI middleware inside a Starlette app: OPTIONS of a resource is 204 with Allow."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer OPTIONS of a resource, and pass on all other requests."""
        methods = (
            allowed(scope) if scope["type"] == "http" and scope["method"] == "OPTIONS" else None
        )
        if methods:
            response = Response(status_code=HTTPStatus.NO_CONTENT, headers={"Allow": methods})
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def allowed(scope: Scope) -> str:
    """Return Allow's value for the request's path over the app's routes; "" for no resource."""
    routes: list[BaseRoute] = scope["app"].routes
    found = {method for route in routes for method in HTTPMethod if _takes(route, scope, method)}
    if not found:
        return ""
    return ", ".join(sorted({*found, HTTPMethod.OPTIONS}))


def _takes(route: BaseRoute, scope: Scope, method: HTTPMethod) -> bool:
    if scope["path"] == SERVER:
        return method in (getattr(route, "methods", None) or _FILES)
    if route.matches({**scope, "method": method})[0] is not Match.FULL:
        return False
    return not isinstance(route, Mount) or method in _FILES  # only files are mounted
