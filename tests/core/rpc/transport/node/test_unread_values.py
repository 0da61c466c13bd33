"""Values of which a client reads nothing for a while, or slowly: what waits, and goes on then."""

import asyncio
from collections import Counter

from http2.frame_writer import read_frames
from unread import HELD, MANY, SHUT, SIZE, WIDE, get, unread
from virtual_time import after, in_virtual_time

from cache_core import Value
from cache_core.pb.gaocache_pb2 import GetResponse
from cache_core.rpc.http2.framing.codes import DATA, END_STREAM, HEADERS
from cache_core.rpc.transport.wire import STALL_SECONDS


@in_virtual_time
async def test_calls_that_wait_for_room_are_not_begun_once_the_client_has_gone() -> None:
    async with unread(WIDE) as ends:
        ends.client.write(b"".join(get(2 * number + 1, f"{number}") for number in range(5)))
        ends.client.write(get(11, "later"))
        await after(0.01)
        assert ends.keys == ["0", "1", "2"]
        # A transport may tell of room and of the loss in one turn.
        ends.client.thaw()
        ends.at_server.lose()
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
        backlog = ends.server._session.backlog  # noqa: SLF001 - as does what waits for room
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


@in_virtual_time
async def test_a_client_that_has_read_a_little_and_reads_no_more_is_cut_off() -> None:
    async with unread(WIDE) as ends:
        ends.client.write(get(1, "0"))
        await after(5)
        ends.client.take(SIZE // 2)
        await after(STALL_SECONDS)
        assert not ends.at_server.is_over
        await after(STALL_SECONDS)
        assert ends.at_server.is_over
