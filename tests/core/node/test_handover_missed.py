"""Nothing is taken from a node that has missed a removal: it would bring the old value back."""

import asyncio
from typing import Any

import pytest
from in_process import Deliver, Roster, at_once
from trio_in_process import Cluster, get, remove, trio
from virtual_time import after, in_virtual_time

from cache_core import Group
from cache_core.cluster.member import Member
from cache_core.cluster.ring import Ring
from cache_core.errors import PeerUnavailable
from cache_core.messages import HandOver, Health, Message, Probe, RemoveHere
from cache_core.node.participant import Participant


class Deafness:
    """`node` hears of no removal, and nothing of `leader`, nor `leader` of it.

    A probe of `slow` takes longer than anything else.
    """

    def __init__(self, node: str, leader: str, slow: str = "") -> None:
        self._node = node
        self._leader = leader
        self._slow = slow

    async def carry(self, node: str, message: Message[Any], deliver: Deliver) -> object:
        if isinstance(message, Probe):
            await asyncio.sleep(0.05 if node == self._slow else 0.001)
            if {node, message.node} == {self._node, self._leader}:
                raise PeerUnavailable("the network is split")
        if isinstance(message, RemoveHere) and node == self._node:
            raise PeerUnavailable("the network is split")
        return await deliver()


def key_owned_by(first: str, then: str, node: Participant) -> str:
    """Return a key of the node `first` that the node `then` takes over."""
    keys = map(str, range(10_000))
    return next(key for key in keys if list(node.peers.ring.owners(key))[:2] == [first, then])


@in_virtual_time
async def test_nothing_is_taken_from_a_node_that_could_not_be_told_itself() -> None:
    async with trio() as cluster:
        a, b, c = cluster.nodes.values()
        key = key_owned_by("b:1", "a:1", a)
        await get(b, key)
        cluster.source.values[key] = b"new"
        cluster.wires.carry = Deafness("b:1", "a:1").carry
        assert await remove(a, key) == ("b:1",)
        b.is_ready = False
        await b.leave()
        assert b.peek("g", key) is not None
        for node in (a, c):
            assert (await get(node, key)).data == b"new"


@in_virtual_time
async def test_nothing_is_taken_from_a_node_that_is_told_after_it_has_read_what_it_gives() -> None:
    async def carry(node: str, message: Message[Any], deliver: Deliver) -> object:
        if not isinstance(message, HandOver):
            return await deafness.carry(node, message, deliver)
        answer = await deliver()
        cluster.wires.carry = at_once
        a.peers.suspect("b:1")
        await after(0.1)
        assert (await a.receive(Probe(None, 0))).have_missed == ()
        return answer

    async with trio() as cluster:
        a, b, _ = cluster.nodes.values()
        key = key_owned_by("b:1", "a:1", a)
        await get(b, key)
        cluster.source.values[key] = b"new"
        deafness = Deafness("b:1", "a:1")
        cluster.wires.carry = carry
        await cluster.nodes.pop("c:1").aclose()  # else it would know as well
        assert set(await remove(a, key)) == {"b:1", "c:1"}
        cluster.wires.cut.add("c:1")
        b.is_ready = False
        await b.leave()
        assert (await get(a, key)).data == b"new"


@in_virtual_time
async def test_nothing_is_taken_from_a_node_of_which_another_that_is_met_meanwhile_says_so() -> (
    None
):
    async def carry(node: str, message: Message[Any], deliver: Deliver) -> object:
        answer = await deafness.carry(node, message, deliver)
        if isinstance(message, HandOver):
            new.peers.meet(["a:1"])
            await after(0.1)
        return answer

    async with trio() as cluster:
        a, b, _ = cluster.nodes.values()
        await _without_c(cluster)
        ring = Ring((*b.peers.ring.members, Member("d:1")))
        key = next(key for key in map(str, range(999)) if ring.owner(key) == "d:1")
        await get(b, key, forwarded=True)
        cluster.source.values[key] = b"new"
        deafness = Deafness("b:1", "a:1")
        cluster.wires.carry = carry
        await cluster.settle("a:1", Health.LEFT_OUT, seen_by="b:1")
        assert set(await remove(a, key)) == {"b:1", "c:1"}
        new = cluster.wires.add("d:1", [Group("g", cluster.source)])
        new.open(Roster("b:1", "d:1").watch())
        await new.take_own()
        assert "a:1" in new.peers.others()
        assert b.peek("g", key, forwarded=True) is not None
        assert (await get(new, key, forwarded=True)).data == b"new"


@pytest.mark.parametrize("slow", ["", "a:1", "b:1"])
@in_virtual_time
async def test_a_node_that_joins_takes_nothing_of_a_node_that_another_could_not_tell(
    slow: str,
) -> None:
    async with trio() as cluster:
        a, b, _ = cluster.nodes.values()
        key = key_owned_by("c:1", "b:1", a)
        await _without_c(cluster)
        await get(b, key)
        cluster.source.values[key] = b"new"
        cluster.wires.carry = Deafness("b:1", "a:1", slow).carry
        assert set(await remove(a, key)) == {"b:1", "c:1"}
        c = await cluster.start("c:1")
        assert b.peek("g", key) is not None
        assert (await get(c, key)).data == b"new"


@in_virtual_time
async def test_what_was_told_in_the_end_may_be_taken() -> None:
    async with trio() as cluster:
        a, b, _ = cluster.nodes.values()
        removed, kept = [key_owned_by("c:1", "b:1", a), key_owned_by("c:1", "a:1", a)]
        await _without_c(cluster)
        for node in (a, b):
            for key in (removed, kept):
                await get(node, key)
        cluster.wires.cut.add("b:1")
        assert set(await remove(a, removed)) == {"b:1", "c:1"}
        cluster.wires.cut.clear()
        await cluster.settle("b:1", Health.UP, seen_by="a:1")
        await get(b, removed)
        cluster.source.lookups.clear()
        c = await cluster.start("c:1")
        for key in (removed, kept):
            await get(c, key)
        assert cluster.source.lookups == []


async def _without_c(cluster: Cluster) -> None:
    """End the node c, and wait until the others know."""
    ended = cluster.nodes.pop("c:1")
    await ended.aclose()
    await ended.groups["g"].group.aclose()
    await after(5)
