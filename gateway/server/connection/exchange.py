"""One request to the app and its answer, by ASGI 3's messages of HTTP.

Knows no bytes of requests: the connection hands over what comes of the body, and reads on.
"""

import asyncio
import logging
from contextvars import Context
from typing import Any, Final, Protocol
from urllib.parse import unquote

import httptools
from starlette.types import ASGIApp, Message, Scope

from gateway.http import problems
from gateway.http.fields import Headers
from gateway.http.request_head import SERVER, malformed
from gateway.server.connection.request_parser import HttpHead
from gateway.server.connection.response import Response
from gateway.server.connection.sending import Sending

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

logger = logging.getLogger("gaocache")


class Line(Protocol):
    """The connection, as the exchange under way knows it."""

    def begin_answer(self) -> tuple[Headers, bool]:
        """Return the server's own headers, and whether the connection outlives the answer."""

    def read_on(self) -> None:
        """Hand over more of the body, as it comes."""

    def end_exchange(self, *, keeps_alive: bool) -> None:
        """Go on with the next request, or end with this one."""


class Exchange:
    """The request `head` and its answer, which goes out by `sending`."""

    def __init__(self, head: HttpHead, line: Line, sending: Sending) -> None:
        self._head = head
        self._line = line
        self._sending = sending
        self._response = Response(head.method, head.version)
        self._body = bytearray()
        self._has_all = False
        self._is_gone = False
        self._owes_continue = head.expects_continue
        self._news = asyncio.Event()

    @property
    def has_begun(self) -> bool:
        """Whether the answer has begun."""
        return self._response.has_begun

    @property
    def held_bytes(self) -> int:
        """The bytes of the body that the app has not taken yet."""
        return len(self._body)

    def take(self, body: bytes, *, is_whole: bool) -> None:
        """Take bytes of the body; with `is_whole` they are the last."""
        self._owes_continue = self._owes_continue and not (body or is_whole)
        self._body += body
        self._has_all = is_whole
        self._news.set()

    def hang_up(self) -> None:
        """Tell the app that nobody waits for its answer, and send none."""
        self._is_gone = True
        self._news.set()

    def start(self, app: ASGIApp, scope: Scope, tasks: set[asyncio.Task[None]]) -> None:
        """Have the app answer, in a task that is one of `tasks` while it runs.

        It has a context of its own, because this may be called in that of another answer.
        """
        run = self._run(app, scope)
        task = asyncio.get_running_loop().create_task(run, context=Context())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _run(self, app: ASGIApp, scope: Scope) -> None:
        try:
            await app(scope, self._receive, self._send)
            if not (self._response.is_whole or self._is_gone):
                raise RuntimeError("the app has ended before its answer")  # noqa: TRY301 - as any error
        except asyncio.CancelledError:
            if not self._is_ended():
                self._line.end_exchange(keeps_alive=False)
            raise
        except Exception as error:
            logger.exception("the app failed")
            if self._response.is_whole or self._is_gone:
                return
            if self.has_begun:
                self._line.end_exchange(keeps_alive=False)
            else:
                failed = problems.answer(error, scope["path"])
                await failed(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._is_ended():
            return {"type": "http.disconnect"}
        if self._owes_continue and not self.has_begun:
            self._owes_continue = False
            self._sending.write(CONTINUE)
        await asyncio.sleep(0)  # a body of many small pieces is not taken in one turn
        self._line.read_on()
        await self._news.wait()
        self._news.clear()
        if self._is_ended():
            return {"type": "http.disconnect"}
        body = bytes(self._body)
        self._body.clear()
        return {"type": "http.request", "body": body, "more_body": not self._has_all}

    def _is_ended(self) -> bool:
        return self._is_gone or self._response.is_whole

    async def _send(self, message: Message) -> None:
        await self._sending.drain()
        if self._is_gone:
            return
        match message["type"]:
            case "http.response.start" if not self.has_begun:
                self._begin(message)
            case "http.response.body" if self.has_begun and not self._response.is_whole:
                self._go_on(message)
            case other:
                raise RuntimeError(f"the app has sent {other} out of its turn")

    def _begin(self, message: Message) -> None:
        said, outlives = self._line.begin_answer()
        # A client that still waits for the word to go on may send its body, or the next request.
        keeps_alive = outlives and self._head.keeps_alive and not self._owes_continue
        headers = list(message.get("headers", ()))
        self._sending.write(
            self._response.begin(message["status"], headers, said, keeps_alive=keeps_alive)
        )

    def _go_on(self, message: Message) -> None:
        body = self._response.body(message.get("body", b""), more=message.get("more_body", False))
        if body:
            self._sending.write(body)
        if self._response.is_whole:
            self._body.clear()
            self._news.set()
            self._line.end_exchange(keeps_alive=self._response.keeps_alive)


def scope_of(head: HttpHead, transport: asyncio.Transport, state: dict[str, Any]) -> Scope:
    """Return ASGI's scope of the request `head`, which came by `transport`. Raises Refused."""
    try:
        url = httptools.parse_url(b"/" if head.target == SERVER.encode() else head.target)
        path = url.path.decode("ascii")
    except (httptools.HttpParserInvalidURLError, UnicodeDecodeError) as error:
        raise malformed("it should be an HTTP/1.1 request") from error
    is_server = head.target == SERVER.encode()
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": head.version,
        "method": head.method,
        "scheme": "http" if transport.get_extra_info("sslcontext") is None else "https",
        "server": _address(transport, "sockname"),
        "client": _address(transport, "peername"),
        "root_path": "",
        "path": SERVER if is_server else unquote(path),
        "raw_path": head.target if is_server else url.path,
        "query_string": url.query or b"",
        "headers": head.headers,
        "state": state.copy(),
    }


def _address(transport: asyncio.Transport, name: str) -> tuple[str, int] | None:
    found = transport.get_extra_info(name)
    return (str(found[0]), int(found[1])) if isinstance(found, tuple) else None
