"""The requests that run, which can be ended."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cache_core.errors import PeerUnavailable
from gateway import problems
from gateway.raw_target import raw_path

_AT_ONCE: Final = 0.0
"""A time that has passed on every event loop's clock."""


class Running:
    """ASGI middleware that knows which requests run, and ends them when told to."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._timeouts: set[asyncio.Timeout] = set()

    def end(self) -> None:
        """Answer whatever runs with the problem that the gateway is draining: 503."""
        for timeout in self._timeouts:
            timeout.reschedule(_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer it here where it was ended before its answer began."""
        begun = False

        async def watched_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        timeout = asyncio.timeout(None)
        try:
            async with timeout:
                self._timeouts.add(timeout)
                await self._app(scope, receive, watched_send)
        except TimeoutError:
            if not timeout.expired():
                raise
            if not begun:
                error = PeerUnavailable("the gateway is draining")
                await problems.answer(error, raw_path(scope))(scope, receive, send)
        finally:
            self._timeouts.discard(timeout)
