"""Recorded conversations with mistakes in them, said to both ends of gRPC.

Each call ends once at the most, and what is held for calls is let go with them. An exception would
fail the test, as would output or memory without bound.
"""

from collections import Counter
from math import inf
from typing import TYPE_CHECKING, Any, Final

import pytest
from grpc_ends import CUT, FakeCaller, FakeHandler, FakeMethod, FakeOwner, FakeTurns
from http2.fuzz import FEW, PARTS, assert_borne, many
from http2.recorded import ASKED, LARGEST, RECORDERS, WINDOW, Recorder

from cache_core.rpc.channel import GET
from cache_core.rpc.grpc.client_call import ClientCall, Ended
from cache_core.rpc.grpc.client_session import ClientSession
from cache_core.rpc.grpc.requests import request_block, timed
from cache_core.rpc.grpc.server_session import ServerSession
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.http2.bounds import Bounds

if TYPE_CHECKING:
    from cache_core.rpc.http2.control import Control

MANY: Final = 15_000
"""How many inputs each end takes in each part of a slow run."""

PATHS: Final = (GET.encode(), b"/s/One", b"/")
MOST: Final = 20_000
"""How many bytes a message may have, and the calls of a connection together."""

BOTH: Final = pytest.mark.parametrize("recorded", RECORDERS)


class Server:
    """A server that answers each call that it is told of with the call's message."""

    def __init__(self) -> None:
        turns = FakeTurns()
        self.handler = FakeHandler()
        self.serving = ServerSession(
            {path: FakeMethod(takes_stream=path == b"/") for path in PATHS},
            self.handler,
            bounds=Bounds(window=WINDOW),
            max_message=MOST,
            max_held=MOST,
            turns=turns,
            clock=lambda: 0.0,
        )
        self.handler.then = self.serving.answer
        self.connection: Control[Any, Any] = self.serving.connection
        self.connection.begin()

    def receive(self, data: bytes) -> None:
        self.connection.receive(data)
        self.serving.backlog.go_on()

    def check(self) -> None:
        assert max(Counter(self.handler.gone).values(), default=0) <= 1
        assert not set(self.handler.gone) - set(self.handler.calls)
        if not self.connection.streams:
            assert self.serving.backlog.can_hold(MOST // 2)
        self.serving.lose()
        assert self.connection.outlet.queued == 0


class Client:
    """A client that has asked all that was recorded, and gives up one of its calls."""

    def __init__(self) -> None:
        self.session = ClientSession(
            FakeOwner(),
            bounds=Bounds(streams=0, window=LARGEST),
            max_message=MOST,
            cut=CUT,
            turns=FakeTurns(),
            clock=lambda: 0.0,
        )
        self.connection: Control[Any, Any] = self.session.connection
        self.connection.begin()
        self.callers = [FakeCaller() for _ in range(ASKED)]
        block = timed(request_block(GET, "n"), inf)
        for caller in self.callers:
            self.session.ask(ClientCall(block, b"message", caller))

    def receive(self, data: bytes) -> None:
        self.session.receive(data)

    def check(self) -> None:
        assert max(len(caller.ends) for caller in self.callers) <= 1
        if self.connection.has_failed:
            self.session.end(Ended(StatusCode.UNAVAILABLE, "the connection was lost"))
            assert [len(caller.ends) for caller in self.callers] == [1] * ASKED
            assert self.session.is_idle


@BOTH
async def test_a_conversation_with_mistakes(recorded: Recorder) -> None:
    recording = await recorded()
    assert_borne(Server, recording.to_server, range(FEW))
    assert_borne(Client, recording.to_client, range(FEW))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
@BOTH
async def test_a_conversation_with_many_mistakes(recorded: Recorder, part: int) -> None:
    recording = await recorded()
    assert_borne(Server, recording.to_server, many(part, MANY))
    assert_borne(Client, recording.to_client, many(part, MANY))


@BOTH
async def test_a_recording_is_whole(recorded: Recorder) -> None:
    """A conversation without mistakes has no fault, or the others would try little."""
    recording = await recorded()
    server, client = Server(), Client()
    server.receive(recording.to_server)
    client.receive(recording.to_client)
    assert not server.connection.has_failed
    assert not client.connection.has_failed
