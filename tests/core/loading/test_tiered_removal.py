"""Removals that a second tier is told of late."""

import asyncio

import pytest
from fake_tier import FakeTier, group_at
from fakes import FakeClock, FakeSource, settled
from trio_in_process import Make, get, key_of

from cache_core import Group
from cache_core.loading.tier import TierUnavailable
from cache_core.messages import Removal, RemoveEverywhere


class GatedTier(FakeTier):
    """A FakeTier whose removals are held back by `gate`, and then fail where it is `gone`."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.deaf = False

    async def remove(self, key: str | None) -> None:
        self.asked.set()
        await self.gate.wait()
        if self.deaf:
            raise TierUnavailable("the tier is gone")
        await super().remove(key)


@pytest.fixture
def tier(clock: FakeClock) -> GatedTier:
    return GatedTier(clock)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cache_core.loading.tier_removals.RETRY_SECONDS", 0.001)


async def test_what_others_read_in_a_tier_that_was_told_late_is_removed_from_them_too(
    make: Make, tier: GatedTier
) -> None:
    cluster = await make()
    a, b = cluster.nodes["a:1"], cluster.nodes["b:1"]
    for node in cluster.nodes.values():
        await node.groups["g"].follow(Group("g", cluster.source, tier=tier))
    key = key_of("b:1", cluster.nodes)
    await get(b, key)
    cluster.source.values[key] = b"new"
    tier.gate.set()
    tier.deaf = True
    assert await a.receive(RemoveEverywhere(Removal("g", key))) == ("the tier of g",)
    assert (await get(b, key)).data == key.encode()  # b can read the tier that a can't tell
    tier.deaf = False
    await tier.taken.wait()
    async with asyncio.timeout(5):
        while b.peek("g", key) is not None:  # noqa: ASYNC110 - it has no event to wait for
            await asyncio.sleep(0)
    for node in cluster.nodes.values():
        assert (await get(node, key)).data == b"new"
        await node.groups["g"].group.aclose()


async def test_a_tier_that_hangs_holds_up_a_removal_no_longer_than_its_deadline(
    make: Make, tier: GatedTier
) -> None:
    cluster = await make()
    a = cluster.nodes["a:1"]
    await a.groups["g"].follow(Group("g", cluster.source, tier=tier))
    async with asyncio.timeout(0.1):
        removed = await a.receive(RemoveEverywhere(Removal("g", "1"), timeout=0.1))
    assert removed == ("the tier of g",)
    stats = a.groups["g"].group.stats().tier
    assert stats is not None
    assert stats.owed == 1
    await a.groups["g"].group.aclose()


async def test_a_removal_under_way_during_a_reload_is_owed_by_the_new_tier(
    tier: GatedTier, clock: FakeClock
) -> None:
    source = FakeSource({"Tom": b"630"})
    group = group_at(source, tier, clock)
    await group.get("Tom")
    source.values["Tom"] = b"631"
    removing = asyncio.create_task(group.remove_beyond("Tom"))
    await tier.asked.wait()
    await group.follow(group_at(source, tier, clock))
    tier.deaf = True
    tier.gate.set()
    assert not await removing
    group.remove("Tom")
    assert (await group.get("Tom")).data == b"631"
    await group.aclose()
    await settled()
    assert asyncio.all_tasks() == {asyncio.current_task()}
