"""A real HTTP/1.1 server that a test steers, with a record of what it was asked."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple, TypeAlias

HOST = "127.0.0.1"


class Asked(NamedTuple):
    """A request as it arrived; headers by lower-case names; the number of its connection."""

    target: str
    headers: dict[str, str]
    connection: int


Handler: TypeAlias = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]
"""Writes the answer to one request."""


def response(status: int, body: bytes = b"", *lines: str) -> bytes:
    """Return a whole response, with `lines` as more of its headers."""
    head = [f"HTTP/1.1 {status} Status", *lines]
    if status not in {204, 304}:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def always(*parts: bytes) -> Handler:
    """Answer everything with the same bytes."""

    async def answer(_: Asked, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return answer


def by_target(answers: dict[str, bytes]) -> Handler:
    """Answer each target with its bytes, others with 404."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.get(asked.target, response(404)))

    return answer


class HttpOrigin:
    """A server on a free port of loopback, which keeps it while it is down.

    `left` is set when a client has hung up on a request that was waiting for its answer, and
    `ended` when any connection has come to its end.
    """

    def __init__(self, handler: Handler, context: ssl.SSLContext | None = None) -> None:
        self.handler = handler
        self.asked: list[Asked] = []
        self.connections = 0
        self.left = asyncio.Event()
        self.arrived = asyncio.Event()
        self.ended = asyncio.Event()
        self.port = 0
        self._context = context
        self._frozen = False
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncIterator["HttpOrigin"]:
        """Serve until the end of the block."""
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    async def start(self) -> None:
        """Serve, and thaw; at the port that it had before."""
        self._frozen = False
        if self._server is None:
            serving = asyncio.start_server(self._serve, HOST, self.port, ssl=self._context)
            self._server = await serving
            self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Be gone: what connects is refused, what is connected is reset."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            serving = dict(self._serving)
            for writer in serving.values():
                writer.transport.abort()
            await asyncio.gather(*serving)
            await server.wait_closed()

    def freeze(self) -> None:
        """Read requests and answer none until `start`."""
        self._frozen = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        task = asyncio.current_task()
        assert task is not None
        self._serving[task] = writer
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                await self._answer(_parsed(head, number), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            del self._serving[task]
            writer.close()
            self.ended.set()

    async def _answer(
        self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.asked.append(asked)
        self.arrived.set()
        if not self._frozen:
            await self.handler(asked, writer)
            await writer.drain()
            return
        await reader.read()
        self.left.set()
        raise ConnectionResetError


def _parsed(head: str, connection: int) -> Asked:
    request, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, protocol = request.split(" ")
    assert (method, protocol) == ("GET", "HTTP/1.1")
    fields = [line.split(": ", 1) for line in lines]
    headers = {name.lower(): value for name, value in fields}
    assert len(headers) == len(fields)
    return Asked(target, headers, connection)
