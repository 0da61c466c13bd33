"""A client that opens its windows or keeps them shut, and reads nothing: what is kept for it."""

import asyncio
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from fake_participant import FakeParticipant
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from http2.frame_writer import HELLO, data, headers, read_frames, settings, window_update
from line import LineEnd
from virtual_time import after, in_virtual_time

from cache_core import Value
from cache_core.pb.cluster_pb2 import BatchGetRequest
from cache_core.pb.gaocache_pb2 import GetRequest, GetResponse
from cache_core.rpc.channel import CLUSTER, GET
from cache_core.rpc.grpc.messages import prefixed
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import (
    DATA,
    DEFAULT_WINDOW,
    END_STREAM,
    GREATEST_WINDOW,
    HEADERS,
    Setting,
)
from cache_core.rpc.service import Service
from cache_core.rpc.transport.node import server_connection
from cache_core.rpc.transport.node.introspection import Health
from cache_core.rpc.transport.node.node_calls import NodeCalls
from cache_core.rpc.transport.node.server_connection import ServerConnection
from cache_core.rpc.wire.limits import MAX_MESSAGE_BYTES

HELD: Final = 500_000
"""How many bytes a connection may hold in these tests."""

SIZE: Final = 200_000
"""The bytes of each value."""

MANY: Final = 60
"""How many values there are: some messages full."""

WIDE: Final = settings({Setting.INITIAL_WINDOW_SIZE: GREATEST_WINDOW}) + window_update(
    0, GREATEST_WINDOW - DEFAULT_WINDOW
)
SHUT: Final = settings({Setting.INITIAL_WINDOW_SIZE: 0})

REFLECTION: Final = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
QUESTION: Final = ServerReflectionRequest(
    file_containing_symbol="gaocache.cluster.v1.Cluster"
).SerializeToString()


class Taking(asyncio.Protocol):
    """Keeps what it takes."""

    def __init__(self) -> None:
        self.taken = b""

    def data_received(self, data: bytes) -> None:
        self.taken += data


class Unread:
    """A node's end, and that of a client which takes nothing while it is frozen.

    Keys that begin with `m` are loaded, each time anew.
    """

    def __init__(self) -> None:
        self.participant = FakeParticipant(
            {**{f"{number}": Value(bytes(SIZE)) for number in range(MANY)}, "later": Value(b"1")},
            {f"m{number}": Value(b"%3d" % number + bytes(SIZE)) for number in range(MANY)},
        )
        self.node = NodeCalls(Service(self.participant), Health())
        self.server = ServerConnection(self.node, Bounds(), set())
        self.protocol = Taking()
        self.at_server = LineEnd(self.server)
        self.client = LineEnd(self.protocol)

    @property
    def keys(self) -> list[str]:
        """The keys that the node was asked for."""
        return [key for key, _, _ in self.participant.asked]


@asynccontextmanager
async def unread(hello: bytes) -> AsyncIterator[Unread]:
    """A client that says `hello`, and is frozen then."""
    patch = pytest.MonkeyPatch()
    patch.setattr(server_connection, "MAX_HELD_BYTES", HELD)
    ends = Unread()
    patch.undo()
    ends.client.join(ends.at_server)
    ends.client.write(HELLO + hello)
    await after(0.01)
    ends.client.freeze()
    try:
        yield ends
    finally:
        ends.client.thaw()
        ends.client.abort()
        await after(0.01)
    assert ends.node.tasks == {}


def asked(stream: int, path: str, message: bytes, *, end: bool = True) -> bytes:
    """Return a call as it travels."""
    head = headers(stream, request_block(path, "n", ()), end=False)
    return head + data(stream, prefixed(message), end=end)


def get(stream: int, key: str) -> bytes:
    return asked(stream, GET, GetRequest(group="g", key=key).SerializeToString())


@in_virtual_time
async def test_little_of_a_large_batch_is_kept_for_a_client_that_never_reads() -> None:
    async with unread(WIDE) as ends:
        request = BatchGetRequest(keys=[f"{number}" for number in range(MANY)], groups=["g"])
        ends.client.write(asked(1, CLUSTER + "BatchGet", request.SerializeToString()))
        await after(1)
        outlet = ends.server._requests.outlet  # noqa: SLF001 - what waits for windows counts, too
        kept = ends.at_server.get_write_buffer_size() + outlet.queued
        assert HELD < kept < HELD + MAX_MESSAGE_BYTES
        ends.client.thaw()
        await after(1)
        frames = read_frames(ends.protocol.taken)
        taken = sum(len(frame.payload) for frame in frames if frame.kind == DATA)
        assert taken > MANY * SIZE
        assert frames[-1].flags & END_STREAM


@in_virtual_time
async def test_little_of_many_batches_is_kept_for_a_client_that_never_reads() -> None:
    async with unread(SHUT) as ends:
        batch = BatchGetRequest(keys=["0"], groups=["g"]).SerializeToString()
        tracemalloc.start()
        try:
            ends.client.thaw()
            for number in range(MANY):
                ends.client.write(asked(2 * number + 1, CLUSTER + "BatchGet", batch))
            await after(0.01)
            kept, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(ends.node.tasks) == MANY
        assert HELD < kept < most < HELD + 5 * SIZE
        ends.client.write(WIDE)
        await after(0.01)
        frames = read_frames(ends.protocol.taken)
        assert sum(len(frame.payload) for frame in frames if frame.kind == DATA) > MANY * SIZE
        assert sum(frame.payload.endswith(b"grpc-status\x010") for frame in frames) == MANY


@in_virtual_time
async def test_a_message_that_waits_and_can_not_be_made_fails_its_call_alone() -> None:
    no_name = Value(b"2", node="\ud800")  # no message can carry it
    async with unread(SHUT) as ends:
        ends.participant.held = {**ends.participant.held, "bad": no_name}
        ends.client.thaw()
        for number, key in enumerate(["0", "1", "2", "bad", "later"]):
            batch = BatchGetRequest(keys=[key], groups=["g"]).SerializeToString()
            ends.client.write(asked(2 * number + 1, CLUSTER + "BatchGet", batch))
        await after(0.01)
        assert len(ends.node.tasks) == 5
        ends.client.write(WIDE)
        await after(0.01)
        ended = {
            frame.stream: frame.payload.partition(b"grpc-status\x01")[2][:1]
            for frame in read_frames(ends.protocol.taken)
            if frame.kind == HEADERS and frame.flags & END_STREAM
        }
        assert ended == {1: b"0", 3: b"0", 5: b"0", 7: b"2", 9: b"0"}


@in_virtual_time
async def test_questions_are_refused_once_too_many_answers_wait_for_windows() -> None:
    async with unread(SHUT) as ends:
        ends.client.thaw()
        ends.client.write(asked(1, REFLECTION, QUESTION, end=False))
        await after(0.01)
        outlet = ends.server._requests.outlet  # noqa: SLF001 - nothing of it is written
        size = outlet.queued
        assert size > 1000
        for _ in range(2 * HELD // size):
            ends.client.write(data(1, prefixed(QUESTION)))
        await after(0.01)
        assert HELD < outlet.queued <= HELD + size
        ends.client.write(window_update(1, GREATEST_WINDOW))
        ends.client.write(window_update(0, GREATEST_WINDOW - DEFAULT_WINDOW))
        await after(0.01)
        frames = read_frames(ends.protocol.taken)
        last = [frame for frame in frames if frame.flags & END_STREAM and frame.kind == HEADERS]
        assert len(last) == 1
        assert b"grpc-status\x018" in last[0].payload
        assert outlet.queued == 0


@in_virtual_time
async def test_calls_that_wait_for_room_are_not_begun_once_the_client_has_gone() -> None:
    async with unread(WIDE) as ends:
        ends.client.write(b"".join(get(2 * number + 1, f"{number}") for number in range(5)))
        ends.client.write(get(11, "later"))
        await after(0.01)
        assert ends.keys == ["0", "1", "2"]
        # A transport may tell of room and of the loss in one turn.
        ends.client.thaw()
        ends.server.connection_lost(None)
        await after(0.01)
        assert ends.keys == ["0", "1", "2"]


@in_virtual_time
async def test_calls_that_wait_for_room_go_on_as_their_client_reads() -> None:
    async with unread(WIDE) as ends:
        count = 12
        ends.client.write(b"".join(get(2 * number + 1, f"{number}") for number in range(count)))
        await after(1)
        assert len(ends.keys) == 3
        ends.client.thaw()
        await after(0)
        assert ends.keys == [f"{number}" for number in range(count)]
        assert ends_of_streams(ends.protocol.taken) == [2 * number + 1 for number in range(count)]


@in_virtual_time
async def test_loaded_values_wait_until_those_before_them_are_read() -> None:
    async with unread(WIDE) as ends:
        keys = [f"loaded {number}" for number in range(MANY)]
        ends.participant.source = {key: Value(bytes(SIZE)) for key in keys}
        ends.participant.gates = {key: asyncio.Event() for key in keys}
        ends.client.write(b"".join(get(2 * place + 1, key) for place, key in enumerate(keys)))
        await after(0)
        for gate in ends.participant.gates.values():
            gate.set()
        await after(1)
        outlet = ends.server._requests.outlet  # noqa: SLF001 - what waits for windows counts, too
        assert ends.at_server.get_write_buffer_size() + outlet.queued < HELD + 2 * SIZE
        ends.client.thaw()
        await after(1)
        assert len(ends_of_streams(ends.protocol.taken)) == MANY


def ends_of_streams(taken: bytes) -> list[int]:
    """Return the streams that have ended, in their order."""
    return [
        frame.stream for frame in read_frames(taken) if frame.flags & END_STREAM and frame.stream
    ]


def values(taken: bytes) -> list[int]:
    """Return which of the loaded values were taken, by their numbers."""
    frames = read_frames(taken)
    whole = dict[int, bytes]()
    for frame in frames:
        if frame.kind == DATA:
            whole[frame.stream] = whole.get(frame.stream, b"") + frame.payload
    ended = {frame.stream for frame in frames if frame.stream and frame.flags & END_STREAM}
    assert ended == set(whole)
    found = [GetResponse.FromString(message[5:]).value for message in whole.values()]
    assert {len(value) for value in found} == {SIZE + 3}
    return sorted(int(value[:3]) for value in found)


@in_virtual_time
async def test_little_is_kept_of_what_was_loaded_for_a_client_that_does_not_read() -> None:
    async with unread(WIDE) as ends:
        ends.client.write(b"".join(get(2 * number + 1, f"m{number}") for number in range(MANY)))
        await after(1)
        assert len(ends.keys) == 2 * MANY  # each was looked for, and is loaded
        outlet = ends.server._requests.outlet  # noqa: SLF001 - what waits for windows counts, too
        sent = ends.at_server.get_write_buffer_size() + outlet.queued
        assert HELD < sent < HELD + SIZE + 1000
        backlog = ends.server._serving.backlog  # noqa: SLF001 - as does what waits for room
        assert not backlog.is_over
        assert not backlog.can_hold(SIZE)
        ends.client.thaw()
        await after(10)
        assert values(ends.protocol.taken) == list(range(MANY))


@in_virtual_time
async def test_what_has_to_be_loaded_again_is_loaded_once_more_at_the_most() -> None:
    async with unread(WIDE) as ends:
        ends.client.write(b"".join(get(2 * number + 1, f"m{number}") for number in range(MANY)))
        await after(1)
        for _ in range(200):
            ends.client.take(SIZE // 2)
            await after(0.01)
        ends.client.thaw()
        await after(1)
        assert values(ends.protocol.taken) == list(range(MANY))
        loads = Counter(ends.keys)
        assert max(loads.values()) <= 4  # a load is a peek and a get


@in_virtual_time
async def test_a_client_that_reads_slowly_all_the_time_is_answered() -> None:
    async with unread(WIDE) as ends:
        count = 10
        ends.client.write(b"".join(get(2 * number + 1, f"m{number}") for number in range(count)))
        await after(1)
        for _ in range(count * SIZE // 10_000):
            await after(1)
            ends.client.take(10_000)
        await after(1)
        assert not ends.at_server.is_over
        ends.client.thaw()
        await after(1)
        assert values(ends.protocol.taken) == list(range(count))


@in_virtual_time
async def test_what_a_client_has_not_read_is_freed_when_it_goes() -> None:
    async with unread(SHUT) as ends:
        ends.client.write(b"".join(get(2 * number + 1, f"{number}") for number in range(3)))
        await after(1)
        outlet = ends.server._requests.outlet  # noqa: SLF001 - nothing of it is written
        streams = list(ends.server._requests.streams.values())  # noqa: SLF001 - they hold it
        assert outlet.queued > HELD
        ends.client.thaw()
        ends.client.abort()
        await after(1)
        assert outlet.queued == 0
        assert [(stream.queue, stream.call) for stream in streams] == [(None, None)] * 3


@in_virtual_time
async def test_what_is_asked_while_answers_wait_is_not_refused() -> None:
    async with unread(WIDE) as ends:
        ends.client.write(b"".join(get(2 * number + 1, f"m{number}") for number in range(MANY)))
        await after(1)
        for number in range(MANY, 2 * MANY):
            ends.client.write(get(2 * number + 1, "later"))
        ends.client.thaw()
        await after(10)
        frames = read_frames(ends.protocol.taken)
        told = [frame.payload for frame in frames if frame.kind == HEADERS and frame.flags & 1]
        assert len(told) == 2 * MANY
        assert all(b"grpc-status\x010" in payload for payload in told)
