"""What clients' connections hold together, and who is cut off where it is too much."""

import asyncio
import gc
import tracemalloc
import weakref
from contextlib import AsyncExitStack

import pytest
from fake_participant import FakeParticipant
from fakes import settled
from http2.frame_writer import (
    HELLO,
    data,
    headers,
    read_frames,
    settings,
    window_update,
)
from line import LineEnd
from unread import SIZE, WIDE, Taking, get
from virtual_time import after, in_virtual_time

from cache_core import Node, Value
from cache_core.address import Address
from cache_core.connection_memory import ConnectionMemory
from cache_core.rpc.channel import GET
from cache_core.rpc.engine import DEFAULT_BOUNDS, LEAST_CONNECTION_MEMORY, ConnectionBounds
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import (
    DATA,
    DEFAULT_WINDOW,
    GREATEST_WINDOW,
    ErrorCode,
    Setting,
)
from cache_core.rpc.service import Service
from cache_core.rpc.transport.node.introspection import Health
from cache_core.rpc.transport.node.node_calls import NodeCalls
from cache_core.rpc.transport.node.server import Server
from cache_core.rpc.transport.node.server_protocol import (
    CALL_BYTES,
    CONNECTION_BYTES,
    ServerProtocol,
)


class FakeHolder:
    """A connection that is only counted."""

    def __init__(self, cut: list["FakeHolder"]) -> None:
        self._cut = cut
        self.heard = asyncio.get_running_loop().time()

    def cut_off(self, _: str) -> None:
        self._cut.append(self)


async def test_the_greediest_is_cut_off_and_then_the_next_until_it_is_less() -> None:
    memory, cut = ConnectionMemory(100), list[FakeHolder]()
    first, second, third = (FakeHolder(cut) for _ in range(3))
    for holder, size in ((first, 30), (second, 60), (third, 10)):
        memory.hold(holder, size)
    await asyncio.sleep(0)
    assert (cut, memory.total) == ([], 100)
    memory.hold(third, 71)
    await asyncio.sleep(0)
    assert (cut, memory.total) == ([third], 90)
    memory.hold(third, 71)
    memory.hold(first, 101)
    await asyncio.sleep(0)
    assert (cut, memory.total) == ([third, first, third], 60)
    memory.let_go(second)
    memory.let_go(second)
    assert memory.total == 0


async def test_one_that_has_let_go_in_time_is_not_cut_off() -> None:
    memory, cut = ConnectionMemory(100), list[FakeHolder]()
    holder = FakeHolder(cut)
    memory.hold(holder, 101)
    memory.hold(holder, 100)
    await asyncio.sleep(0)
    assert cut == []


@in_virtual_time
async def test_who_holds_much_for_a_moment_is_not_cut_off_for_those_who_hold_little_for_ever() -> (
    None
):
    memory, cut = ConnectionMemory(1000), list[FakeHolder]()
    silent = [FakeHolder(cut) for _ in range(100)]
    for holder in silent:
        memory.hold(holder, 9)
    await after(60)
    busy = FakeHolder(cut)
    memory.hold(busy, 110)
    await after(0)
    assert len(cut) == 8  # 72 bytes of them make room
    assert set(cut) < set(silent)


class Client:
    """A client of `node` that says `hello`, and takes nothing while it is frozen."""

    def __init__(self, node: NodeCalls, hello: bytes) -> None:
        self.protocol = Taking()
        self.server = ServerProtocol(node, Bounds(), set())
        self.at_server = LineEnd(self.server)
        self.end = LineEnd(self.protocol)
        self.end.join(self.at_server)
        self.end.write(HELLO + hello)

    @property
    def goodbyes(self) -> list[int]:
        """The codes of the GOAWAY frames that have come."""
        return [
            int.from_bytes(frame.payload[4:8])
            for frame in read_frames(self.protocol.taken)
            if frame.kind == 7
        ]


def node_of(total: int, count: int = 40) -> NodeCalls:
    """Return a node that holds `count` values of SIZE, whose connections may hold `total`."""
    participant = FakeParticipant({f"{number}": Value(bytes(SIZE)) for number in range(count)})
    return NodeCalls(Service(participant), Health(), ConnectionBounds(total // 2, total))


@in_virtual_time
async def test_a_client_that_reads_nothing_is_cut_off_and_the_others_are_answered() -> None:
    node = node_of(10 * SIZE)
    async with AsyncExitStack() as opened:
        greedy, modest, other = clients = [Client(node, WIDE) for _ in range(3)]
        for client in clients:
            opened.callback(client.end.abort)
            await after(0.01)
            client.end.freeze()
        for client, asked in ((modest, 3), (greedy, 5), (other, 3)):
            assert not greedy.at_server.is_over
            client.end.write(b"".join(get(2 * number + 1, f"{number}") for number in range(asked)))
            await after(0.01)
        assert greedy.at_server.is_over
        for client, asked in ((modest, 3), (other, 3)):
            client.end.thaw()
            await after(0.01)
            frames = read_frames(client.protocol.taken)
            assert sum(len(frame.payload) for frame in frames if frame.kind == DATA) > asked * SIZE
            assert client.goodbyes == []
        assert node.memory.total <= 2 * (CONNECTION_BYTES + 4_000)
    await after(0.01)
    assert node.memory.total == 0


@in_virtual_time
async def test_calls_that_never_end_count_and_whoever_is_cut_off_is_told_why() -> None:
    node = node_of(1_000_000)
    client = Client(node, b"")
    block = request_block(GET, "n", ())
    for number in range(1_000_000 // CALL_BYTES + 1):
        client.end.write(headers(2 * number + 1, block, end=False))
    await after(0.01)
    assert client.at_server.is_over
    assert client.goodbyes == [ErrorCode.ENHANCE_YOUR_CALM]
    assert b"hold too much" in client.protocol.taken
    assert node.memory.total == 0


@in_virtual_time
async def test_what_has_come_of_messages_and_headers_counts() -> None:
    node = node_of(1_000_000)
    client = Client(node, b"")
    await after(0.01)
    idle = node.memory.total
    assert idle == CONNECTION_BYTES
    begun = headers(1, request_block(GET, "n", ()), end=False)
    client.end.write(begun + data(1, b"\0\0\1\0\0" + bytes(10_000)) + bytes(5))
    await after(0.01)
    assert idle + CALL_BYTES + 10_010 <= node.memory.total <= idle + CALL_BYTES + 12_000
    client.end.abort()
    await after(0.01)
    assert node.memory.total == 0


@in_virtual_time
async def test_a_message_of_which_one_byte_is_not_taken_is_not_kept_as_a_whole() -> None:
    node = node_of(100 * SIZE)
    most = SIZE + 8  # a message has four bytes more, and its prefix
    hello = settings({Setting.INITIAL_WINDOW_SIZE: most}) + window_update(
        0, GREATEST_WINDOW - DEFAULT_WINDOW
    )
    client = Client(node, hello)
    await after(0.01)
    tracemalloc.start()
    try:
        for number in range(40):
            client.end.write(get(2 * number + 1, f"{number}"))
            await after(0.01)
        client.protocol.taken = b""
        client.at_server.sent = b""
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert client.server._requests.outlet.queued == 40  # noqa: SLF001 - one byte of each
    assert kept < 5 * SIZE
    client.end.abort()
    await after(0.01)


async def test_a_connection_that_has_ended_freed_without_the_collector() -> None:
    server = Server(Address("127.0.0.1", 0))
    address = server.bind()
    await server.start(Service(FakeParticipant({"0": Value(b"630")})))
    reader, writer = await asyncio.open_connection(*address)
    writer.write(HELLO + get(1, "0"))
    await reader.readuntil(b"630")
    writer.write(headers(3, request_block(GET, "n", ()), end=False) + get(5, "0"))
    await reader.readuntil(b"630")
    (connection,) = server._connections  # noqa: SLF001 - nobody else has it
    freed = weakref.ref(connection)
    closed = connection.closed
    del connection
    gc.disable()
    try:
        writer.close()
        await asyncio.wait_for(asyncio.shield(closed), 5)
        await settled()
        assert freed() is None
    finally:
        gc.enable()
        await server.stop(0)


@pytest.mark.parametrize(
    ("connection", "total"),
    [
        (LEAST_CONNECTION_MEMORY - 1, DEFAULT_BOUNDS.total),
        (DEFAULT_BOUNDS.connection, 4 * DEFAULT_BOUNDS.connection - 1),
    ],
)
async def test_a_node_refuses_bounds_that_leave_no_room(connection: int, total: int) -> None:
    with pytest.raises(ValueError, match=f"not {connection} and {total}"):
        Node(connection_memory=connection, total_connection_memory=total)
    with pytest.raises(ValueError, match="room for a connection"):
        Node(max_connections=0)
