"""Of many bytes that come together, a connection takes some in each turn of the event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fake_participant import FakeParticipant
from http2.frame_writer import HELLO, data, headers, ping, read_frames
from line import LineEnd
from virtual_time import after, in_virtual_time

from cache_core import Value
from cache_core.pb.gaocache_pb2 import GetRequest
from cache_core.rpc.channel import GET
from cache_core.rpc.grpc.messages import prefixed
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import END_STREAM, HEADERS, PING
from cache_core.rpc.service import Service
from cache_core.rpc.transport.node.introspection import Health
from cache_core.rpc.transport.node.node_calls import NodeCalls
from cache_core.rpc.transport.node.server_protocol import ServerProtocol


class Client(asyncio.Protocol):
    """A client of a node, which keeps what that says."""

    def __init__(self, node: NodeCalls, participant: FakeParticipant) -> None:
        self.taken = b""
        self.participant = participant
        self.server = ServerProtocol(node, Bounds(), set())
        self.end = LineEnd(self)
        self.end.join(LineEnd(self.server))

    def data_received(self, data: bytes) -> None:
        self.taken += data

    @property
    def answered(self) -> list[int]:
        """The calls that were answered, in the order of their answers."""
        frames = read_frames(self.taken)
        return [f.stream for f in frames if f.kind == HEADERS and f.flags & END_STREAM]


@asynccontextmanager
async def clients(at_once: int) -> AsyncIterator[tuple[Client, Client]]:
    """Two clients of one node, which takes so many bytes of each in a turn."""
    participant = FakeParticipant({"k": Value(b"630")})
    node = NodeCalls(Service(participant), Health())
    both = Client(node, participant), Client(node, participant)
    for client in both:
        client.server.most_at_once = at_once
        client.end.write(HELLO)
    await after(0.01)
    try:
        yield both
    finally:
        for client in both:
            client.end.abort()
        await after(0.01)


def get(stream: int) -> bytes:
    message = GetRequest(group="g", key="k").SerializeToString()
    head = headers(stream, request_block(GET, "n", ()), end=False)
    return head + data(stream, prefixed(message), end=True)


@in_virtual_time
async def test_a_client_that_sends_much_does_not_hold_up_another() -> None:
    async with clients(at_once=1000) as (loud, quiet):
        numbers = range(1, 401, 2)
        loud.end.write(b"".join(map(get, numbers)))
        quiet.end.write(get(1))
        for _ in range(20):
            await asyncio.sleep(0)
        assert quiet.answered == [1]
        assert 0 < len(loud.answered) < len(numbers)
        await after(0.01)
        assert loud.answered == list(numbers)


@pytest.mark.parametrize("at_once", [1, 7, 100])
@in_virtual_time
async def test_all_is_taken_in_its_order_however_little_is_taken_at_once(at_once: int) -> None:
    async with clients(at_once) as (client, _):
        client.end.write(get(1) + ping(b"first pg") + get(3))
        client.end.write(get(5) + ping(b"secondpg"))
        for _ in range(2000):
            await asyncio.sleep(0)
        assert client.answered == [1, 3, 5]
        pongs = [frame.payload for frame in read_frames(client.taken) if frame.kind == PING]
        assert pongs == [b"first pg", b"secondpg"]
        client.end.write(get(7))
        for _ in range(2000):
            await asyncio.sleep(0)
        assert client.answered == [1, 3, 5, 7]


@in_virtual_time
async def test_what_was_not_taken_goes_with_a_connection_that_fails() -> None:
    async with clients(at_once=100) as (client, _):
        client.end.write(data(0, b"x") + b"".join(map(get, range(1, 101, 2))))
        await after(1)
        assert client.answered == []
        assert client.server.closed.done()


@in_virtual_time
async def test_nothing_is_done_any_more_for_a_client_that_is_cut_off() -> None:
    async with clients(at_once=1000) as (client, _):
        client.server.data_received(b"".join(map(get, range(1, 101, 2))))
        asked = len(client.participant.asked)
        assert 0 < asked < 50
        client.server.abort()
        await after(1)
        assert len(client.participant.asked) == asked
