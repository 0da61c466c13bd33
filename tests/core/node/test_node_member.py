"""A node as a member: in which order it starts and ends, and what it tells of itself."""

import asyncio

import pytest
from clusters import cluster_of
from fake_participant import FakeParticipant, serving
from fake_registry import FakeRegistry
from fakes import FakeSource, settled

from cache_core import Client, Group, KeyRequired, Node
from cache_core.address import Address
from cache_core.cluster.member import Member
from cache_core.membership.membership import MembershipError
from cache_core.messages import HandOver, NodeInfo, Probe, Probed, TakeOver
from cache_core.rpc.channel import Channel


async def test_a_node_is_neither_ready_nor_a_member_before_it_has_looked_for_its_entries() -> None:
    registry = FakeRegistry()
    registry.known.clear()
    node = Node("127.0.0.1:0", peers=registry, drain=0)
    starting = asyncio.create_task(node.start())
    await registry.watched.wait()
    channel = Channel(Address.parse(node.address))
    try:
        for _ in range(3):
            assert (await channel.send(Probe(None, 0), timeout=10)).draining
        assert registry.members == set()
        registry.known.set()
        await starting
        assert not (await channel.send(Probe(None, 0), timeout=10)).draining
        assert registry.members == {Member(node.address)}
    finally:
        registry.known.set()
        await starting
        await channel.aclose()
        await node.stop()
    assert registry.members == set()


async def test_a_node_is_known_by_what_it_advertises_and_with_its_weight() -> None:
    registry = FakeRegistry()
    async with Node(
        "127.0.0.1:0", peers=registry, advertise="node.example:8080", weight=3, drain=0
    ) as node:
        assert registry.members == {Member("node.example:8080", 3)}
        assert node.info().node == "node.example:8080"
        assert node.address.startswith("127.0.0.1:")


async def test_a_node_that_may_not_join_serves_nothing_and_holds_nothing(
    source: FakeSource,
) -> None:
    registry = FakeRegistry()
    registry.error = MembershipError("refused")
    node = Node("127.0.0.1:0", [Group("scores", source)], peers=registry)
    with pytest.raises(MembershipError):
        await node.start()
    assert source.closed
    async with Node(node.address):
        pass
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_node_that_was_stopped_leaves_no_task_behind(source: FakeSource) -> None:
    async with Node("127.0.0.1:0", [Group("scores", source)], peers=FakeRegistry(), drain=0):
        pass
    await settled()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_another_is_probed_asked_and_told_in_this_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cache_core.cluster.health.PROBE_SECONDS", 3600)  # not by itself
    other = FakeParticipant()
    other.answers |= {Probe: Probed(draining=False, ring=0), HandOver: (), TakeOver: 0}
    async with serving(other) as address:
        registry = FakeRegistry(Member(str(address)))
        async with Node("127.0.0.1:0", peers=registry, drain=0), asyncio.timeout(10):
            told = [await other.received.get() for _ in range(3)]
    while not other.received.empty():
        told.append(other.received.get_nowait())
    assert [type(message) for message in told] == [Probe, HandOver, Probe, TakeOver]


async def test_a_drain_is_cut_short_by_a_stop_without_one() -> None:
    async with cluster_of(2, FakeSource()) as nodes:
        leaving = nodes[0]
        leaving._drain = 3600  # noqa: SLF001 - what the cluster's maker does not take
        stopping = asyncio.create_task(leaving.stop())
        await settled()
        async with asyncio.timeout(10):
            await leaving.stop(drain=False)
            await stopping


@pytest.mark.parametrize("registry", [None, FakeRegistry()])
async def test_a_node_without_others_does_not_drain(registry: FakeRegistry | None) -> None:
    async with asyncio.timeout(10), Node("127.0.0.1:0", peers=registry, drain=3600):
        pass


async def test_a_node_that_leaves_says_so_and_serves_on() -> None:
    async with cluster_of(2, FakeSource({"1": b""})) as nodes:
        leaving = nodes[0]
        leaving._drain = 3600  # noqa: SLF001 - as above
        stopping = asyncio.create_task(leaving.stop())
        async with Client(leaving.address, timeout=10) as client:
            assert (await client.get("scores", "1")).data == b""
            described = (await client.describe())[leaving.address]
            assert isinstance(described, NodeInfo)
            assert described.draining
        await leaving.stop(drain=False)
        await stopping


async def test_a_get_that_another_node_answers_is_finished_within_the_grace() -> None:
    source = FakeSource({str(number): b"value" for number in range(100)})
    async with cluster_of(2, source) as nodes:
        asked, owner = nodes
        key = await _key_of(owner, asked, source)
        source.asked.clear()
        source.gate.clear()
        async with Client(asked.address, timeout=30) as client:
            getting = asyncio.create_task(client.get("scores", key))
            await source.asked.wait()
            stopping = asyncio.create_task(asked.stop(drain=False))
            await settled()
            source.gate.set()
            assert (await getting).data == b"value"
            await stopping


async def test_a_node_that_was_started_again_has_not_ended(source: FakeSource) -> None:
    node = Node("127.0.0.1:0", [Group("scores", source)])
    await node.start()
    await node.stop()
    await node.ended()
    await node.start()
    ended = asyncio.create_task(node.ended())
    await settled()
    assert not ended.done()
    assert (await node.get("scores", "Tom")).data == b"630"
    await node.stop()
    await ended


async def test_an_empty_key_can_not_be_removed(node: Node) -> None:
    with pytest.raises(KeyRequired):
        await node.remove("scores", "")


async def _key_of(owner: Node, asked: Node, source: FakeSource) -> str:
    """Return a key that `asked` does not hold and has to ask `owner` for."""
    for key in source.values:
        await asked.get("scores", key)
        if owner.group("scores").peek(key) is not None:
            await asked.remove("scores", key)
            return key
    raise AssertionError("it owns none")
