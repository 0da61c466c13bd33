"""Conversations with an HTTP server, byte for byte."""

import asyncio
import re
import socket
from typing import Final
from urllib.parse import urlsplit

from fakes import settled
from odd_requests import Sent

LAST: Final = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
REPLY: Final = re.compile(rb"(?s)HTTP/1\.1 (\d+)[^\r]*\r\n(.*?)\r\n\r\n")
LENGTH: Final = re.compile(rb"(?im)^content-length: (\d+)\r$")
MALFORMED: Final = re.compile(rb'(?s)HTTP/1\.1 400 .*?"reason":"malformed-request"')
TARGET: Final = re.compile(rb'"instance":"[^"]*"')
DATE: Final = re.compile(rb"(?m)^date: [^\r]*\r$")


class Talk:
    """One connection, and all that came back on it.

    It is a bare socket: asyncio's streams drop what they have not read where a write fails.
    """

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._loop = asyncio.get_running_loop()
        self._sock = socket.socket()
        self.heard = b""
        self.is_reset = False
        """Whether the server hung up on what it had not read, which can destroy its answers."""

    async def __aenter__(self) -> "Talk":
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await self._loop.sock_connect(self._sock, (self._url.hostname, self._url.port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._sock.close()

    async def send(self, data: bytes) -> None:
        """Send it, unless the server has hung up, with time to arrive alone."""
        try:
            await self._loop.sock_sendall(self._sock, data)
        except ConnectionError:
            self.is_reset = True
        await settled()

    async def hear(self, *, is_head: bool) -> bool:
        """Wait for one whole answer; false where the server hung up instead."""
        begin = len(self.heard)
        while _end(self.heard, begin, is_head=is_head) is None:
            if not await self._read():
                return False
        return True

    async def end(self) -> bytes:
        """Return all that was heard up to the server's end of the connection, dates masked."""
        await self.send(LAST)
        while await self._read():
            pass
        return DATE.sub(b"date: now\r", self.heard)

    async def _read(self) -> bool:
        try:
            got = await self._loop.sock_recv(self._sock, 1 << 20)
        except ConnectionError:
            self.is_reset = True
            return False
        self.heard += got
        return bool(got)


def _end(heard: bytes, begin: int, *, is_head: bool) -> int | None:
    """Return where the answer that begins at `begin` ends, None where more is to come."""
    match = REPLY.match(heard, begin)
    if match is None:
        return None
    if match[1] == b"100":
        return _end(heard, match.end(), is_head=is_head)
    length = LENGTH.search(match[2] + b"\r")
    size = 0 if is_head or length is None else int(length[1])
    return match.end() + size if match.end() + size <= len(heard) else None


async def in_turn(url: str, requests: list[Sent]) -> tuple[bytes, int]:
    """Send each request once the one before is answered; also count those that were answered."""
    async with Talk(url) as talk:
        for number, sent in enumerate(requests):
            for part in sent.parts:
                await talk.send(part)
            if not await talk.hear(is_head=sent.data.lstrip().startswith(b"HEAD")):
                return DATE.sub(b"date: now\r", talk.heard), number
        return await talk.end(), len(requests)


async def at_once(url: str, requests: list[Sent]) -> tuple[bytes, bool]:
    """Send all requests before the first is answered; also tell whether the server cut it off.

    How much of a target a server has read when it finds a request malformed depends on how that
    came in parts, which nobody can foretell here: what it says of the target then is masked.
    """
    async with Talk(url) as talk:
        for sent in requests:
            for part in sent.parts:
                await talk.send(part)
        return MALFORMED.sub(_without_target, await talk.end()), talk.is_reset


def _without_target(answer: re.Match[bytes]) -> bytes:
    return TARGET.sub(b'"instance":"-"', LENGTH.sub(b"content-length: -\r", answer[0]))
