"""Bytes to an HTTP server as no client would send them, and what comes back."""

import asyncio
import json
import socket
import struct
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer on a connection."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, object]:
        assert self.headers["content-type"] == "application/problem+json"
        found: dict[str, object] = json.loads(self.body)
        return found


class Connection:
    """A connection to the server at `url`; it is closed with the `async with`."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self.writer: asyncio.StreamWriter
        self._reader: asyncio.StreamReader

    async def __aenter__(self) -> "Connection":
        where = self._url.hostname, self._url.port
        self._reader, self.writer = await asyncio.open_connection(*where)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def reset(self) -> None:
        """Hang up as a client does that is gone: what closes alone may still read."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def reply(self, *, to_head: bool = False) -> Reply | None:
        """Return the next answer; None where the server has hung up."""
        begin = await self._reader.readline()
        if not begin:
            return None
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode() if begin.strip() else ""
        pairs = (line.partition(": ") for line in lines.split("\r\n") if line)
        headers = {name.lower(): value for name, _, value in pairs}
        size = 0 if to_head else int(headers.get("content-length", "0"))
        body = await self._reader.readexactly(size)
        return Reply(int(begin.split()[1]), headers, body)

    async def exactly(self, size: int) -> bytes:
        """Return so many bytes."""
        return await self._reader.readexactly(size)

    async def until(self, end: bytes | None) -> bytes:
        """Return what comes as far as to `end`; without it, until the server hangs up."""
        return await (self._reader.read() if end is None else self._reader.readuntil(end))

    async def replies(self) -> list[Reply]:
        """Return all answers until the server hangs up."""
        found = []
        while (reply := await self.reply()) is not None:
            found.append(reply)
        return found


async def exchange(url: str, data: bytes) -> list[Reply]:
    """Return all that a new connection answers to `data` until the server hangs up."""
    async with Connection(url) as connection:
        connection.send(data)
        return await connection.replies()
