"""Entries that change their owner, without sockets."""

from typing import Any

import pytest
from in_process import Deliver
from trio_in_process import Make, get, key_of, remove

from cache_core.messages import HandOver, Health, Message


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
