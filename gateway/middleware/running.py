"""The requests that run, and how they are ended."""

import asyncio
from typing import Final, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cache_core.errors import PeerUnavailable
from gateway.http import problems
from gateway.middleware.raw_target import raw_path

_AT_ONCE: Final = 0.0
"""A time that has passed on every event loop's clock."""


class Run(Protocol):
    """A request that runs."""

    def end(self) -> None:
        """Answer the request with the error `draining()`, unless its answer has begun."""


class Running:
    """ASGI middleware that knows which requests run, and ends them when told to."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._runs: set[Run] = set()

    def begin(self, run: Run) -> None:
        """Add `run` to the requests that run."""
        self._runs.add(run)

    def finish(self, run: Run) -> None:
        """Take `run` off the requests that run, if it is among them."""
        self._runs.discard(run)

    def end(self) -> None:
        """End every request that runs: unless its answer has begun, the answer is 503."""
        for run in tuple(self._runs):
            run.end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer it here where it was ended before its answer began."""
        begun = False

        async def watched_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        timeout = asyncio.timeout(None)
        run = _Call(timeout)
        try:
            async with timeout:
                self.begin(run)
                await self._app(scope, receive, watched_send)
        except TimeoutError:
            if not timeout.expired():
                raise
            if not begun:
                await problems.answer(draining(), raw_path(scope))(scope, receive, send)
        finally:
            self.finish(run)


class _Call:
    """A request that the app answers."""

    def __init__(self, timeout: asyncio.Timeout) -> None:
        self._timeout = timeout

    def end(self) -> None:
        self._timeout.reschedule(_AT_ONCE)


def draining() -> PeerUnavailable:
    """Return the error of requests that still run when the gateway stops."""
    return PeerUnavailable("the gateway is draining")
