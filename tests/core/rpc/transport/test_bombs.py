"""Small messages that unpack to large ones keep nobody else waiting."""

import asyncio
import gzip
from typing import Final

from fake_participant import FakeParticipant
from http2.frame_writer import HELLO, data, headers, read_frames
from line import LineEnd
from odd_node import OddConnection, odd_node
from virtual_time import after, in_virtual_time

from cache_core import Value
from cache_core.pb.gaocache_pb2 import GetRequest
from cache_core.rpc.channel import GET
from cache_core.rpc.grpc.messages import PREFIX, prefixed
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.grpc.server_call import ServerCall
from cache_core.rpc.grpc.server_session import HEADER
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import HEADERS
from cache_core.rpc.http2.framing.literals import block
from cache_core.rpc.service import Service
from cache_core.rpc.transport.answers import Answers
from cache_core.rpc.transport.node.introspection import Health
from cache_core.rpc.transport.node.node_calls import NodeCalls
from cache_core.rpc.transport.node.server_protocol import ServerProtocol
from cache_core.rpc.transport.way import Way

LARGE: Final = 1 << 22
BOMB: Final = gzip.compress(bytes(LARGE))
GZIP: Final = (("grpc-encoding", "gzip"),)
MANY: Final = 20


class Answered(asyncio.Protocol):
    """A client, and how many of its calls have ended."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        frames = read_frames(data)
        self.count += sum(each.kind == HEADERS and each.flags & 1 for each in frames)
        self._changed.set()

    async def until(self, count: int) -> None:
        """Return once so many calls have ended."""
        while self.count < count:
            self._changed.clear()
            await self._changed.wait()


def joined(node: NodeCalls) -> tuple[Answered, LineEnd, LineEnd]:
    """Return a client of `node`, its transport, and the node's."""
    client = Answered()
    at_client, at_server = LineEnd(client), LineEnd(ServerProtocol(node, Bounds(), set()))
    at_client.join(at_server)
    at_client.write(HELLO)
    return client, at_client, at_server


def bomb(stream: int) -> bytes:
    message = PREFIX.pack(1, len(BOMB)) + BOMB
    return headers(stream, request_block(GET, "n", GZIP), end=False) + data(
        stream, message, end=True
    )


def get(stream: int, key: str) -> bytes:
    message = prefixed(GetRequest(group="g", key=key).SerializeToString())
    return headers(stream, request_block(GET, "n", ()), end=False) + data(stream, message, end=True)


@in_virtual_time
async def test_a_client_is_answered_between_the_bombs_of_others() -> None:
    node = NodeCalls(Service(FakeParticipant({"held": Value(b"630")})), Health())
    bombers = [joined(node) for _ in range(3)]
    plain, at_plain, _ = joined(node)
    await after(0.01)
    for _, at_client, _ in bombers:
        at_client.write(b"".join(bomb(2 * number + 1) for number in range(MANY)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    at_plain.write(get(1, "held"))
    await plain.until(1)
    assert sum(client.count for client, _, _ in bombers) <= 3
    for client, _, _ in bombers:
        await client.until(MANY)
    for _, at_client, _ in [*bombers, (plain, at_plain, None)]:
        at_client.abort()
    await after(0.01)


@in_virtual_time
async def test_a_client_that_sends_bombs_is_not_read_meanwhile() -> None:
    node = NodeCalls(Service(FakeParticipant()), Health())
    client, at_client, _ = joined(node)
    await after(0.01)
    at_client.write(bomb(1))
    at_client.write(bomb(3))
    await asyncio.sleep(0)
    at_client.write(bomb(5))
    await asyncio.sleep(0)
    assert at_client.get_write_buffer_size() > 0
    await after(0.01)
    assert at_client.get_write_buffer_size() == 0
    assert client.count == 3
    at_client.abort()
    await after(0.01)


@in_virtual_time
async def test_a_client_that_reads_nothing_is_not_read_once_its_bombs_are_unpacked() -> None:
    node = NodeCalls(Service(FakeParticipant({"held": Value(bytes(200_000))})), Health())
    client, at_client, _ = joined(node)
    await after(0.01)
    at_client.freeze()
    at_client.write(get(1, "held") + bomb(3))
    await after(0.01)
    at_client.write(get(5, "held"))
    await after(0.01)
    assert at_client.get_write_buffer_size() > 0
    at_client.thaw()
    await after(0.01)
    assert client.count == 1
    at_client.abort()
    await after(0.01)


@in_virtual_time
async def test_a_client_that_goes_leaves_its_bombs_as_they_are() -> None:
    participant = FakeParticipant({"held": Value(b"630")})
    node = NodeCalls(Service(participant), Health())
    _, at_client, _ = joined(node)
    await after(0.01)
    at_client.write(b"".join(bomb(2 * number + 1) for number in range(MANY)) + get(99, "held"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    at_client.abort()
    await after(0.01)
    assert participant.asked == []


async def test_a_way_takes_bombs_as_any_other_answer() -> None:
    def then(connection: OddConnection, call: ServerCall, _message: bytes) -> None:
        outlet = connection.session.connection.outlet
        call.has_header = True
        outlet.headers(call.stream, HEADER + block([(b"grpc-encoding", b"gzip")]))
        for _ in range(MANY):
            outlet.data(call.stream, PREFIX.pack(1, len(BOMB)) + BOMB)
        connection.session.finish(call)

    async with odd_node(then) as node:
        way = Way(node.address)
        answers = Answers(way, request_block("/s/One", "n", ()), b"")
        assert [len(message) async for message in answers] == [LARGE] * MANY
        await way.aclose()
