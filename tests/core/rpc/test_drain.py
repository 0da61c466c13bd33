"""What callers meet while a node stops, asked by clients that know nothing of ours."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import grpc
import grpc.aio
import pytest
from fake_participant import ask, channel_to
from fakes import SCORES, FakeSource
from grpc_health.v1 import health_pb2, health_pb2_grpc
from task_peer import got

from cache_core import Group, Node, PeerUnavailable
from cache_core.address import Address

pytestmark = pytest.mark.usefixtures("engine")

GET = "/gaocachepb.Gaocache/Get"
TOM = b"\x0a\x06scores\x12\x03Tom"
OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)


@pytest.fixture
async def node(source: FakeSource) -> AsyncIterator[Node]:
    serving = Node("127.0.0.1:0", [Group("scores", source)], grace=30)
    await serving.start()
    yield serving
    source.gate.set()
    await serving.stop()


async def outcome(channel: grpc.aio.Channel) -> str:
    try:
        await channel.unary_unary(GET, bytes, bytes)(TOM, timeout=30)
    except grpc.aio.AioRpcError as error:
        return f"{error.code().name}: {error.details()}"
    return "OK"


async def test_callers_who_never_pause_see_no_cancelled(node: Node) -> None:
    outcomes: Counter[str] = Counter()
    loaded = asyncio.Event()
    stopped = asyncio.Event()

    async def call_without_pause(channel: grpc.aio.Channel) -> None:
        while not stopped.is_set():
            said = await outcome(channel)
            outcomes[said.partition(":")[0]] += 1
            if outcomes["OK"] > 200:
                loaded.set()

    async with AsyncExitStack() as opened:
        channels = [
            await opened.enter_async_context(
                grpc.aio.insecure_channel(node.address, options=OWN_CONNECTION)
            )
            for _ in range(32)
        ]
        calling = [asyncio.create_task(call_without_pause(channel)) for channel in channels]
        await loaded.wait()
        await node.stop()
        assert {(await outcome(channel)).partition(":")[0] for channel in channels} == {
            "UNAVAILABLE"
        }
        stopped.set()
        await asyncio.gather(*calling)
    assert outcomes["UNAVAILABLE"] >= 32
    assert set(outcomes) == {"OK", "UNAVAILABLE"}


async def test_a_call_that_outlives_the_grace_gets_unavailable(source: FakeSource) -> None:
    source.gate.clear()
    node = Node("127.0.0.1:0", [Group("scores", source)], grace=0.01)
    await node.start()
    async with grpc.aio.insecure_channel(node.address) as channel:
        running = asyncio.create_task(outcome(channel))
        await source.asked.wait()
        await node.stop()
        assert await running == "UNAVAILABLE: the node is stopping"
    await source.left.wait()


async def test_health_says_not_serving_while_the_node_drains(
    node: Node, source: FakeSource
) -> None:
    source.gate.clear()
    async with grpc.aio.insecure_channel(node.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        running = asyncio.create_task(outcome(channel))
        await source.asked.wait()
        stopping = asyncio.create_task(node.stop())
        assert await outcome(channel) == "UNAVAILABLE: the node is draining"
        for service in (
            *("", "gaocachepb.Gaocache", "gaocachepb.PeanutCache"),
            "gaocache.cluster.v1.Cluster",
        ):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
        source.gate.set()
        assert await running == "OK"
        await stopping


async def test_an_idle_node_stops_at_once(node: Node) -> None:
    began = asyncio.get_running_loop().time()
    await node.stop()
    assert asyncio.get_running_loop().time() - began < 0.2


@pytest.mark.usefixtures("channel")
@pytest.mark.parametrize("keys", [["Tom"], ["Tom", "Jack"]])
async def test_a_batch_that_runs_is_finished_and_one_that_comes_is_refused(
    node: Node, source: FakeSource, keys: list[str]
) -> None:
    source.gate.clear()
    async with channel_to(Address.parse(node.address)) as channel:
        running = [ask(key, group="scores") for key in keys]
        getting = asyncio.create_task(got(channel, running, ring=0, timeout=30))
        await source.asked.wait()
        stopping = asyncio.create_task(node.stop())
        with pytest.raises(PeerUnavailable, match="the node is draining"):
            await got(channel, [ask(key, group="scores") for key in keys], ring=0, timeout=30)
        source.gate.set()
        await getting
        assert [(await one.outcome).data for one in running] == [SCORES[key] for key in keys]
        await stopping


@pytest.mark.usefixtures("channel")
async def test_a_batch_that_outlives_the_grace_gets_what_is_known_and_unavailable(
    source: FakeSource,
) -> None:
    node = Node("127.0.0.1:0", [Group("scores", source)], grace=0.01)
    await node.start()
    async with channel_to(Address.parse(node.address)) as channel:
        await got(channel, [ask("Tom", group="scores")], ring=0, timeout=30)
        source.gate.clear()
        source.asked.clear()
        asks = [ask("Tom", group="scores"), ask("Jack", group="scores")]
        getting = asyncio.create_task(got(channel, asks, ring=0, timeout=30))
        await source.asked.wait()
        await node.stop()
        with pytest.raises(PeerUnavailable, match="the node is stopping"):
            await getting
        assert (await asks[0].outcome).data == b"630"
        assert not asks[1].outcome.done()
        await source.left.wait()
        assert source.cancelled == ["Jack"]
