"""Batches that come together are begun in one turn of the event loop after the other."""

import asyncio
from typing import Final

from fake_participant import FakeParticipant
from http2.frame_writer import HELLO, data, headers, read_frames, rst_stream
from line import LineEnd
from virtual_time import after, in_virtual_time

from cache_core import Value
from cache_core.pb.cluster_pb2 import BatchGetRequest
from cache_core.rpc.channel import CLUSTER
from cache_core.rpc.grpc.messages import prefixed
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.http2.bounds import Bounds
from cache_core.rpc.http2.framing.codes import END_STREAM, HEADERS
from cache_core.rpc.service import Service
from cache_core.rpc.transport.node.introspection import Health
from cache_core.rpc.transport.node.node_calls import NodeCalls
from cache_core.rpc.transport.node.pace import Pace
from cache_core.rpc.transport.node.server_protocol import ServerProtocol

KEYS: Final = ("a", "b", "c")


class Client(asyncio.Protocol):
    """Keeps what a node says."""

    def __init__(self) -> None:
        self.taken = b""

    def data_received(self, data: bytes) -> None:
        self.taken += data

    @property
    def ended(self) -> set[int]:
        """The calls that have been answered to their end."""
        frames = read_frames(self.taken)
        return {f.stream for f in frames if f.kind == HEADERS and f.flags & END_STREAM}


def batch(stream: int) -> bytes:
    """Return a call for all KEYS."""
    head = headers(stream, request_block(CLUSTER + "BatchGet", "n", ()), end=False)
    request = BatchGetRequest(keys=KEYS, groups=["g"])
    return head + data(stream, prefixed(request.SerializeToString()), end=True)


@in_virtual_time
async def test_batches_of_a_connection_are_not_all_begun_in_one_turn() -> None:
    participant = FakeParticipant(source={key: Value(b"1") for key in KEYS})
    node = NodeCalls(Service(participant), Health())
    client = Client()
    end = LineEnd(client)
    end.join(LineEnd(ServerProtocol(node, Bounds(), set())))
    streams = range(1, 41, 2)
    end.write(HELLO + b"".join(map(batch, streams)))
    turns = []
    while len(client.ended) < len(streams):
        before = len(participant.asked)
        await asyncio.sleep(0)
        turns.append(len(participant.asked) - before)
    assert sum(turns) == 2 * len(KEYS) * len(streams)
    assert max(turns) <= 2 * len(KEYS), "the loads of one batch and the peeks of another"
    end.abort()
    await after(0.01)


@in_virtual_time
async def test_a_batch_that_is_given_up_before_it_begins_holds_up_no_other() -> None:
    participant = FakeParticipant({key: Value(b"1") for key in KEYS})
    node = NodeCalls(Service(participant), Health())
    client = Client()
    end = LineEnd(client)
    end.join(LineEnd(ServerProtocol(node, Bounds(), set())))
    end.write(HELLO + batch(1) + batch(3) + batch(5) + batch(7) + rst_stream(3) + rst_stream(5))
    await after(0.01)
    assert client.ended == {1, 7}
    assert len(participant.asked) == 2 * len(KEYS)
    end.write(batch(9))
    await after(0.01)
    assert client.ended == {1, 7, 9}
    end.abort()
    await after(0.01)
    assert node.tasks == {}


async def test_one_a_turn_is_let_through_in_their_order() -> None:
    pace = Pace()
    through: list[tuple[int, int]] = []
    turn = 0

    async def come(number: int) -> None:
        await pace.turn()
        through.append((turn, number))

    tasks = [asyncio.create_task(come(number)) for number in range(4)]
    while len(through) < len(tasks):
        await asyncio.sleep(0)
        turn += 1
    assert [number for _, number in through] == [0, 1, 2, 3]
    assert len({turn for turn, _ in through}) == len(tasks)


async def test_who_stops_waiting_is_passed_by() -> None:
    pace = Pace()
    await pace.turn()
    waiting = [asyncio.create_task(pace.turn()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    waiting[1].cancel()
    await asyncio.wait(waiting)
    assert not waiting[2].cancelled()
    for _ in range(3):
        await asyncio.sleep(0)
    await pace.turn()
