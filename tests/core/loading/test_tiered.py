"""A group whose values are in a second tier too, which all nodes share."""

import asyncio

import pytest
from fake_tier import FakeTier, group_at
from fakes import FakeClock, FakeSource, settled

from cache_core import Answer, Demand, NotFound, Terms, Value
from cache_core.stats import TierStats


async def test_what_one_node_has_loaded_another_finds_in_the_tier(
    tier: FakeTier, clock: FakeClock
) -> None:
    labelled = Value(b"png", terms=Terms(content_type="image/png"), version='"1"')
    source = FakeSource({"Tom": b"630", "logo": labelled, "own": Value(b"", ttl=5)})
    one = group_at(source, tier, clock)
    for key in ("Tom", "logo", "own"):
        await one.get(key)
    clock.tick(3)
    other = group_at(source, tier, clock)
    tom, logo, own = [await other.get(key) for key in ("Tom", "logo", "own")]
    assert (tom.data, tom.ttl, tom.age, tom.answer) == (b"630", 57, 3, Answer.MISS)
    assert (logo.data, logo.terms.content_type, own.ttl) == (b"png", "image/png", 2)
    assert source.lookups == ["Tom", "logo", "own"]
    assert other.stats().loads == 0
    assert other.stats().tier == TierStats(hits=3, misses=0, errors=0, owed=0)
    assert one.stats().tier == TierStats(hits=0, misses=3, errors=0, owed=0)


async def test_what_has_no_ttl_stays_in_the_tier(tier: FakeTier, clock: FakeClock) -> None:
    source = FakeSource({"Tom": b"630"})
    await group_at(source, tier, clock, ttl=None).get("Tom")
    clock.tick(1_000_000)
    found = await group_at(source, tier, clock, ttl=None).get("Tom")
    assert (found.data, found.ttl, found.age) == (b"630", None, 1_000_000)
    assert source.lookups == ["Tom"]


async def test_what_the_source_lacks_or_is_already_over_is_not_written(
    tier: FakeTier, clock: FakeClock
) -> None:
    source = FakeSource({"over": Value(b"", ttl=0)})
    group = group_at(source, tier, clock)
    with pytest.raises(NotFound):
        await group.get("no")
    await group.get("over")
    assert [at.value for at in (await tier.look(["no", "over"])).values()] == [None, None]


async def test_a_refresh_asks_the_source_and_writes_the_tier(
    tier: FakeTier, clock: FakeClock
) -> None:
    source = FakeSource({"Tom": b"630"})
    group = group_at(source, tier, clock, refresh_ahead=30, client_reload=True)
    await group.get("Tom")
    source.values["Tom"] = b"631"
    assert (await group.get("Tom", Demand.NEW)).data == b"631"
    source.values["Tom"] = b"632"
    assert (
        await group_at(source, tier, clock, client_reload=True).get("Tom", Demand.NEW)
    ).data == (b"632")
    assert (await group_at(source, tier, clock).get("Tom")).data == b"632"


async def test_a_tier_that_is_gone_is_done_without_and_counted(
    tier: FakeTier, clock: FakeClock
) -> None:
    source = FakeSource({"Tom": b"630"})
    tier.gone = True
    group = group_at(source, tier, clock)
    assert (await group.get("Tom")).data == b"630"
    assert group.stats().tier == TierStats(hits=0, misses=0, errors=1, owed=0)
    tier.gone = False
    other = group_at(source, tier, clock)
    assert (await other.get("Tom")).data == b"630"
    assert source.lookups == ["Tom", "Tom"]


async def test_what_is_removed_is_found_by_no_node(tier: FakeTier, clock: FakeClock) -> None:
    source = FakeSource({"Tom": b"630", "Jack": b"589"})
    group = group_at(source, tier, clock)
    for key in ("Tom", "Jack"):
        await group.get(key)
    source.values["Tom"] = b"631"
    assert await group.remove_beyond("Tom")
    other = group_at(source, tier, clock)
    assert (await other.get("Tom")).data == b"631"
    source.values["Jack"] = b"590"
    assert await group.remove_beyond(None)
    assert (await other.get("Jack")).data == b"590"


async def test_a_load_that_ran_while_its_key_was_removed_is_not_written(
    tier: FakeTier, clock: FakeClock
) -> None:
    source = FakeSource({"Tom": b"630"})
    group = group_at(source, tier, clock)
    source.gate.clear()
    loading = asyncio.create_task(group.get("Tom"))
    await source.asked.wait()
    await group.remove_beyond("Tom")
    group.remove("Tom")
    source.gate.set()
    await loading
    assert (await tier.look(["Tom"]))["Tom"].value is None


async def test_a_removal_that_the_tier_did_not_take_is_taken_later_and_not_read_past(
    tier: FakeTier, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cache_core.loading.tier_removals.RETRY_SECONDS", 0.001)
    source = FakeSource({"Tom": b"630"})
    group = group_at(source, tier, clock)
    await group.get("Tom")
    source.values["Tom"] = b"631"
    tier.gone = True
    assert not await group.remove_beyond("Tom")
    group.remove("Tom")
    assert group.stats().tier == TierStats(hits=0, misses=1, errors=0, owed=1)
    looks = len(tier.looks)
    assert (await group.get("Tom")).data == b"631"
    assert len(tier.looks) == looks
    tier.gone = False
    await tier.taken.wait()
    await settled()
    assert tier.removed == ["Tom"]
    assert group.stats().tier == TierStats(hits=0, misses=1, errors=0, owed=0)
    assert (await group_at(source, tier, clock).get("Tom")).data == b"631"
    await group.aclose()


async def test_many_removals_that_are_owed_become_one_of_all(
    tier: FakeTier, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cache_core.loading.tier_removals.MOST_OWED", 2)
    group = group_at(FakeSource(), tier, clock)
    tier.gone = True
    for key in ("a", "b", "c", "d"):
        await group.remove_beyond(key)
    stats = group.stats().tier
    assert stats is not None
    assert stats.owed == 2
    await group.aclose()


async def test_the_tier_is_closed_with_the_group(tier: FakeTier, clock: FakeClock) -> None:
    source = FakeSource()
    group = group_at(source, tier, clock)
    tier.gone = True
    await group.remove_beyond("Tom")
    await group.aclose()
    assert tier.closed
    assert source.closed
    assert asyncio.all_tasks() == {asyncio.current_task()}
