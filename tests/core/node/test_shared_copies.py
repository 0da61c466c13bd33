"""Which answers of other nodes are kept as copies, and what is said of them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from trio_in_process import get, key_of, trio
from virtual_time import after, in_virtual_time

from cache_core import Group, GroupSettings
from cache_core.errors import NotFound
from cache_core.events import Hit
from cache_core.messages import GroupInfo, Health
from cache_core.node.groups import NodeGroups
from cache_core.node.hot import POPULAR
from cache_core.node.participant import Participant
from cache_core.value import Demand


def figures(node: Participant) -> GroupInfo:
    return node.info().groups["g"]


async def make_popular(node: Participant, key: str) -> None:
    """Ask so often that the next answer is kept."""
    for _ in range(POPULAR - 1):
        await get(node, key)


def forget(node: Participant, key: str | None) -> None:
    """Have the node alone remove the key, or all keys."""
    if key is None:
        node.groups["g"].flush()
    else:
        node.groups["g"].remove(key)


@asynccontextmanager
async def sweeping(node: Participant) -> AsyncIterator[None]:
    """Free what is over at the node, as a Node does."""
    groups = NodeGroups([shared.group for shared in node.groups.values()], None)
    task = asyncio.create_task(groups.sweep(node))
    try:
        yield
    finally:
        task.cancel()
        await after(0)


@in_virtual_time
async def test_a_copy_answers_no_other_node() -> None:
    async with trio() as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        for _ in range(POPULAR):
            await get(a, key)
        assert a.peek("g", key) is not None
        assert a.peek("g", key, forwarded=True) is None


@in_virtual_time
async def test_gets_of_copies_are_told_as_hits_and_marked_as_copied() -> None:
    async with trio() as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        for _ in range(POPULAR):
            assert (await get(a, key)).copied
        cluster.wires.events.clear()
        value = await get(a, key)
        assert value.copied
        assert cluster.wires.events == [Hit("g", key)]
        assert figures(a).sharing.hot_hits == 1


@in_virtual_time
async def test_what_other_nodes_ask_for_is_counted_where_it_is_asked() -> None:
    async with trio() as cluster:
        a, b, c = cluster.nodes.values()
        key = key_of("b:1", cluster.nodes)
        await get(a, key)
        await get(c, key)
        await get(b, key)
        assert [figures(node).sharing.forwarded for node in (a, b, c)] == [0, 2, 0]
        assert [figures(node).sharing.fetches for node in (a, b, c)] == [1, 0, 1]


@pytest.mark.parametrize("demand", [Demand.ANY, Demand.NEW])
@pytest.mark.parametrize("whole", [False, True])
@in_virtual_time
async def test_an_answer_on_its_way_when_its_key_is_removed_is_not_kept(
    whole: bool, demand: Demand
) -> None:
    async with trio(client_reload=True) as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        for _ in range(POPULAR):
            await get(a, key)
        forget(a, key)
        late = asyncio.Event()
        cluster.wires.late.append(late)
        early = asyncio.create_task(get(a, key, demand=demand))
        await after(0)
        forget(a, None if whole else key)
        late.set()
        assert (await early).data == key.encode()
        assert a.peek("g", key) is None


@pytest.mark.parametrize("whole", [False, True])
@in_virtual_time
async def test_a_copy_goes_with_its_key(whole: bool) -> None:
    async with trio() as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        for _ in range(POPULAR):
            await get(a, key)
        forget(a, None if whole else key)
        assert a.peek("g", key) is None
        assert figures(a).sharing.hot.entries == 0


@in_virtual_time
async def test_an_older_answer_of_a_key_that_is_known_to_be_gone_is_not_kept() -> None:
    async with trio(client_reload=True) as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        await make_popular(a, key)
        late = asyncio.Event()
        cluster.wires.late.append(late)
        older = asyncio.create_task(get(a, key))
        await after(0)
        cluster.source.values.clear()
        with pytest.raises(NotFound):
            await get(a, key, demand=Demand.NEW)
        late.set()
        await older
        assert a.peek("g", key) is None


@in_virtual_time
async def test_what_is_loaded_in_place_of_a_dead_owner_is_held_once() -> None:
    async with trio() as cluster:
        a = cluster.nodes["a:1"]
        key = next(
            key
            for key in map(str, range(999))
            if list(a.peers.ring.owners(key))[:2] == ["b:1", "a:1"]
        )
        await make_popular(a, key)
        cluster.wires.cut.add("b:1")
        value = await get(a, key)
        assert not value.copied
        assert (figures(a).stats.cache.entries, figures(a).sharing.hot.entries) == (1, 0)


@in_virtual_time
async def test_a_reload_changes_for_how_long_and_in_how_many_bytes_copies_are_kept() -> None:
    async with trio(hot_ttl=30) as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        groups = NodeGroups([group.group for group in a.groups.values()], None)
        before = figures(a)
        new = GroupSettings(hot_ttl=5, hot_share=0.5)
        groups.reload([Group("g", cluster.source, new)], a)
        await make_popular(a, key)
        await get(a, key)
        assert a.peek("g", key) is not None
        changed = figures(a)
        assert changed.sharing.hot.capacity == new.capacity / 2
        assert changed.sharing.hot.capacity > before.sharing.hot.capacity
        assert changed.stats.cache.capacity == new.capacity / 2
        await after(5)
        assert a.peek("g", key) is None
        groups.reload([Group("g", cluster.source, GroupSettings(hot_ttl=0))], a)
        await get(a, key)
        await get(a, key)
        assert figures(a).sharing.hot.entries == 0
        await groups.close_sources()


@in_virtual_time
async def test_a_value_larger_than_a_reload_allows_is_not_copied() -> None:
    async with trio() as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        cluster.source.values[key] = bytes(101)
        await a.groups["g"].follow(Group("g", cluster.source, GroupSettings(max_value=100)))
        for _ in range(5):
            await get(a, key)
        assert figures(a).sharing.hot.entries == 0


@in_virtual_time
async def test_copies_that_ended_are_freed_though_nobody_asks() -> None:
    async with trio(hot_ttl=10) as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        await make_popular(a, key)
        await get(a, key)
        async with sweeping(a):
            await after(9)
            assert figures(a).sharing.hot.entries == 1
            await after(3)
            assert figures(a).sharing.hot.entries == 0


@in_virtual_time
async def test_the_memory_of_copies_that_were_flushed_is_freed() -> None:
    async with trio() as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        data = cluster.source.values[key] = bytes(1_000)
        await make_popular(a, key)
        await after(1)  # so that nothing else holds it for a moment
        before = sys.getrefcount(data)
        await get(a, key)
        await after(1)
        a.groups["g"].flush()
        assert sys.getrefcount(data) == before + 1
        async with sweeping(a):
            await after(3)
        assert sys.getrefcount(data) == before


@in_virtual_time
async def test_an_owner_that_answers_again_is_asked_for_what_was_loaded_in_its_place() -> None:
    async with trio() as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        cluster.wires.cut.add("b:1")
        await get(a, key)
        cluster.wires.cut.clear()
        await cluster.settle("b:1", Health.UP, seen_by="a:1")
        cluster.wires.asked.clear()
        a.groups["g"].flush()
        await get(a, key)
        assert [node for node, *_ in cluster.wires.asked] == ["b:1"]


@in_virtual_time
async def test_a_copy_of_a_key_that_has_become_the_nodes_own_answers_nobody() -> None:
    async with trio() as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        for _ in range(POPULAR):
            await get(a, key)
        cluster.source.values[key] = b"of the new owner"
        await cluster.roster.set("a:1")
        await cluster.wires.until(lambda: a.peers.owner(key) == "a:1")
        value = await get(a, key)
        assert (value.data, value.copied) == (b"of the new owner", False)


@in_virtual_time
async def test_what_other_nodes_ask_for_anew_is_counted_too() -> None:
    async with trio(client_reload=True) as cluster:
        a, b, _ = cluster.nodes.values()
        await get(a, key_of("b:1", cluster.nodes), demand=Demand.NEW)
        assert [figures(node).sharing.forwarded for node in (a, b)] == [0, 1]


@in_virtual_time
async def test_a_key_that_becomes_the_nodes_own_before_it_is_asked_for_is_no_failed_call() -> None:
    async with trio() as cluster:
        a, key = cluster.nodes["a:1"], key_of("b:1", cluster.nodes)
        getting = asyncio.create_task(get(a, key))
        await asyncio.sleep(0)
        for node in ("b:1", "c:1"):
            a.peers.drains(node)
        assert (await getting).node is None
        sharing = figures(a).sharing
        assert (sharing.fetches, sharing.fetch_errors) == (1, 0)
