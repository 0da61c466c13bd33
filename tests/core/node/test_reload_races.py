"""Reloads that come one upon the other, upon a stop, or while entries are handed over."""

import asyncio
from contextlib import aclosing

import pytest
from fake_registry import FakeRegistry
from fakes import FakeClock, FakeSource, settled
from fakes import group_of as with_settings
from trio_in_process import Make, get

from cache_core import Group, GroupSettings, Node, Value
from cache_core.messages import HandOver, Removal
from cache_core.node.groups import NodeGroups


def group(name: str, source: FakeSource, **settings: object) -> Group:
    return Group(name, source, GroupSettings.model_validate(settings))


async def test_a_group_that_goes_is_gone_at_once_and_may_come_back_at_once() -> None:
    old, new = FakeSource(), FakeSource({"Tom": b"631"})
    async with Node("127.0.0.1:0", [group("stays", old), group("goes", old)]) as node:
        await node.reload([group("stays", old)])
        assert list(node.info().groups) == ["stays"]
        await node.reload([group("stays", old), group("goes", new)])
        await settled()
        assert (await node.get("goes", "Tom")).data == b"631"
        assert not new.closed


@pytest.mark.parametrize("turns", [0, 2])
async def test_what_is_closed_right_after_a_reload_closes_every_source(turns: int) -> None:
    shortened, gone, new = FakeSource(), FakeSource(), FakeSource()
    held = group("shortened", shortened)
    for number in range(5_000):  # more steps than turns
        held.put(str(number), Value(b""))
    groups = NodeGroups([held, group("gone", gone)], None)
    groups.reload([group("shortened", new, ttl=60)], None)
    for _ in range(turns):
        await asyncio.sleep(0)
    await groups.close_sources()
    assert [source.closed for source in (shortened, gone, new)] == [True] * 3


async def test_a_hand_over_goes_on_while_groups_come_and_go(make: Make) -> None:
    cluster = await make()
    a = cluster.nodes["a:1"]
    for number in range(50):
        await get(a, str(number))
    giving = asyncio.create_task(a.receive(HandOver("b:1")))
    await asyncio.sleep(0)
    a.add(group("comes", cluster.source))
    await settled()
    assert isinstance(await giving, tuple)


@pytest.mark.parametrize("policy", ["s3fifo", "lru", "lfu"])
async def test_a_reload_that_changes_nothing_leaves_the_order_as_it_is(
    clock: FakeClock, policy: str
) -> None:
    source = FakeSource(dict.fromkeys("abcd", b""))
    held = with_settings(source, clock, capacity=1_024, max_value=1, hot_share=0, policy=policy)
    for key in ("a", "b", "c", "a"):
        await held.get(key)
    orders = held._cache._policy  # noqa: SLF001 - what makes a reload of millions a long one
    await held.follow(
        with_settings(source, clock, capacity=1_024, max_value=1, hot_share=0, policy=policy)
    )
    assert held._cache._policy is orders  # noqa: SLF001
    await held.get("d")
    assert held.peek("a") is not None


async def test_watchers_are_told_again_once_a_shorter_ttl_holds_for_all_that_is_held(
    make: Make,
) -> None:
    """What they ask for in between comes with the old one."""
    node = (await make()).nodes["a:1"]
    held = group("large", FakeSource())
    for number in range(5_000):  # more steps than turns
        held.put(str(number), Value(b""))
    groups = NodeGroups([held], None)
    node.add(held)
    async with aclosing(node.watchers.watch("w")) as notices:
        await anext(notices)
        groups.reload([group("large", FakeSource(), ttl=60)], node)
        told = [await anext(notices) for _ in range(2)]
    assert [notice.items for notice in told] == [(Removal("large"),)] * 2
    entry = node.peek("large", "4999")
    assert entry is not None
    assert entry.ttl is not None
    assert entry.ttl <= 60
    await groups.close_sources()


async def test_a_reload_waits_until_a_start_or_a_stop_that_is_under_way_has_ended() -> None:
    source = HeldSource()
    registry = FakeRegistry()
    registry.gate.clear()
    node = Node("127.0.0.1:0", [group("g", source)], peers=registry, drain=0)
    starting = asyncio.create_task(node.start())
    await registry.joining.wait()
    added = asyncio.create_task(node.reload([group("g", source), group("added", source)]))
    await settled()
    assert not added.done()
    registry.gate.set()
    await starting
    assert (await added).added == ("added",)
    stopping = asyncio.create_task(node.stop(drain=False))
    await source.closing.wait()
    changed = asyncio.create_task(node.reload([group("g", FakeSource())]))
    await settled()
    assert not changed.done()
    source.let_go.set()
    await stopping
    assert (await changed).removed == ("added",)
    await settled()


class HeldSource(FakeSource):
    """A FakeSource that takes its time to close."""

    def __init__(self) -> None:
        super().__init__()
        self.closing = asyncio.Event()
        self.let_go = asyncio.Event()

    async def aclose(self) -> None:
        self.closing.set()
        await self.let_go.wait()
        await super().aclose()
