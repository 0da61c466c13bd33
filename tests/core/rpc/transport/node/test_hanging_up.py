"""Deadlines and clients that leave, as a node meets them."""

import asyncio
from math import inf

import pytest
from fake_participant import FakeParticipant, serving

from cache_core import Value
from cache_core.pb.gaocache_pb2 import GetRequest
from cache_core.rpc.channel import GET
from cache_core.rpc.grpc.client_call import Ended
from cache_core.rpc.grpc.requests import request_block, timed
from cache_core.rpc.grpc.status import StatusCode
from cache_core.rpc.transport.answers import Answer
from cache_core.rpc.transport.way import Way

SLOW = GetRequest(group="g", key="slow").SerializeToString()


def slow_node() -> FakeParticipant:
    participant = FakeParticipant({}, {"slow": Value(b"1")})
    participant.gates["slow"] = asyncio.Event()
    return participant


def asking(way: Way, seconds: float = inf) -> "asyncio.Task[tuple[bytes, Ended]]":
    """Make a Get that only the node ends in time."""
    block = timed(request_block(GET, "n", ()), seconds)
    return asyncio.create_task(Answer(way, block, SLOW).wait())


async def test_the_node_ends_a_call_at_its_deadline_and_the_load_with_it() -> None:
    participant = slow_node()
    async with serving(participant) as address:
        way = Way(address)
        with pytest.raises(Ended) as caught:
            await asking(way, 0.05)
        assert caught.value.code is StatusCode.DEADLINE_EXCEEDED
        assert await participant.cancelled.get() == "slow"
        participant.gates["slow"].set()
        assert await asking(way, 30)
        await way.aclose()


async def test_a_call_that_the_client_gives_up_ends_its_load_and_no_other() -> None:
    participant = slow_node()
    async with serving(participant) as address:
        way = Way(address)
        calls = [asking(way) for _ in range(3)]
        for _ in calls:
            await participant.loading.get()
        calls[1].cancel()
        assert await participant.cancelled.get() == "slow"
        participant.gates["slow"].set()
        await asyncio.gather(calls[0], calls[2])
        assert participant.cancelled.empty()
        await way.aclose()


async def test_a_client_whose_connection_breaks_ends_all_its_loads() -> None:
    participant = slow_node()
    async with serving(participant) as address:
        way = Way(address)
        calls = [asking(way) for _ in range(30)]
        for _ in calls:
            await participant.loading.get()
        await way.aclose()
        for _ in calls:
            await participant.cancelled.get()
        ends = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(end) for end in ends} == {Ended}
