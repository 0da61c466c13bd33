"""What becomes of the calls that pygrpc-native brings, each burst and each answer."""

import asyncio
from itertools import pairwise
from typing import cast

import grpc
import pytest
from fake_participant import FakeParticipant, hit
from pygrpc_native import EVENT_CALL, EVENT_CANCEL, STREAM_FULL, STREAM_SENT, NativeGrpcFront
from virtual_time import in_virtual_time

from cache_core import Value
from cache_core.pb.cluster_pb2 import BatchGetRequest
from cache_core.pb.gaocache_pb2 import GetRequest
from cache_core.rpc.channel import CLUSTER, GET
from cache_core.rpc.native.calls import METHODS, NativeCalls
from cache_core.rpc.native.events import NativeEvent
from cache_core.rpc.service import Service

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE.value[0]
INVALID_ARGUMENT = grpc.StatusCode.INVALID_ARGUMENT.value[0]


class FakeFront:
    """Remembers the answers; its streams take nothing while they are full."""

    def __init__(self) -> None:
        self.answered: list[int] = []
        self.failed: dict[int, int] = {}
        self.ended: list[int] = []
        self.tries: list[float] = []
        self.is_full = False

    def respond(self, call: int, *_: object) -> None:
        self.answered.append(call)

    def fail(self, call: int, code: int, *_: object) -> None:
        self.failed[call] = code

    def stream_end(self, call: int) -> None:
        self.ended.append(call)

    def stream_try_send(self, *_: object) -> int:
        self.tries.append(asyncio.get_running_loop().time())
        assert len(self.tries) < 1_000, "it spins"
        return STREAM_FULL if self.is_full else STREAM_SENT


def called(call: int, path: str, data: bytes) -> NativeEvent:
    method = next(index for index, (each, _) in enumerate(METHODS) if each == path)
    return EVENT_CALL, call, method, data, None, ((), "127.0.0.1:5", None)


def got(call: int, key: str) -> NativeEvent:
    return called(call, GET, GetRequest(group="g", key=key).SerializeToString())


def hung_up(call: int) -> NativeEvent:
    return EVENT_CANCEL, call, 0, None, None, None


def calls_of(front: FakeFront, participant: FakeParticipant) -> NativeCalls:
    return NativeCalls(Service(participant), cast("NativeGrpcFront", front))


def test_a_refused_call_harms_no_other_of_its_burst() -> None:
    front = FakeFront()
    calls = calls_of(front, FakeParticipant({"a": hit()}))
    calls.take([called(1, GET, b"\xff\xff"), got(2, "a"), called(3, GET, b"\xff"), got(4, "a")])
    assert front.answered == [2, 4]
    assert front.failed == {1: INVALID_ARGUMENT, 3: INVALID_ARGUMENT}


@in_virtual_time
async def test_calls_that_are_held_back_are_counted_while_their_clients_are_there() -> None:
    front = FakeFront()
    calls = calls_of(front, FakeParticipant({"a": hit()}))
    await calls.finish(0)
    calls.take([got(1, "a"), got(2, "a"), got(3, "a")])
    assert calls.held_back == 3
    calls.take([hung_up(2)])
    assert calls.held_back == 2
    assert (front.answered, front.failed) == ([], {})


@in_virtual_time
async def test_a_stop_waits_for_the_calls_that_come_until_its_grace_is_over() -> None:
    front = FakeFront()
    participant = FakeParticipant({}, {"first": hit(), "second": hit(), "late": hit()})
    participant.gates = {key: asyncio.Event() for key in participant.source}
    calls = calls_of(front, participant)
    began = asyncio.get_running_loop().time()
    calls.take([got(1, "first")])
    finishing = asyncio.create_task(calls.finish(5))
    await asyncio.sleep(1)
    calls.take([got(2, "second"), got(3, "late")])
    participant.gates["first"].set()
    await asyncio.sleep(1)
    assert not finishing.done()
    participant.gates["second"].set()
    await finishing
    await asyncio.sleep(0.1)
    assert asyncio.get_running_loop().time() - began == pytest.approx(5.1)
    assert front.answered == [1, 2]
    assert front.failed == {3: UNAVAILABLE}


@in_virtual_time
async def test_a_watcher_that_does_not_read_holds_up_no_stop() -> None:
    front = FakeFront()
    front.is_full = True
    calls = calls_of(front, FakeParticipant())
    calls.take([called(1, CLUSTER + "Watch", b"")])
    await asyncio.sleep(0.1)
    began = asyncio.get_running_loop().time()
    await calls.finish(30)
    assert asyncio.get_running_loop().time() == began
    calls.cancel()
    await asyncio.sleep(0.1)


@in_virtual_time
async def test_a_full_stream_is_tried_again_with_growing_pauses_until_all_is_sent() -> None:
    front = FakeFront()
    front.is_full = True
    calls = calls_of(front, FakeParticipant({"a": Value(b"1")}))
    request = BatchGetRequest(groups=["g"], keys=["a"])
    calls.take([called(1, CLUSTER + "BatchGet", request.SerializeToString())])
    await asyncio.sleep(1)
    assert len(front.tries) < 40
    assert max(later - sooner for sooner, later in pairwise(front.tries)) < 0.1
    assert front.ended == []
    front.is_full = False
    await asyncio.sleep(0.1)
    assert front.ended == [1]
