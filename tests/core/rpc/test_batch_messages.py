"""The messages that a node answers a batch in, read by gRPC's own client."""

import asyncio

import grpc.aio
import pytest
from fake_participant import FakeParticipant, hit, serving

from cache_core import Value
from cache_core.pb import cluster_pb2 as pb
from cache_core.rpc.channel import CLUSTER
from cache_core.rpc.wire.limits import MAX_MESSAGE_BYTES, MAX_VALUE_BYTES

pytestmark = pytest.mark.usefixtures("engine")


async def test_no_message_of_a_batch_is_above_the_limit() -> None:
    largest = bytes(MAX_VALUE_BYTES)
    held = {str(n): Value(largest) for n in range(3)} | {"small": hit()}
    request = pb.BatchGetRequest(groups=["g"], keys=held)
    async with (
        serving(FakeParticipant(held)) as address,
        grpc.aio.insecure_channel(
            str(address), options=[("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
        ) as channel,
    ):
        call = channel.unary_stream(
            CLUSTER + "BatchGet", pb.BatchGetRequest.SerializeToString, bytes
        )
        sizes = [len(data) async for data in call(request, timeout=30)]
    assert len(sizes) == 3
    assert max(sizes) <= MAX_MESSAGE_BYTES


async def test_the_known_come_at_once_and_what_loads_together_comes_together() -> None:
    gate = asyncio.Event()
    participant = FakeParticipant({"hit": hit()}, {str(n): Value(b"v") for n in range(8)})
    participant.gates = dict.fromkeys(participant.source, gate)
    keys = ["0", "1", "hit", *(str(n) for n in range(2, 8)), ""]
    request = pb.BatchGetRequest(groups=["g"], keys=keys)
    async with (
        serving(participant) as address,
        grpc.aio.insecure_channel(str(address)) as channel,
    ):
        call = channel.unary_stream(
            CLUSTER + "BatchGet",
            pb.BatchGetRequest.SerializeToString,
            pb.BatchGetResponse.FromString,
        )
        places = []
        async for response in call(request, timeout=30):
            places.append([*response.places, *(one.place for one in response.failures)])
            gate.set()
    assert places == [[2, 9], [0, 1, 3, 4, 5, 6, 7, 8]]
