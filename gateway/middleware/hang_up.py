"""A request ends with its client: when the client hangs up, the request is cancelled."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http import problems
from gateway.http.problems import Refused

_AT_ONCE: Final = 0.0
"""A time that has passed on every event loop's clock."""

_EMPTY: Final = (b"content-length", b"0")


class HangUp:
    """ASGI middleware that cancels a request whose client hangs up before its answer's end.

    While a body is being read, its reader is told instead.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; a cancelled one is answered 499, so that it is counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        timeout = asyncio.timeout(None)
        call = _Call(receive, send, timeout)
        try:
            async with timeout:
                try:
                    if not _has_body(scope):
                        call.watch()
                    await self._app(scope, call.receive, call.send)
                finally:
                    call.end()
        except TimeoutError:
            if not timeout.expired():
                raise
            if not call.begun:
                refused = Refused(499, "client-closed-request", "the client has hung up")
                await problems.answer(refused, scope["path"])(scope, receive, send)


def _has_body(scope: Scope) -> bool:
    return any(
        field[0] == b"transfer-encoding" or (field[0] == b"content-length" and field != _EMPTY)
        for field in map(tuple, scope["headers"])
    )


class _Call:
    """One request's messages; `timeout` is made to expire when its client hangs up.

    The server is asked whether the client has gone only once the body has come, because asking
    before would read a body that nobody wants yet (and tell the client to go on with it).
    """

    def __init__(self, receive: Receive, send: Send, timeout: asyncio.Timeout) -> None:
        self.begun = False
        self._receive = receive
        self._send = send
        self._timeout = timeout
        self._is_empty_due = False
        self._watching: asyncio.Task[None] | None = None
        self._gone = asyncio.Event()

    def watch(self) -> None:
        """Watch from the beginning a request that has no body."""
        self._is_empty_due = True
        self._watching = asyncio.create_task(self._watch())

    def end(self) -> None:
        if self._watching is not None:
            self._watching.cancel()

    async def receive(self) -> Message:
        if self._is_empty_due:
            self._is_empty_due = False
            return {"type": "http.request", "body": b"", "more_body": False}
        if self._watching is not None:
            await self._gone.wait()
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self._watching = asyncio.create_task(self._watch())
        return message

    async def send(self, message: Message) -> None:
        self.begun = True
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.end()  # the answer is whole, and a server then reports the client as gone
        await self._send(message)

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone.set()
        self._timeout.reschedule(_AT_ONCE)
