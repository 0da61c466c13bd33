"""Removal from every node, without sockets."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing

import pytest
from fakes import settled
from trio_in_process import NODES, Make, get, key_of

from cache_core import Group
from cache_core.errors import UnknownGroup
from cache_core.loading.tier import Looked, TierUnavailable, Written
from cache_core.messages import Health, Probe, Removal, RemoveEverywhere


@pytest.mark.parametrize("asked", NODES)
async def test_after_a_removal_no_node_answers_what_was_loaded_before(
    make: Make, asked: str
) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    for node in cluster.nodes.values():
        for _ in range(10):
            await get(node, key)
    cluster.source.values[key] = b"new"
    assert await cluster.nodes[asked].receive(RemoveEverywhere(Removal("g", key))) == ()
    assert {(await get(node, key)).data for node in cluster.nodes.values()} == {b"new"}


async def test_a_flush_removes_every_key_at_every_node(make: Make) -> None:
    cluster = await make()
    keys = [key_of(name, cluster.nodes) for name in NODES]
    for node in cluster.nodes.values():
        for key in keys * 5:
            await get(node, key)
    for key in keys:
        cluster.source.values[key] = b"new"
    assert await cluster.nodes["a:1"].receive(RemoveEverywhere(Removal("g"))) == ()
    for node in cluster.nodes.values():
        for key in keys:
            assert (await get(node, key)).data == b"new"


async def test_a_load_under_way_at_the_owner_is_answered_to_nobody_who_comes_later(
    make: Make,
) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    cluster.source.gate.clear()
    early = asyncio.create_task(get(cluster.nodes["a:1"], key))
    await cluster.source.asked.wait()
    cluster.source.asked.clear()
    assert await cluster.nodes["c:1"].receive(RemoveEverywhere(Removal("g", key))) == ()
    late = [asyncio.create_task(get(node, key)) for node in cluster.nodes.values()]
    await cluster.source.asked.wait()
    await settled()
    assert cluster.source.lookups == [key, key]
    cluster.source.gate.set()
    await asyncio.gather(early, *late)


async def test_a_node_that_was_not_reached_is_named_and_told_when_it_answers(make: Make) -> None:
    cluster = await make()
    key = key_of("b:1", cluster.nodes)
    await get(cluster.nodes["b:1"], key)
    cluster.source.values[key] = b"new"
    cluster.wires.cut.add("b:1")
    assert await cluster.nodes["a:1"].receive(RemoveEverywhere(Removal("g", key))) == ("b:1",)
    assert (await get(cluster.nodes["b:1"], key)).data == key.encode()
    cluster.wires.cut.clear()
    await cluster.settle("b:1", Health.UP, seen_by="a:1")
    assert (await get(cluster.nodes["b:1"], key)).data == b"new"


async def test_an_unknown_group_can_not_be_flushed(make: Make) -> None:
    cluster = await make()
    with pytest.raises(UnknownGroup):
        await cluster.nodes["a:1"].receive(RemoveEverywhere(Removal("none")))


async def test_a_tier_that_could_not_be_told_is_named(make: Make) -> None:
    class Deaf:
        async def look(self, keys: Sequence[str]) -> Mapping[str, Looked]:
            return {key: Looked(None, "") for key in keys}

        async def put(self, entries: Mapping[str, Written]) -> None:
            pass

        async def remove(self, key: str | None) -> None:
            raise TierUnavailable(f"the tier can't be told of {key}")

        async def aclose(self) -> None:
            pass

    cluster = await make()
    node = cluster.nodes["a:1"]
    group = node.groups["g"]
    await group.follow(Group("g", cluster.source, tier=Deaf()))
    assert await node.receive(RemoveEverywhere(Removal("g", "Tom"))) == ("the tier of g",)
    assert await node.receive(RemoveEverywhere(Removal("g"))) == ("the tier of g",)
    await group.group.aclose()


async def test_watchers_are_told_of_what_their_node_hears_late(make: Make) -> None:
    cluster = await make()
    node = cluster.nodes["a:1"]
    missed = (Removal("g", "1"), Removal("g", "2"))
    async with aclosing(node.watchers.watch("w")) as notices:
        await anext(notices)
        await node.receive(Probe("b:1", node.peers.version, missed))
        notice = await anext(notices)
        assert notice.items == missed
        node.watchers.acknowledge(notice.watcher, notice.sequence)
        await node.receive(Probe("b:1", node.peers.version))
        await settled()
        assert len(node.watchers) == 1
