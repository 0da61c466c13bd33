"""The groups of one node: what is freed, observed and closed as they come, change and go."""

import asyncio
import gc
import itertools
import weakref

import pytest
from fakes import FakeSource
from trio_in_process import trio
from virtual_time import after, in_virtual_time

from cache_core import Group, GroupSettings, Node, SourceUnavailable, Value
from cache_core.events import Event, LoadStarted
from cache_core.memory.cache import SWEEP_STEP
from cache_core.node.groups import CLOSE_SECONDS, SWEEP_SECONDS, NodeGroups
from cache_core.node.participant import Participant

MANY = 5 * SWEEP_STEP


class Closing(FakeSource):
    """Hangs when it is closed, or fails where it has an `error`."""

    async def aclose(self) -> None:
        await super().aclose()
        if self.error is not None:
            raise self.error
        await asyncio.Event().wait()


class Slow(FakeSource):
    """Takes a second to close."""

    async def aclose(self) -> None:
        await asyncio.sleep(1)
        await super().aclose()


def entries(node: Participant) -> int:
    return sum(info.stats.cache.entries for info in node.info().groups.values())


@in_virtual_time
async def test_expired_entries_of_every_group_are_freed_step_by_step() -> None:
    async with trio() as cluster:
        node = cluster.nodes["a:1"]
        node.add(Group("h", FakeSource(), clock=asyncio.get_running_loop().time))
        groups = NodeGroups([shared.group for shared in node.groups.values()], None)
        for group, count in zip(groups, (MANY, 10), strict=True):
            for number in range(count):
                group.put(str(number), Value(b"", ttl=10))
        sweeping = asyncio.create_task(groups.sweep(node))
        counts = []
        for _ in range(12):
            await asyncio.sleep(SWEEP_SECONDS)
            for _ in range(20):  # a sweep's turns
                counts.append(entries(node))
                await asyncio.sleep(0)
        steps = [before - now for before, now in itertools.pairwise(counts)]
        assert (counts[0], counts[-1]) == (MANY + 10, 0)
        assert max(steps) <= SWEEP_STEP
        sweeping.cancel()
        await after(0)


@in_virtual_time
async def test_a_source_that_hangs_when_it_is_closed_is_ended_in_time() -> None:
    hanging, closed = Closing(), FakeSource()
    groups = NodeGroups([Group("hangs", hanging), Group("closes", closed)], None)
    began = asyncio.get_running_loop().time()
    await groups.close_sources()
    assert asyncio.get_running_loop().time() - began == CLOSE_SECONDS
    assert hanging.closed
    assert closed.closed
    await after(0)


@in_virtual_time
async def test_errors_of_sources_are_told_though_another_hangs() -> None:
    failing, lost = Closing(), OSError("lost")
    failing.error = lost
    groups = NodeGroups([Group("hangs", Closing()), Group("fails", failing)], None)
    with pytest.raises(ExceptionGroup) as raised:
        await groups.close_sources()
    assert raised.value.exceptions == (lost,)
    await after(0)


@in_virtual_time
async def test_a_source_still_in_use_after_a_reload_is_closed_with_the_others() -> None:
    source = Slow({"1": b""})
    group = Group("g", source)
    groups = NodeGroups([group], None)
    source.gate.clear()
    loading = asyncio.create_task(group.get("1"))
    await source.asked.wait()
    groups.reload([Group("g", FakeSource())], None)
    await after(1)
    closed = [source.closed]
    await groups.close_sources()
    assert [*closed, source.closed] == [False, True]
    with pytest.raises(SourceUnavailable):
        await loading


@in_virtual_time
async def test_a_group_that_a_reload_drops_closes_its_source_soon() -> None:
    dropped, kept = FakeSource(), FakeSource()
    groups = NodeGroups([Group("drops", dropped), Group("stays", kept)], None)
    groups.reload([Group("stays", kept)], None)
    await after(0)
    assert dropped.closed
    assert [group.name for group in groups] == ["stays"]
    await groups.close_sources()


@in_virtual_time
async def test_a_group_that_was_dropped_and_closed_is_held_by_nobody() -> None:
    group = Group("drops", FakeSource())
    groups = NodeGroups([group], None)
    known = weakref.ref(group)
    del group
    groups.reload([], None)
    await after(0)
    gc.collect()
    assert known() is None


async def test_a_group_that_a_reload_adds_tells_the_nodes_hook() -> None:
    events: list[Event] = []
    source = FakeSource({"Tom": b"630"})
    async with Node("127.0.0.1:0", hook=events.append) as node:
        settings = GroupSettings(ttl=60)
        await node.reload([Group("added", source, settings)])
        await node.get("added", "Tom")
        assert LoadStarted("added", "Tom") in events
