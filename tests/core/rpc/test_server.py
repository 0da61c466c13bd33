import asyncio

import grpc
import grpc.aio
import pytest
from fakes import FakeSource
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cache_core import Answer, Client, Group, Node, PeerUnavailable, ValueTooLarge
from cache_core.events import Event, Hit, LoadStarted, MembersChanged, Miss, Received
from cache_core.pb.cluster_pb2 import TakeOverRequest

pytestmark = pytest.mark.usefixtures("engine")

MIB = 1024 * 1024


class LoadsAlone:
    """A hook that keeps what it is told, and passes over what every get emits."""

    passes_over = (Received, Hit)

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)


@pytest.mark.parametrize(
    "service",
    ["", "gaocachepb.Gaocache", "gaocachepb.PeanutCache", "gaocache.cluster.v1.Cluster"],
)
async def test_health_says_serving(node: Node, service: str) -> None:
    async with grpc.aio.insecure_channel(node.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.usefixtures("channel")
async def test_a_value_of_four_mebibytes_travels_and_a_larger_one_is_a_clear_error(
    client: Client, source: FakeSource
) -> None:
    source.values["largest"] = b"x" * 4 * MIB
    source.values["larger"] = b"x" * (4 * MIB + 1)
    assert (await client.get("scores", "largest")).data == source.values["largest"]
    with pytest.raises(ValueTooLarge, match="the value has 4194305 bytes, the limit is 4194304"):
        await client.get("scores", "larger")


@pytest.mark.usefixtures("channel")
async def test_a_draining_node_finishes_what_runs_and_refuses_what_comes(
    source: FakeSource,
) -> None:
    source.gate.clear()
    node = Node("127.0.0.1:0", [Group("scores", source)], grace=30)
    await node.start()
    async with Client(node.address, timeout=30) as client, Client(node.address) as newcomer:
        running = asyncio.create_task(client.get("scores", "Tom"))
        await source.asked.wait()
        stopping = asyncio.create_task(node.stop())
        with pytest.raises(PeerUnavailable, match="the node is draining"):
            await client.get("scores", "Jack")
        with pytest.raises(PeerUnavailable, match="the node is draining"):
            await newcomer.get("scores", "Jack")
        assert not running.done()
        source.gate.set()
        assert (await running).data == b"630"
        await stopping
    assert source.lookups == ["Tom"]
    assert source.closed


@pytest.mark.usefixtures("channel")
async def test_a_call_that_outlives_the_grace_is_ended(source: FakeSource) -> None:
    source.gate.clear()
    node = Node("127.0.0.1:0", [Group("scores", source)], grace=0.01)
    await node.start()
    async with Client(node.address, timeout=30) as client:
        running = asyncio.create_task(client.get("scores", "Tom"))
        await source.asked.wait()
        await node.stop()
        with pytest.raises(PeerUnavailable):
            await running
    assert source.cancelled == ["Tom"]


async def test_what_happens_is_told_in_the_tutorials_order(source: FakeSource) -> None:
    events: list[Event] = []
    groups = [Group("scores", source)]
    async with (
        Node("127.0.0.1:0", groups, hook=events.append) as node,
        Client(node.address) as client,
    ):
        await client.get("scores", "Tom")
        await client.get("scores", "Tom")
    assert [event for event in events if not isinstance(event, MembersChanged)] == [
        Received("scores", "Tom"),
        Miss("scores", "Tom", Answer.MISS),
        LoadStarted("scores", "Tom"),
        Received("scores", "Tom"),
        Hit("scores", "Tom"),
    ]


async def test_what_a_hook_passes_over_is_not_made_for_it(source: FakeSource) -> None:
    hook = LoadsAlone()
    groups = [Group("scores", source)]
    async with Node("127.0.0.1:0", groups, hook=hook) as node, Client(node.address) as client:
        await client.get("scores", "Tom")
        await client.get("scores", "Tom")
        await client.get_many("scores", ["Tom", "Jack"])
    assert [event for event in hook.events if not isinstance(event, MembersChanged)] == [
        Miss("scores", "Tom", Answer.MISS),
        LoadStarted("scores", "Tom"),
        Miss("scores", "Jack", Answer.MISS),
        LoadStarted("scores", "Jack"),
    ]


@pytest.mark.parametrize("name", ["", "none", "1.2.3.4", "a b:1"])
async def test_a_message_from_what_is_no_node_is_refused(node: Node, name: str) -> None:
    async with grpc.aio.insecure_channel(node.address) as channel:
        call = channel.unary_unary(
            "/gaocache.cluster.v1.Cluster/TakeOver", TakeOverRequest.SerializeToString, bytes
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(TakeOverRequest(node=name), timeout=5)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
