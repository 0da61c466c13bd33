"""Removals that a node missed: by which ways it hears of them, and that it hears of each once."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from in_process import Deliver
from trio_in_process import Cluster, get, remove, trio
from virtual_time import after, in_virtual_time

from cache_core import Group
from cache_core.cluster.peers import FORGET_SECONDS
from cache_core.errors import PeerUnavailable
from cache_core.messages import Health, Message, Probe, Removal, RemoveEverywhere, RemoveHere
from cache_core.node.groups import NodeGroups

PROBED = 1.3
"""Seconds within which each node is probed."""


def held(cluster: Cluster, key: str, name: str = "b:1") -> bool:
    return cluster.nodes[name].peek("g", key, forwarded=True) is not None


async def load(cluster: Cluster, *keys: str) -> None:
    """Have the node b hold these keys."""
    for key in keys:
        await get(cluster.nodes["b:1"], key, forwarded=True)


@in_virtual_time
async def test_a_node_that_nobody_reaches_hears_by_its_own_probes_of_others() -> None:
    async def carry(node: str, _message: Message[Any], deliver: Deliver) -> object:
        if node == "b:1":
            raise PeerUnavailable("a firewall")
        return await deliver()

    async with trio() as cluster:
        await load(cluster, "1")
        cluster.wires.carry = carry
        assert await remove(cluster.nodes["a:1"], "1") == ("b:1",)
        assert held(cluster, "1")
        await after(PROBED)
        assert not held(cluster, "1")


@in_virtual_time
async def test_a_node_that_was_told_is_told_no_more() -> None:
    """Else it would load the key each second."""
    async with trio() as cluster:
        await load(cluster, "1")
        cluster.wires.cut.add("b:1")
        assert await remove(cluster.nodes["a:1"], "1") == ("b:1",)
        cluster.wires.cut.clear()
        for name in ("a:1", "c:1"):
            await cluster.settle("b:1", Health.UP, seen_by=name)
        await after(PROBED)
        assert not held(cluster, "1")
        await load(cluster, "1")
        await after(10 * PROBED)
        assert held(cluster, "1")
        for node in cluster.nodes.values():
            assert (await node.receive(Probe(None, 0))).have_missed == ()


@in_virtual_time
async def test_a_removal_that_a_node_misses_while_it_is_told_of_another_is_told_next() -> None:
    deaf = True

    async def carry(node: str, message: Message[Any], deliver: Deliver) -> object:
        nonlocal deaf
        if node == "b:1" and isinstance(message, RemoveHere) and deaf:
            raise PeerUnavailable("it is busy")
        answer = await deliver()
        if node == "b:1" and isinstance(message, Probe) and message.missed and deaf:
            await remove(cluster.nodes["a:1"], "2")
            deaf = False
        return answer

    async with trio() as cluster:
        await load(cluster, "1", "2")
        cluster.wires.cut.add("c:1")  # else it would tell as well
        cluster.wires.carry = carry
        assert await remove(cluster.nodes["a:1"], "1") == ("b:1", "c:1")
        await after(2 * PROBED)
        assert not deaf
        assert not held(cluster, "1")
        assert not held(cluster, "2")


@pytest.mark.parametrize("group", ["g", "added"])
@in_virtual_time
async def test_a_node_that_was_forgotten_flushes_all_that_it_holds_when_it_is_back(
    group: str,
) -> None:
    async with trio() as cluster:
        nodes = list(cluster.nodes.values())
        for node in nodes:
            node.add(Group("added", cluster.source))
        b = cluster.nodes["b:1"]
        await b.get(group, "1", forwarded=True)
        await cluster.roster.set("a:1", "c:1")
        cluster.wires.cut.update(cluster.nodes)
        await after(FORGET_SECONDS + 10)
        removed = await nodes[0].receive(RemoveEverywhere(Removal(group, "1")))
        assert "b:1" not in removed
        assert b.peek(group, "1", forwarded=True) is not None
        cluster.wires.cut.clear()
        await cluster.roster.set("a:1", "b:1", "c:1")
        await after(10)
        assert nodes[0].peers.health("b:1") is Health.UP
        assert b.peek(group, "1", forwarded=True) is None


@in_virtual_time
async def test_watchers_drop_their_copies_of_a_group_that_a_reload_drops() -> None:
    async with trio() as cluster:
        a = cluster.nodes["a:1"]
        groups = NodeGroups([shared.group for shared in a.groups.values()], None)
        async with aclosing(a.watchers.watch("w")) as notices:
            await anext(notices)
            told = asyncio.create_task(anext(notices))
            groups.reload([], a)
            assert (await told).items == (Removal("g"),)
        await groups.close_sources()
