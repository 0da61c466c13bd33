"""Request targets as they were sent, still encoded, and not too long."""

from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.http import problems
from gateway.http.request_head import shortened, target_too_long


class RawTarget:
    """ASGI middleware: routes see the path as it was sent, still encoded, and not too long.

    Servers decode `path` leniently (`%FF` becomes U+FFFD) and a decoded `%2F` would move the
    border between group and key.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its raw path, or answer 414."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = raw_path(scope)
        query = scope["query_string"]
        size = len(path) + len(query) + bool(query)
        if size > self._max_bytes:
            refused = target_too_long(size, self._max_bytes)
            await problems.answer(refused, shortened(path))(scope, receive, send)
            return
        await self._app({**scope, "path": path}, receive, send)


def raw_path(scope: Scope) -> str:
    """Return the request's path as it was sent, or encoded anew where the server lost it."""
    return (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
