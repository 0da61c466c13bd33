"""What every answer says of itself, unless it says otherwise."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Defaults:
    """ASGI middleware: no browser guesses an answer's type, and no cache its lifetime.

    `X-Content-Type-Options: nosniff` (Fetch standard), and a Cache-Control (RFC 9111, section
    4.2.2) that has what carries a validator validated, and all else not kept.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with the headers that it lacks."""

        async def send_with_defaults(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Cache-Control", "no-cache" if "ETag" in headers else "no-store")
            await send(message)

        await self._app(scope, receive, send_with_defaults)
