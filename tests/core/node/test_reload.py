"""Settings and sources that change while a group serves, without losing what is held."""

import asyncio

import pytest
from fakes import FakeClock, FakeSource, settled
from fakes import group_of as with_settings

from cache_core import (
    Answer,
    Client,
    Demand,
    Group,
    GroupSettings,
    Node,
    NotFound,
    Overloaded,
    SourceUnavailable,
    UnknownGroup,
)
from cache_core.loading.tier import Tier, TierUnavailable
from cache_core.node.groups import Reloaded


@pytest.fixture
def source() -> FakeSource:
    return FakeSource({"Tom": b"630", "Jack": b"589"})


async def test_what_is_held_stays_and_the_new_source_is_asked_from_then_on(
    source: FakeSource, clock: FakeClock
) -> None:
    group = with_settings(source, clock)
    await group.get("Tom")
    new = FakeSource({"Tom": b"631", "Jack": b"590"})
    await group.follow(with_settings(new, clock))
    assert (await group.get("Tom")).data == b"630"
    assert (await group.get("Jack")).data == b"590"
    assert source.closed
    assert not new.closed


async def test_a_load_that_runs_ends_at_the_old_source_which_is_closed_after(
    source: FakeSource, clock: FakeClock
) -> None:
    group = with_settings(source, clock)
    source.gate.clear()
    loading = asyncio.create_task(group.get("Tom"))
    await source.asked.wait()
    retiring = asyncio.ensure_future(group.follow(with_settings(FakeSource(), clock)))
    await settled()
    assert not source.closed
    source.gate.set()
    assert (await loading).data == b"630"
    await retiring
    assert source.closed


async def test_a_smaller_budget_evicts_at_once_and_a_larger_one_keeps(
    source: FakeSource, clock: FakeClock
) -> None:
    source.values = {str(number): b"x" * 1000 for number in range(100)}
    group = with_settings(source, clock, capacity=400_000)
    for key in source.values:
        await group.get(key)
    await group.follow(with_settings(source, clock, capacity=50_000))
    stats = group.stats().cache
    assert 0 < stats.entries < 50
    assert stats.bytes <= stats.capacity <= 50_000
    await group.follow(with_settings(source, clock, capacity=400_000))
    assert group.stats().cache.entries == stats.entries


@pytest.mark.parametrize("policy", ["lru", "lfu"])
async def test_another_policy_keeps_what_is_held(
    source: FakeSource, clock: FakeClock, policy: str
) -> None:
    group = with_settings(source, clock, capacity=20_000)
    await group.get("Tom")
    await group.follow(with_settings(source, clock, capacity=20_000, policy=policy))
    assert (await group.get("Tom")).answer is Answer.HIT
    source.values |= {str(number): b"x" * 500 for number in range(100)}
    for number in range(100):
        await group.get(str(number))
    assert group.stats().cache.bytes <= 20_000


@pytest.mark.parametrize("before", [None, 3600])
async def test_a_shorter_ttl_holds_for_what_is_held(
    source: FakeSource, clock: FakeClock, before: float | None
) -> None:
    group = with_settings(source, clock, ttl=before)
    await group.get("Tom")
    clock.tick(20)
    await group.follow(with_settings(source, clock, ttl=60, stale_if_error=10))
    assert (await group.get("Tom")).ttl == 40
    clock.tick(39)
    assert (await group.get("Tom")).answer is Answer.HIT
    clock.tick(2)
    source.error = ConnectionError()
    assert (await group.get("Tom")).answer is Answer.STALE_ERROR
    clock.tick(10)
    with pytest.raises(SourceUnavailable):
        await group.get("Tom")
    assert group.sweep() == 1
    assert group.stats().cache.entries == 0


async def test_a_longer_ttl_holds_for_what_is_loaded_from_then_on(
    source: FakeSource, clock: FakeClock
) -> None:
    group = with_settings(source, clock, ttl=60)
    await group.get("Tom")
    await group.follow(with_settings(source, clock, ttl=3600))
    await group.get("Jack")
    assert (await group.get("Tom")).ttl == 60
    assert (await group.get("Jack")).ttl == 3600


async def test_what_is_missing_is_remembered_by_the_new_settings(
    source: FakeSource, clock: FakeClock
) -> None:
    group = with_settings(source, clock)
    with pytest.raises(NotFound):
        await group.get("no")
    await group.follow(with_settings(source, clock, negative_ttl=60))
    for _ in range(2):
        with pytest.raises(NotFound):
            await group.get("no")
    assert source.lookups == ["no", "no"]


async def test_limits_demands_and_terms_are_the_new_ones(
    source: FakeSource, clock: FakeClock
) -> None:
    group = with_settings(source, clock)
    await group.get("Tom")
    changed = {"load_concurrency": 1, "load_queue": 0, "client_reload": True}
    await group.follow(with_settings(source, clock, content_type="text/plain", **changed))
    assert (await group.get("Tom")).terms.content_type == "text/plain"
    assert (await group.get("Tom", Demand.NEW)).answer is Answer.RELOAD
    source.gate.clear()
    loading = asyncio.create_task(group.get("Jack"))
    await settled()
    with pytest.raises(Overloaded):
        await group.get("Sam")
    source.gate.set()
    await loading


async def test_removals_that_a_tier_owes_are_passed_on(
    source: FakeSource, clock: FakeClock
) -> None:
    class Gone:
        def __getattr__(self, name: str) -> object:
            async def fail(*_: object) -> None:
                if name != "aclose":
                    raise TierUnavailable("gone")

            return fail

    gone: Tier = Gone()  # type: ignore[assignment]
    group = Group("g", source, tier=gone, clock=clock)
    await group.remove_beyond("Tom")
    await group.follow(Group("g", source, tier=gone, clock=clock))
    stats = group.stats().tier
    assert stats is not None
    assert stats.owed == 1
    await group.aclose()


def group(name: str, source: FakeSource, **settings: object) -> Group:
    return Group(name, source, GroupSettings.model_validate(settings))


async def test_a_node_adds_changes_and_removes_groups_while_it_serves(source: FakeSource) -> None:
    old = [group("stays", source), group("changes", source), group("goes", source)]
    async with Node("127.0.0.1:0", old) as node, Client(node.address) as client:
        for name in ("stays", "changes", "goes"):
            await client.get(name, "Tom")
        new = FakeSource({"Jack": b"590"})
        given = [
            group("stays", new),
            group("changes", new, ttl=60, hot_share=0.5),
            group("comes", new),
        ]
        reloaded = await node.reload(given)
        assert reloaded == Reloaded(added=("comes",), changed=("changes",), removed=("goes",))
        for name in ("stays", "changes"):
            assert (await client.get(name, "Tom")).data == b"630"
        for name in ("stays", "changes", "comes"):
            assert (await client.get(name, "Jack")).data == b"590"
        with pytest.raises(UnknownGroup):
            await client.get("goes", "Tom")
        settings = {name: info.settings for name, info in node.info().groups.items()}
        assert list(settings) == ["stays", "changes", "comes"]
        assert settings["changes"].ttl == 60
        assert await client.remove("comes", "Jack") == ()
    assert source.closed
    assert new.closed


async def test_a_reload_with_two_groups_of_one_name_changes_nothing(source: FakeSource) -> None:
    async with Node("127.0.0.1:0", [group("g", source)]) as node:
        with pytest.raises(ValueError, match="two groups are named g"):
            await node.reload([group("g", source), group("g", source)])
        assert (await node.get("g", "Tom")).data == b"630"


async def test_a_node_that_stops_does_not_wait_for_old_loads(source: FakeSource) -> None:
    node = Node("127.0.0.1:0", [group("g", source, load_timeout=3600)], grace=0)
    await node.start()
    source.gate.clear()
    loading = asyncio.create_task(node.get("g", "Tom"))
    await source.asked.wait()
    await node.reload([group("g", FakeSource())])
    async with asyncio.timeout(5):
        await node.stop()
    assert source.closed
    with pytest.raises(SourceUnavailable):
        await loading
