"""A bucket's server that says whatever a test wants it to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple


class AskedObject(NamedTuple):
    """A request as it arrived; headers by lower-case names."""

    target: str
    headers: dict[str, str]


class Endpoint:
    """It gives every request the same answer, or none."""

    def __init__(self) -> None:
        self.url = ""
        self.answer = b""
        self.requests: list[AskedObject] = []
        self.waiting = asyncio.Event()
        self.left = asyncio.Event()
        self._served: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    @property
    def asked(self) -> list[str]:
        return [request.target for request in self.requests]

    def says(self, status: int, body: str = "", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers, "", body]
        self.answer = "\r\n".join(lines).encode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._served[asyncio.current_task()] = writer
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(_parsed(head.decode()))
                if not self.answer:
                    self.waiting.set()
                    await reader.read()
                    break
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.left.set()
            writer.close()
            del self._served[asyncio.current_task()]

    async def hang_up(self) -> None:
        """Close the connections that the client keeps."""
        for writer in self._served.values():
            writer.close()
        await asyncio.gather(*filter(None, self._served))


def _parsed(head: str) -> AskedObject:
    request, *lines = head.rstrip("\r\n").split("\r\n")
    fields = (line.partition(": ") for line in lines)
    return AskedObject(request.split(" ")[1], {name.lower(): value for name, _, value in fields})


@contextlib.asynccontextmanager
async def bucket_endpoint() -> AsyncIterator[Endpoint]:
    """Serve at a free port of loopback until the end of the block."""
    answering = Endpoint()
    server = await asyncio.start_server(answering.serve, "127.0.0.1", 0)
    answering.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield answering
    finally:
        server.close()
        await answering.hang_up()
