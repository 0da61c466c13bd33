"""The client over nodes in this process, without sockets."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fakes import FakeSource, settled
from in_process import Deliver, Roster, Wires, all_up

from cache_core import Client, Group, NotFound, UnknownGroup, Value
from cache_core.cluster.member import Member
from cache_core.errors import DeadlineExceeded, PeerUnavailable, SourceUnavailable
from cache_core.messages import Message, NodeInfo, Probe

NODES = ("a:1", "b:1", "c:1")


class Fixture:
    """Three nodes, each its own owner of what it is asked, and a client."""

    def __init__(self) -> None:
        self.wires = Wires()
        self.roster = Roster(*NODES)
        self.source = FakeSource({str(key): str(key).encode() for key in range(1000)})

    async def start(self, near_cache: int = 0) -> Client:
        for name in NODES:
            node = self.wires.add(name, [Group("g", self.source)])
            node.open(self.roster.watch())
            await node.take_own()
            node.is_ready = True
            node.announce()
        for name in NODES:
            node = self.wires.nodes[name]
            await self.wires.until(lambda node=node: all_up(node.peers))  # type: ignore[misc]
        return Client(self.roster, timeout=5, near_cache=near_cache, connect=self.wires.connect)


@pytest.fixture
async def cluster() -> AsyncIterator[Fixture]:
    made = Fixture()
    yield made
    for node in made.wires.nodes.values():
        await node.aclose()


@pytest.fixture
async def client(cluster: Fixture) -> AsyncIterator[Client]:
    async with await cluster.start() as asking:
        yield asking


async def test_each_key_is_asked_of_its_owner_alone(cluster: Fixture, client: Client) -> None:
    values = [await client.get("g", str(key)) for key in range(60)]
    assert [value.data for value in values] == [str(key).encode() for key in range(60)]
    assert {forwarded for *_, forwarded in cluster.wires.asked} == {False}
    assert len(cluster.wires.asked) == len(cluster.source.lookups) == 60
    assert {value.node for value in values} == set(NODES)


async def test_keys_asked_for_in_one_turn_make_one_call_to_each_owner(
    cluster: Fixture, client: Client
) -> None:
    await client.get("g", "0")
    cluster.wires.calls.clear()
    await asyncio.gather(*(client.get("g", str(key)) for key in range(60)))
    assert len(cluster.wires.calls) == 3
    assert sum(count for _, count in cluster.wires.calls) == 60


async def test_get_many_has_an_outcome_for_each_key(cluster: Fixture, client: Client) -> None:
    outcomes = await client.get_many("g", ["1", "none", "2", "1"])
    assert list(outcomes) == ["1", "none", "2"]
    assert isinstance(outcomes["1"], Value)
    assert outcomes["1"].data == b"1"
    assert isinstance(outcomes["none"], NotFound)
    assert sorted(cluster.source.lookups) == ["1", "2", "none"]


async def test_a_dead_nodes_keys_are_answered_by_the_next_without_an_error(
    cluster: Fixture, client: Client
) -> None:
    cluster.wires.cut.add("b:1")
    values = await client.get_many("g", map(str, range(200)))
    assert all(isinstance(value, Value) for value in values.values())
    assert sorted(cluster.source.lookups) == sorted(map(str, range(200)))
    cluster.wires.calls.clear()
    await client.get_many("g", map(str, range(200, 300)))
    assert {node for node, _ in cluster.wires.calls} == {"a:1", "c:1"}


async def test_a_sources_failure_is_not_asked_of_another_node(
    cluster: Fixture, client: Client
) -> None:
    cluster.source.error = SourceUnavailable("the source is down")
    with pytest.raises(SourceUnavailable, match="the source is down"):
        await client.get("g", "1")
    assert len(cluster.source.lookups) == 1


async def test_with_every_node_dead_the_call_fails_soon(cluster: Fixture, client: Client) -> None:
    cluster.wires.cut.update(NODES)
    with pytest.raises(PeerUnavailable, match="can't be reached"):
        await asyncio.wait_for(client.get("g", "1"), 1)


async def test_no_call_outlives_its_deadline_though_its_node_is_frozen(
    cluster: Fixture, client: Client
) -> None:
    await client.get("g", "1")
    cluster.wires.frozen.update(NODES)
    with pytest.raises(DeadlineExceeded):
        await asyncio.wait_for(client.get("g", "2", timeout=0.05), 1)


async def test_a_registry_that_names_nobody_is_an_error_in_time(cluster: Fixture) -> None:
    async with Client(Roster(), connect=cluster.wires.connect) as client:
        with pytest.raises(PeerUnavailable, match="no members"):
            await client.get("g", "1")


async def test_a_removal_is_everywhere_and_errors_keep_their_kind(
    cluster: Fixture, client: Client
) -> None:
    await client.get("g", "1")
    cluster.source.values["1"] = b"new"
    assert await client.remove("g", "1") == ()
    assert (await client.get("g", "1")).data == b"new"
    cluster.source.values["1"] = b"newer"
    assert await client.flush("g") == ()
    assert (await client.get("g", "1")).data == b"newer"
    with pytest.raises(UnknownGroup):
        await client.flush("none")


async def test_describe_tells_of_each_node_or_why_not(cluster: Fixture, client: Client) -> None:
    cluster.wires.cut.add("b:1")
    infos = await client.describe()
    assert isinstance(infos["a:1"], NodeInfo)
    assert [member.node for member in infos["a:1"].members] == list(NODES)
    assert isinstance(infos["b:1"], PeerUnavailable)


async def test_a_caller_that_gives_up_ends_its_load(cluster: Fixture, client: Client) -> None:
    cluster.source.gate.clear()
    asking = asyncio.create_task(client.get("g", "1", timeout=60))
    await cluster.source.asked.wait()
    asking.cancel()
    async with asyncio.timeout(5):
        await cluster.source.left.wait()
    await settled()
    assert cluster.source.cancelled == ["1"]


async def test_closing_ends_the_wait_for_a_registry_that_says_nothing() -> None:
    class Silent(Roster):
        async def watch(self) -> AsyncIterator[frozenset[Member]]:
            await asyncio.Event().wait()
            yield frozenset()

    client = Client(Silent(), timeout=60)
    waiting = asyncio.create_task(client.get("g", "1"))
    await settled()
    await client.aclose()
    with pytest.raises(PeerUnavailable):
        await asyncio.wait_for(waiting, 1)


async def test_one_member_that_answers_is_enough_to_be_reached(
    cluster: Fixture, client: Client
) -> None:
    cluster.wires.cut.add("a:1")
    cluster.wires.frozen.add("b:1")
    await client.reach(timeout=60)


async def test_nobody_is_reached_where_no_member_answers(cluster: Fixture, client: Client) -> None:
    cluster.wires.cut.update(NODES)
    with pytest.raises(PeerUnavailable, match="no node answers"):
        await client.reach()


async def test_nodes_that_see_another_ring_than_a_client_count_it_when_it_probes_them(
    cluster: Fixture,
) -> None:
    async with await cluster.start():
        node = cluster.wires.nodes["a:1"]
    before = node.info().ring_mismatches
    probed = asyncio.Event()

    async def carry(name: str, message: Message[Any], deliver: Deliver) -> object:
        answer = await deliver()
        if isinstance(message, Probe) and message.node is None and name == node.name:
            probed.set()
        return answer

    cluster.wires.carry = carry
    async with Client(Roster("a:1", "b:1"), connect=cluster.wires.connect) as client:
        await client.describe()
        async with asyncio.timeout(5):
            await probed.wait()
    assert node.info().ring_mismatches > before
