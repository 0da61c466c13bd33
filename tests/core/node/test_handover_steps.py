"""How much is handed over, in which steps, and how long that may take."""

import asyncio
import itertools
from typing import Any

import pytest
from in_process import Deliver
from trio_in_process import get, key_of, trio
from virtual_time import after, in_virtual_time

from cache_core import Group, Value
from cache_core.errors import PeerUnavailable
from cache_core.memory.cache import OVERHEAD
from cache_core.messages import HandOver, Health, Message, TakeOver
from cache_core.node.handover import HANDOVER_SECONDS, STEP
from cache_core.node.participant import LOOK_SECONDS, Participant

MANY = 3 * STEP


def fill(node: Participant, count: int, group: str = "g", size: int = 0) -> None:
    """Have `node` hold so many entries of which it is the owner."""
    keys = (key for key in map(str, range(100 * count)) if node.peers.owner(key) == node.name)
    for _ in range(count):
        assert node.groups[group].group.put(next(keys), Value(bytes(size)))


def held(node: Participant) -> int:
    return node.info().groups["g"].stats.cache.entries


async def leave(node: Participant) -> None:
    node.is_ready = False
    await node.leave()


@in_virtual_time
async def test_all_of_many_entries_are_handed_over() -> None:
    async with trio() as cluster:
        a, b, c = cluster.nodes.values()
        fill(b, MANY)
        await leave(b)
        assert min(held(a), held(c)) > STEP
        assert held(a) + held(c) == MANY


@in_virtual_time
async def test_calls_get_their_turn_while_many_entries_are_taken() -> None:
    async with trio() as cluster:
        a, b, _ = cluster.nodes.values()
        fill(b, MANY)
        leaving = asyncio.create_task(leave(b))
        counts = [0]
        while not leaving.done():
            await asyncio.sleep(0)
            counts.append(held(a))
        steps = [after - before for before, after in itertools.pairwise(counts)]
        assert counts[-1] > STEP
        assert max(steps) <= STEP


@in_virtual_time
async def test_calls_get_their_turn_while_a_node_looks_for_what_to_give() -> None:
    async with trio() as cluster:
        a = cluster.nodes["a:1"]
        fill(a, MANY)
        giving = asyncio.create_task(a.receive(HandOver("b:1")))
        turns = 0
        while not giving.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns > MANY / STEP


@in_virtual_time
async def test_all_groups_together_give_no_more_bytes_than_the_limit() -> None:
    async with trio() as cluster:
        a = cluster.nodes["a:1"]
        a.add(Group("h", cluster.source))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("cache_core.node.handover.HANDED_BYTES", 20_000)
            for group in ("g", "h"):
                fill(a, 100, group, size=500)
            a.peers.leave()
            handed = await a.receive(HandOver("b:1"))
        weights = [len(entry.key) + len(entry.value.data) + OVERHEAD for entry in handed]
        assert 10_000 < sum(weights) <= 20_000
        assert {group for group, *_ in handed} == {"g", "h"}


@in_virtual_time
async def test_a_node_that_the_others_do_not_know_yet_takes_what_it_will_own() -> None:
    async with trio() as cluster:
        keys = list(map(str, range(300)))
        for key in keys:
            await get(cluster.nodes["a:1"], key)
        cluster.source.lookups.clear()
        new = await cluster.start("d:1")
        assert "d:1" not in [member.name for member in cluster.nodes["a:1"].peers.ring.members]
        await cluster.roster.set(*cluster.nodes)
        await after(0)
        owned = [key for key in keys if new.peers.owner(key) == "d:1"]
        for key in owned:
            await get(new, key)
        assert owned
        assert cluster.source.lookups == []


@in_virtual_time
async def test_a_node_starts_though_another_dies_while_it_hands_over() -> None:
    async def carry(node: str, message: Message[Any], deliver: Deliver) -> object:
        if isinstance(message, HandOver) and node == "b:1":
            raise PeerUnavailable("it has just died")
        return await deliver()

    async with trio() as cluster:
        fill(cluster.nodes["a:1"], 10)
        cluster.wires.carry = carry
        new = await cluster.start("d:1")
        assert new.is_ready


@in_virtual_time
async def test_a_node_that_starts_does_not_ask_those_that_it_found_silent() -> None:
    async with trio() as cluster:
        cluster.wires.frozen.add("b:1")
        began = asyncio.get_running_loop().time()
        await cluster.start("d:1")
        assert asyncio.get_running_loop().time() - began < HANDOVER_SECONDS
        asked = [node for node, message in cluster.wires.sent if message == HandOver("d:1")]
        assert asked == ["a:1", "c:1"]


@in_virtual_time
async def test_nodes_that_froze_hold_up_one_that_leaves_for_one_handover_together() -> None:
    async with trio() as cluster:
        b = cluster.nodes["b:1"]
        cluster.wires.frozen.update(("a:1", "c:1"))
        began = asyncio.get_running_loop().time()
        await leave(b)
        elapsed = asyncio.get_running_loop().time() - began
        assert elapsed <= HANDOVER_SECONDS + LOOK_SECONDS


@in_virtual_time
async def test_a_node_that_does_not_take_over_is_asked_for_nothing_any_more() -> None:
    async with trio() as cluster:
        b = cluster.nodes["b:1"]
        key = key_of("a:1", cluster.nodes)
        cluster.wires.cut.add("a:1")
        await leave(b)
        assert b.peers.health("a:1") is Health.LEFT_OUT
        cluster.wires.asked.clear()
        await get(b, key)
        assert [node for node, *_ in cluster.wires.asked] == ["c:1"]


@in_virtual_time
async def test_a_node_that_leaves_is_known_to_leave_at_once() -> None:
    async with trio() as cluster:
        a, b, _ = cluster.nodes.values()
        key = key_of("b:1", cluster.nodes)
        await leave(b)
        assert any(isinstance(message, TakeOver) for _, message in cluster.wires.sent)
        assert a.peers.health("b:1") is Health.DRAINING
        assert a.peers.owner(key) != "b:1"
