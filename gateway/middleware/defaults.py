"""The headers that every answer has unless it sets them itself."""

from collections.abc import Iterable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NOSNIFF: Final = (b"x-content-type-options", b"nosniff")
_CACHE_CONTROL: Final = b"cache-control"


class Defaults:
    """ASGI middleware: no browser guesses an answer's type, and no cache its lifetime.

    It adds `X-Content-Type-Options: nosniff` (Fetch standard) and a Cache-Control (RFC 9111,
    section 4.2.2) where they are missing. An answer with an ETag gets `no-cache`, so that caches
    validate it; every other answer gets `no-store`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with the headers that it lacks."""

        async def send_with_defaults(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = with_defaults(message.get("headers", ()))
            await send(message)

        await self._app(scope, receive, send_with_defaults)


def with_defaults(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return `headers`, whose names are in lower case, and behind them the defaults they lack."""
    whole = [(name, value) for name, value in headers]
    names = {name for name, _ in whole}
    if _NOSNIFF[0] not in names:
        whole.append(_NOSNIFF)
    if _CACHE_CONTROL not in names:
        whole.append((_CACHE_CONTROL, b"no-cache" if b"etag" in names else b"no-store"))
    return whole
