"""How long a removal takes, whoever is silent, and that the others are told in that time."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from fake_tier import FakeTier
from fakes import FakeClock
from in_process import Deliver
from trio_in_process import get, remove, trio
from virtual_time import after, in_virtual_time, now

from cache_core import Group
from cache_core.loading.tier import TierUnavailable
from cache_core.messages import Health, Message, RemoveHere
from cache_core.node.removal import DEFAULT_SECONDS, ROUND_SHARE, TIER_SHARE


class SlowTier(FakeTier):
    """A FakeTier that takes `seconds` to remove anything, and can't where it is `deaf`."""

    def __init__(self, seconds: float = 0) -> None:
        super().__init__(FakeClock())
        self.seconds = seconds
        self.deaf = False

    async def remove(self, key: str | None) -> None:
        await asyncio.sleep(self.seconds)
        if self.deaf:
            raise TierUnavailable("the tier can't be told")
        await super().remove(key)


@in_virtual_time
async def test_a_node_that_is_left_out_is_not_waited_for() -> None:
    async with trio() as cluster:
        a = cluster.nodes["a:1"]
        cluster.wires.frozen.add("b:1")
        await cluster.settle("b:1", Health.LEFT_OUT, seen_by="a:1")
        began = now()
        assert await remove(a, "1") == ("b:1",)
        assert now() == began


@pytest.mark.parametrize("timeout", [None, DEFAULT_SECONDS, 60, 0.5])
@in_virtual_time
async def test_a_node_that_froze_is_waited_for_once_and_for_a_rounds_time(
    timeout: float | None,
) -> None:
    async with trio() as cluster:
        cluster.wires.frozen.add("b:1")
        began = now()
        assert await remove(cluster.nodes["a:1"], "1", timeout) == ("b:1",)
        seconds = min(timeout or DEFAULT_SECONDS, DEFAULT_SECONDS)
        assert now() - began == pytest.approx(ROUND_SHARE * seconds)


@in_virtual_time
async def test_with_a_tier_that_hangs_and_nodes_that_froze_a_removal_ends_in_time() -> None:
    async def carry(node: str, message: Message[Any], deliver: Deliver) -> object:
        if isinstance(message, RemoveHere) and (node == "c:1") is message.last_round:
            await asyncio.Event().wait()
        return await deliver()

    async with trio() as cluster:
        a = cluster.nodes["a:1"]
        await a.groups["g"].follow(Group("g", cluster.source, tier=SlowTier(60)))
        cluster.wires.carry = carry
        began = now()
        assert await remove(a, "1") == ("b:1", "c:1", "the tier of g")
        assert now() - began <= DEFAULT_SECONDS


@in_virtual_time
async def test_a_tier_that_hangs_leaves_time_for_the_nodes() -> None:
    async with trio() as cluster:
        a = cluster.nodes["a:1"]
        await a.groups["g"].follow(Group("g", cluster.source, tier=SlowTier(60)))
        began = now()
        assert await remove(a, "1") == ("the tier of g",)
        assert now() - began == pytest.approx(TIER_SHARE * DEFAULT_SECONDS)


@in_virtual_time
async def test_nodes_remove_nothing_before_the_tier_has() -> None:
    """Else they would load the old value from there again."""
    async with trio() as cluster:
        tier = SlowTier(0.4)
        for node in cluster.nodes.values():
            await node.groups["g"].follow(Group("g", cluster.source, tier=tier))
            await get(node, "1")
        cluster.source.values["1"] = b"new"
        removing = asyncio.create_task(remove(cluster.nodes["a:1"], "1"))
        await after(0.3)
        for node in cluster.nodes.values():
            assert (await get(node, "1")).data == b"1"
        assert await removing == ()
        assert tier.removed == ["1"]
        for node in cluster.nodes.values():
            assert (await get(node, "1")).data == b"new"


@in_virtual_time
async def test_what_was_read_in_a_tier_that_was_told_late_goes_at_every_node_once_it_is() -> None:
    async with trio() as cluster:
        tier = SlowTier()
        a = cluster.nodes["a:1"]
        for node in cluster.nodes.values():
            await node.groups["g"].follow(Group("g", cluster.source, tier=tier))
        key = next(key for key in map(str, range(99)) if a.peers.owner(key) == "b:1")
        await get(a, key)
        cluster.source.values[key] = b"new"
        tier.deaf = True
        assert await remove(a, key) == ("the tier of g",)
        for _ in range(5):
            assert (await get(a, key)).data == key.encode()
        assert a.info().groups["g"].sharing.hot.entries == 1
        tier.deaf = False
        await tier.taken.wait()
        await after(0)
        assert {(await get(node, key)).data for node in cluster.nodes.values()} == {b"new"}


@pytest.mark.parametrize("timeout", [None, 0.2])
@in_virtual_time
async def test_a_silent_watcher_of_the_leader_holds_up_no_removal_past_its_deadline(
    timeout: float | None,
) -> None:
    async with trio() as cluster:
        a = cluster.nodes["a:1"]
        async with aclosing(a.watchers.watch("w")) as notices:
            await anext(notices)
            began = now()
            assert await remove(a, "1", timeout) == ("watcher w",)
            assert now() - began <= (timeout or DEFAULT_SECONDS)
