"""How a node comes among the others: what it waits for, what it tells them, and who meets whom."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from in_process import Deliver, Roster, Wires
from trio_in_process import NODES, get, trio
from virtual_time import after, in_virtual_time

from cache_core import Group
from cache_core.cluster.member import Member
from cache_core.messages import Health, Message
from cache_core.node.participant import JOIN_SECONDS

Members = AsyncIterator[frozenset[Member]]


def later(seconds: float) -> Members:
    """A registry that tells the members after so many seconds."""

    async def watch() -> Members:
        await asyncio.sleep(seconds)
        async for members in Roster(*NODES).watch():
            yield members

    return watch()


@in_virtual_time
async def test_a_node_whose_registry_is_away_starts_all_the_same() -> None:
    async with trio() as cluster:
        node = cluster.wires.add("d:1", [Group("g", cluster.source)])
        node.open(later(3600))
        began = asyncio.get_running_loop().time()
        await node.take_own()
        assert asyncio.get_running_loop().time() - began == JOIN_SECONDS


@in_virtual_time
async def test_a_node_waits_for_its_registry_and_takes_its_entries_then() -> None:
    async with trio() as cluster:
        for key in map(str, range(200)):
            await get(cluster.nodes["a:1"], key)
        node = cluster.wires.add("d:1", [Group("g", cluster.source)])
        node.open(later(JOIN_SECONDS - 1))
        await node.take_own()
        assert node.info().groups["g"].stats.cache.entries > 0


@in_virtual_time
async def test_a_node_that_is_ready_is_asked_for_its_keys_at_once() -> None:
    """Even where the others have long looked for it in vain."""
    async with trio() as cluster:
        await cluster.nodes.pop("b:1").aclose()
        await after(120)
        for name in ("a:1", "c:1"):
            assert cluster.nodes[name].peers.health("b:1") is Health.LEFT_OUT
        b = await cluster.start("b:1")
        await after(0)
        for name in ("a:1", "c:1"):
            assert cluster.nodes[name].peers.health("b:1") is Health.UP
        assert b.is_ready


@in_virtual_time
async def test_a_node_that_is_not_ready_is_asked_for_nothing() -> None:
    async with trio() as cluster:
        await cluster.nodes.pop("b:1").aclose()
        await after(5)
        b = cluster.wires.add("b:1", [Group("g", cluster.source)])
        b.open(cluster.roster.watch())
        await b.take_own()
        assert b.info().draining
        for name in ("a:1", "c:1"):
            assert cluster.nodes[name].peers.health("b:1") is Health.DRAINING
        await after(60)
        assert cluster.nodes["a:1"].peers.health("b:1") is Health.DRAINING


@pytest.mark.parametrize("middle", NODES)
@in_virtual_time
async def test_nodes_meet_that_are_on_no_list_of_each_other_but_on_a_thirds(middle: str) -> None:
    wires = Wires()
    for name in NODES:
        node = wires.add(name, [])
        node.is_ready = True
        node.open(Roster(*(NODES if name == middle else {name, middle})).watch())
    await after(3)
    for name, node in wires.nodes.items():
        assert {name, *node.peers.others()} == set(NODES)
    for node in wires.nodes.values():
        await node.aclose()


@in_virtual_time
async def test_nodes_that_are_not_ready_or_leaving_probe_each_other_no_more_often() -> None:
    async def carry(_node: str, _message: Message[Any], deliver: Deliver) -> object:
        await asyncio.sleep(0.001)
        return await deliver()

    async with trio() as cluster:
        cluster.wires.carry = carry
        for node in cluster.nodes.values():
            node.is_ready = False
        await after(2)
        assert cluster.nodes["a:1"].peers.health("b:1") is Health.DRAINING
        cluster.wires.sent.clear()
        await after(8)
        assert len(cluster.wires.sent) <= 6 * (8 / 0.8)


@in_virtual_time
async def test_a_node_that_froze_is_left_out_within_three_seconds_and_a_bit() -> None:
    async with trio() as cluster:
        cluster.wires.frozen.add("b:1")
        await after(3.3)
        assert cluster.nodes["a:1"].peers.health("b:1") is Health.LEFT_OUT


@in_virtual_time
async def test_a_nodes_uptime_is_the_time_since_it_was_made() -> None:
    async with trio() as cluster:
        before = {name: node.info().uptime for name, node in cluster.nodes.items()}
        await after(100)
        for name, node in cluster.nodes.items():
            assert before[name] < 60
            assert node.info().uptime - before[name] == pytest.approx(100)


@pytest.mark.parametrize(
    ("cut", "others"), [(set(), True), ({"a:1"}, True), ({"a:1", "c:1"}, False)]
)
@in_virtual_time
async def test_a_node_that_leaves_knows_whether_any_other_serves_and_waits_for_none(
    cut: set[str], others: bool
) -> None:
    async with trio() as cluster:
        b = cluster.nodes["b:1"]
        cluster.wires.cut |= cut
        await after(10)
        began = asyncio.get_running_loop().time()
        b.is_ready = False
        assert await b.leave() is others
        assert asyncio.get_running_loop().time() - began <= 1


@in_virtual_time
async def test_a_node_that_leaves_goes_on_answering() -> None:
    async with trio() as cluster:
        b = cluster.nodes["b:1"]
        b.is_ready = False
        await b.leave()
        assert (await get(b, "1", forwarded=True)).data == b"1"
