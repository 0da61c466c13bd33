"""A client that opens its windows or keeps them shut, and reads nothing: what is kept for it."""

import tracemalloc
from typing import Final

from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from http2.frame_writer import data, read_frames, window_update
from unread import HELD, MANY, SHUT, SIZE, WIDE, asked, unread
from virtual_time import after, in_virtual_time

from cache_core import Value
from cache_core.pb.cluster_pb2 import BatchGetRequest
from cache_core.rpc.channel import CLUSTER
from cache_core.rpc.grpc.messages import prefixed
from cache_core.rpc.http2.framing.codes import (
    DATA,
    DEFAULT_WINDOW,
    END_STREAM,
    GREATEST_WINDOW,
    HEADERS,
)
from cache_core.rpc.wire.limits import MAX_MESSAGE_BYTES

REFLECTION: Final = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
QUESTION: Final = ServerReflectionRequest(
    file_containing_symbol="gaocache.cluster.v1.Cluster"
).SerializeToString()


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
