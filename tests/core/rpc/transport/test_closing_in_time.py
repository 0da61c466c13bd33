"""A way that is closed while the other end takes nothing of what it was sent."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from http2.field_writer import answer
from http2.frame_writer import GREETING, headers, settings, window_update

from cache_core.address import Address
from cache_core.rpc.grpc.client_call import Ended
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.framing.codes import DEFAULT_WINDOW, GREATEST_WINDOW, Setting
from cache_core.rpc.transport import way as way_module
from cache_core.rpc.transport.answers import Answer
from cache_core.rpc.transport.way import Way

BLOCK: Final = request_block("/s/One", "n", ())
WIDE: Final = (
    GREETING
    + settings({Setting.INITIAL_WINDOW_SIZE: GREATEST_WINDOW})
    + window_update(0, GREATEST_WINDOW - DEFAULT_WINDOW)
)
"""What a server says that would take everything."""

FIRST: Final = headers(1, answer((b"grpc-status", b"5")))


class Stuck:
    """A way to a server that has opened all windows, and reads nothing any more."""

    def __init__(self, way: Way, taken: socket.socket) -> None:
        self.way = way
        self.taken = taken
        self.calls: list[asyncio.Task[Any]] = []

    async def ask(self, count: int) -> None:
        """Make so many large calls, of which most do not leave."""
        message = bytes(1 << 20)
        self.calls = [
            asyncio.create_task(Answer(self.way, BLOCK, message).wait()) for _ in range(count)
        ]
        for _ in range(5):
            await asyncio.sleep(0)

    async def ends(self) -> list[StatusCode]:
        """Return how the calls end."""
        async with asyncio.timeout(5):
            found = await asyncio.gather(*self.calls, return_exceptions=True)
        return [end.code for end in found if isinstance(end, Ended)]


@asynccontextmanager
async def stuck() -> AsyncIterator[Stuck]:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        way = Way(Address(*listening.getsockname()))
        first = asyncio.create_task(Answer(way, BLOCK, b"").wait())
        taken, _ = await loop.sock_accept(listening)
        with taken:
            await loop.sock_sendall(taken, WIDE)
            await loop.sock_recv(taken, 1 << 16)
            await loop.sock_sendall(taken, FIRST)
            with pytest.raises(Ended):
                await first
            yield Stuck(way, taken)


async def test_a_close_ends_in_time_where_the_other_end_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(way_module, "FLUSH_SECONDS", 0.1)
    async with stuck() as node:
        await node.ask(20)
        async with asyncio.timeout(3):
            await node.way.aclose()
        assert await node.ends() == [StatusCode.UNAVAILABLE] * 20


async def test_a_close_that_is_cancelled_ends_the_calls_all_the_same() -> None:
    troubles: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, trouble: troubles.append(trouble))
    async with stuck() as node:
        await node.ask(20)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(node.way.aclose(), 0.01)
        node.taken.close()
        assert await node.ends() == [StatusCode.UNAVAILABLE] * 20
        async with asyncio.timeout(3):
            await node.way.aclose()
    assert troubles == []
