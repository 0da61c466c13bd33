"""Pages of other origins may read answers, where a setting says so (Fetch standard, CORS)."""

from collections.abc import Collection, Iterable
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers as StarletteHeaders
from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.fields import Headers

READING: Final = ("GET", "HEAD", "POST")
REMOVING: Final = (*READING, "DELETE")
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
"""The headers of an answer that a page may read beside those that it always may."""


class Cors:
    """ASGI middleware: pages of `origins`, or of all with `*`, may read every answer.

    With `removes` they may also remove. A page may reach a gateway in a private network.
    They may not send credentials that a browser adds by itself. A preflight is answered as any
    OPTIONS is; the headers that allow something are added only where the preflight is granted.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str], *, removes: bool) -> None:
        self._app = app
        self._cors = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=REMOVING if removes else READING,
            allow_headers=("*",),
            allow_private_network=True,
            expose_headers=EXPOSED,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with headers on what the origin may do."""
        headers = StarletteHeaders(scope=scope)
        if "origin" not in headers:
            await self._answer_without_origin(scope, receive, send)
        elif scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await self._answer_preflight(scope, receive, send)
        else:
            await self._cors(scope, receive, send)

    def on_refusal(self, headers: Headers) -> Headers:
        """Return what lets a page read an answer that no app has made, to a request with `headers`.

        The names in `headers` are in lower case.
        """
        origins = [value for name, value in headers if name == b"origin"]
        said = MutableHeaders({"Vary": "Origin"})
        if len(origins) == 1:
            origin = origins[0].decode("latin-1")
            if self._cors.allow_all_origins or self._cors.is_allowed_origin(origin=origin):
                said.update(self._cors.simple_headers)
                if not self._cors.allow_all_origins:
                    said["Access-Control-Allow-Origin"] = origin
        return said.raw

    async def _answer_without_origin(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_varied(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = without_origin(message["headers"])
            await send(message)

        await self._app(scope, receive, send_varied)

    async def _answer_preflight(self, scope: Scope, receive: Receive, send: Send) -> None:
        granted = self._cors.preflight_response(StarletteHeaders(scope=scope))
        if granted.status_code != HTTPStatus.OK:
            await self._app(scope, receive, send)
            return

        async def send_granted(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in granted.headers.items():
                    if name == "vary":
                        headers.add_vary_header(value)
                    elif name.startswith("access-control-"):
                        headers[name] = value
            await send(message)

        await self._app(scope, receive, send_granted)


def without_origin(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return an answer's `headers` with `Vary: Origin`, as for a request without an Origin."""
    varied = MutableHeaders(raw=list(headers))
    varied.add_vary_header("Origin")
    return varied.raw
