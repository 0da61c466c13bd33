"""Entries that change their owner, without sockets."""

import asyncio
from typing import Any

import pytest
from in_process import Deliver
from trio_in_process import Make, get, key_of, remove

from cache_core import GroupSettings
from cache_core.messages import HandOver, Health, Message, TakeOver


async def test_a_node_that_leaves_hands_its_entries_to_those_who_take_over(make: Make) -> None:
    cluster = await make()
    keys = [key_of("b:1", cluster.nodes, number) for number in range(20)]
    for key in keys:
        await get(cluster.nodes["b:1"], key)
    cluster.source.lookups.clear()
    b = cluster.nodes["b:1"]
    b.is_ready = False
    assert await b.leave()
    for node in cluster.nodes.values():
        for key in keys:
            assert (await get(node, key)).data == key.encode()
    assert cluster.source.lookups == []


async def test_a_node_that_joins_takes_what_is_its_own(make: Make) -> None:
    cluster = await make()
    b = cluster.nodes.pop("b:1")
    await b.aclose()
    keys = list(map(str, range(200)))
    for name in ("a:1", "c:1"):
        await cluster.settle("b:1", Health.LEFT_OUT, seen_by=name)
        for key in keys:
            await get(cluster.nodes[name], key)
    cluster.source.lookups.clear()
    await cluster.start("b:1")
    for name in ("a:1", "c:1"):
        await cluster.settle("b:1", Health.UP, seen_by=name)
    for node in cluster.nodes.values():
        for key in keys:
            await get(node, key)
    assert cluster.source.lookups == []
    assert cluster.nodes["b:1"].info().groups["g"].stats.cache.entries > 0


async def test_a_node_that_leaves_hands_over_to_one_that_has_left_and_is_just_back(
    make: Make,
) -> None:
    cluster = await make()
    cluster.nodes["a:1"].is_ready = False
    await cluster.nodes["a:1"].leave()
    cluster.nodes["a:1"].is_ready = True
    a, b = cluster.nodes["a:1"], cluster.nodes["b:1"]
    keys = list(map(str, range(200)))
    for key in keys:
        await get(cluster.nodes["c:1"], key)
    cluster.wires.cut.add("a:1")
    await cluster.settle("a:1", Health.LEFT_OUT, seen_by="b:1")
    held = a.info().groups["g"].stats.cache.entries
    b.is_ready = False
    cluster.wires.cut.clear()
    await b.leave()
    assert a.info().groups["g"].stats.cache.entries > held


async def test_where_a_ttl_is_shortened_node_by_node_none_takes_over_the_longer(
    make: Make,
) -> None:
    cluster = await make(ttl=3600, jitter=0)
    b = cluster.nodes.pop("b:1")
    await b.aclose()
    for name in ("a:1", "c:1"):
        await cluster.settle("b:1", Health.LEFT_OUT, seen_by=name)
    for key in map(str, range(100)):
        await get(cluster.nodes["a:1"], key)
    cluster.settings = GroupSettings(ttl=60, jitter=0)
    b = await cluster.start("b:1")
    values = [b.peek("g", key) for key in map(str, range(100))]
    left = [value.ttl for value in values if value is not None]
    assert left
    assert all(ttl is not None and 50 < ttl <= 60 for ttl in left)


@pytest.mark.parametrize("whole", [False, True])
async def test_what_is_removed_or_flushed_while_it_is_handed_over_is_not_kept(
    make: Make, whole: bool
) -> None:
    cluster = await make()
    a, b = cluster.nodes["a:1"], cluster.nodes["b:1"]
    key = key_of("b:1", cluster.nodes)
    await get(b, key)
    cluster.source.values[key] = b"new"

    async def carry(_node: str, message: Message[Any], deliver: Deliver) -> object:
        answer = await deliver()
        if isinstance(message, HandOver):
            await remove(a, None if whole else key)
        return answer

    cluster.wires.carry = carry
    b.is_ready = False
    await b.leave()
    assert {(await get(node, key)).data for node in cluster.nodes.values()} == {b"new"}


async def test_entries_of_a_group_that_only_the_giver_has_are_passed_over(make: Make) -> None:
    cluster = await make()
    a, b = cluster.nodes["a:1"], cluster.nodes["b:1"]
    await get(b, key_of("a:1", cluster.nodes), forwarded=True)
    await a.drop("g")
    await a.take_own()
    assert a.info().groups == {}


async def test_a_node_whose_offer_is_broken_off_is_about_to_leave_all_the_same(
    make: Make,
) -> None:
    cluster = await make()
    a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
    begun = asyncio.Event()

    async def carry(_node: str, message: Message[Any], deliver: Deliver) -> object:
        if isinstance(message, HandOver):
            begun.set()
            await asyncio.Event().wait()
        return await deliver()

    cluster.wires.carry = carry
    taking = asyncio.create_task(a.receive(TakeOver("b:1")))
    await begun.wait()
    taking.cancel()
    await asyncio.wait({taking})
    cluster.wires.asked.clear()
    await get(a, key)
    assert "b:1" not in [node for node, *_ in cluster.wires.asked]


async def test_a_node_without_groups_gives_nothing(make: Make) -> None:
    a = (await make()).nodes["a:1"]
    await a.drop("g")
    assert await a.receive(HandOver("b:1")) == ()
