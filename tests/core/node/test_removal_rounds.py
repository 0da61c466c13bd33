"""Whom a removal reaches: members, and nodes that only others know or that are met meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from in_process import Deliver, Roster, Wires
from trio_in_process import Cluster, get, remove, trio
from virtual_time import after, in_virtual_time

from cache_core import Group
from cache_core.cluster.member import Member
from cache_core.errors import PeerUnavailable
from cache_core.messages import Message, RemoveHere
from cache_core.node.participant import Participant

LATE, LATER = "late:1", "later:1"


async def hermit(cluster: Cluster, name: str = LATE, *others: str) -> Participant:
    """Start a node that is on nobody's list and reaches only `others`; it holds the key 1."""
    wires = Wires()
    node = wires.add(name, [Group("g", cluster.source)])
    wires.nodes |= {other: cluster.nodes[other] for other in others}
    cluster.nodes[name] = node
    node.open(Roster(name).watch())
    await node.take_own()
    await get(node, "1")
    return node


def rounds_at(cluster: Cluster, name: str) -> list[bool]:
    """Return of which rounds the node was told: of each, whether it was the last."""
    messages = [message for node, message in cluster.wires.sent if node == name]
    return [message.last_round for message in messages if isinstance(message, RemoveHere)]


@in_virtual_time
async def test_a_removal_reaches_a_node_that_is_on_anothers_list_alone_in_both_rounds() -> None:
    async with trio() as cluster:
        a, b = cluster.nodes["a:1"], cluster.nodes["b:1"]
        late = await hermit(cluster)
        cluster.source.values["1"] = b"new"
        b.peers.meet([LATE])
        assert LATE not in a.peers.others()
        assert await remove(a, "1") == ()
        assert rounds_at(cluster, LATE) == [False, True]
        assert (await get(late, "1")).data == b"new"


@in_virtual_time
async def test_a_removal_reaches_a_node_that_is_known_to_one_like_that_alone() -> None:
    async with trio() as cluster:
        a, b = cluster.nodes["a:1"], cluster.nodes["b:1"]
        later = await hermit(cluster, LATER)
        late = await hermit(cluster, LATE, LATER)
        cluster.source.values["1"] = b"new"
        late.peers.meet([LATER])
        b.peers.meet([LATE])
        assert {LATE, LATER}.isdisjoint(a.peers.others())
        assert await remove(a, "1") == ()
        for node in (late, later):
            assert (await get(node, "1")).data == b"new"


@in_virtual_time
async def test_a_node_that_is_met_in_the_last_round_is_named_and_told_soon() -> None:
    """It may have made copies before others removed their own entries."""

    async def carry(node: str, message: Message[Any], deliver: Deliver) -> object:
        if node == "c:1" and isinstance(message, RemoveHere) and message.last_round:
            cluster.nodes["c:1"].peers.meet([LATE])
        return await deliver()

    async with trio() as cluster:
        late = await hermit(cluster)
        cluster.source.values["1"] = b"new"
        cluster.wires.carry = carry
        assert await remove(cluster.nodes["a:1"], "1") == (LATE,)
        await after(2)
        assert (await get(late, "1")).data == b"new"


@pytest.mark.parametrize("member", [True, False])
@in_virtual_time
async def test_a_node_that_missed_a_removal_is_told_though_the_leader_is_gone(
    member: bool,
) -> None:
    async with trio() as cluster:
        a, c = cluster.nodes["a:1"], cluster.nodes["c:1"]
        missing = "b:1" if member else LATE
        if member:
            await get(cluster.nodes["b:1"], "1", forwarded=True)
        else:
            await hermit(cluster)
            a.peers.meet([LATE])
            assert LATE not in c.peers.others()
        cluster.source.values["1"] = b"new"
        cluster.wires.cut.add(missing)
        assert await remove(a, "1") == (missing,)
        await cluster.nodes.pop("a:1").aclose()
        assert cluster.nodes[missing].peek("g", "1") is not None
        cluster.wires.cut.clear()
        await after(10)
        assert cluster.nodes[missing].peek("g", "1", forwarded=True) is None
        await a.groups["g"].group.aclose()


@in_virtual_time
async def test_a_node_that_was_out_of_reach_for_a_moment_is_told_at_once() -> None:
    async def carry(node: str, message: Message[Any], deliver: Deliver) -> object:
        if node == "b:1" and isinstance(message, RemoveHere):
            raise PeerUnavailable("the connection was reset")
        return await deliver()

    async with trio() as cluster:
        b = cluster.nodes["b:1"]
        await get(b, "1", forwarded=True)
        cluster.wires.carry = carry
        assert await remove(cluster.nodes["a:1"], "1") == ("b:1",)
        await after(0)
        assert b.peek("g", "1") is None


@in_virtual_time
async def test_a_node_that_does_not_know_its_cluster_yet_removes_nothing() -> None:
    async def unknown() -> AsyncIterator[frozenset[Member]]:
        await asyncio.Event().wait()
        yield frozenset()

    async with trio() as cluster:
        node = cluster.wires.add("new:1", [Group("g", cluster.source)])
        node.open(unknown())
        with pytest.raises(PeerUnavailable, match="does not know its cluster yet"):
            await remove(node, "1")
