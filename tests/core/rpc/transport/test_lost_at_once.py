"""Connections that are lost as soon as they are open, and what runs on those that stay."""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from struct import pack
from threading import Thread
from typing import Final

import aiohappyeyeballs
import pytest
from fake_participant import FakeParticipant, ask, connected
from grpc_ends import FakeCaller
from odd_node import odd_node

from cache_core import CacheError, Value
from cache_core.address import Address
from cache_core.rpc.grpc.client_call import ClientCall, Ended
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.transport import way as way_module
from cache_core.rpc.transport.answers import Answer
from cache_core.rpc.transport.way import Way

TRIES: Final = 60
BLOCK: Final = request_block("/s/One", "n", ())

WHOSE: Final = ContextVar("WHOSE", default="nobody's")


class Closer:
    """A server that closes, or resets, each connection as soon as it has taken it."""

    def __init__(self, listening: socket.socket, *, resets: bool) -> None:
        self.address = Address(*listening.getsockname())
        self.taken = self.closed = 0
        self._listening = listening
        self._resets = resets

    def run(self) -> None:
        """Take connections until the socket is shut down."""
        while True:
            try:
                taken, _ = self._listening.accept()
            except OSError:
                return
            self.taken += 1
            if self._resets:
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
            taken.close()
            self.closed += 1


@contextmanager
def closer(*, resets: bool) -> Iterator[Closer]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Closer(listening, resets=resets)
        thread = Thread(target=server.run)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def closed_before_it_is_used(monkeypatch: pytest.MonkeyPatch, server: Closer) -> None:
    """Have each connection go on only when `server` has closed it."""
    truly = aiohappyeyeballs.start_connection

    async def start_connection(
        found: Sequence[aiohappyeyeballs.AddrInfoType],
        *,
        happy_eyeballs_delay: float,
        interleave: int,
        loop: asyncio.AbstractEventLoop,
    ) -> socket.socket:
        before = server.closed
        connected = await truly(
            found, happy_eyeballs_delay=happy_eyeballs_delay, interleave=interleave, loop=loop
        )
        while server.closed == before:  # noqa: ASYNC110 - a thread closes it
            await asyncio.sleep(0)
        return connected

    monkeypatch.setattr(aiohappyeyeballs, "start_connection", start_connection)


@pytest.mark.parametrize("resets", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("before", [False, True], ids=["any time", "before it is used"])
async def test_calls_to_a_server_that_closes_at_once_end_and_the_next_one_dials_anew(
    monkeypatch: pytest.MonkeyPatch, resets: bool, before: bool
) -> None:
    monkeypatch.setattr(way_module, "PAUSE_SECONDS", 0.0)
    with closer(resets=resets) as server:
        if before:
            closed_before_it_is_used(monkeypatch, server)
        way = Way(server.address)
        for _ in range(TRIES):
            taken = server.taken
            with pytest.raises(Ended) as caught:
                async with asyncio.timeout(5):
                    await Answer(way, BLOCK, b"").wait()
            assert caught.value.code is StatusCode.UNAVAILABLE
            assert server.taken > taken
        await way.aclose()


async def test_what_a_connection_calls_does_not_run_in_the_context_of_the_call_that_opened_it() -> (
    None
):
    async with odd_node() as node:
        way, found, is_over = Way(node.address), list[str](), asyncio.Event()

        def look(_: ClientCall) -> None:
            found.append(WHOSE.get())
            is_over.set()

        caller = FakeCaller()
        caller.at_end = look
        WHOSE.set("the dialer's")
        way.ask(ClientCall(BLOCK, b"", caller))
        await is_over.wait()
        assert found == ["nobody's"]
        await way.aclose()


async def test_a_channel_is_done_outside_of_the_context_of_the_ask_that_opened_it() -> None:
    async with connected(FakeParticipant({"k": Value(b"630")})) as channel:
        found, is_over = list[str](), asyncio.Event()

        def done(error: CacheError | None) -> None:
            assert error is None
            found.append(WHOSE.get())
            is_over.set()

        WHOSE.set("the dialer's")
        channel.ask([ask("k")], ring=0, timeout=30, done=done)
        await is_over.wait()
        assert found == ["nobody's"]
