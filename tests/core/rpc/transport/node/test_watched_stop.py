"""A node that is watched stops as soon as its calls have ended: a watch has no end of its own."""

import asyncio

import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from cache_core import Group, Node
from cache_core.address import Address
from cache_core.rpc.grpc.client_call import Ended
from cache_core.rpc.grpc.requests import request_block
from cache_core.rpc.transport.answers import Answers
from cache_core.rpc.transport.way import Way

SERVING = HealthCheckResponse(status="SERVING")
NOT_SERVING = HealthCheckResponse(status="NOT_SERVING")


async def test_a_watch_of_its_health_hears_of_the_stop_and_does_not_hold_it_up() -> None:
    node = Node("127.0.0.1:0", [Group("g", str.encode)], grace=50, drain=0, grpc_engine="native")
    await node.start()
    way = Way(Address.parse(node.address))
    head = request_block("/grpc.health.v1.Health/Watch", node.address, ())
    answers = Answers(way, head, HealthCheckRequest().SerializeToString())
    heard = [await anext(answers)]
    async with asyncio.timeout(20):
        await node.stop()
    heard.append(await anext(answers))
    with pytest.raises(Ended, match="the node is stopping"):
        await anext(answers)
    assert [HealthCheckResponse.FromString(each) for each in heard] == [SERVING, NOT_SERVING]
    await way.aclose()
