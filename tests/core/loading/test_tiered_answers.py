"""What a second tier is given, and what it is believed."""

import asyncio

import pytest
from fake_tier import FakeTier, group_at
from fakes import BatchSource, FakeClock, FakeSource

from cache_core import Answer, Demand, NotFound, RetrieverFailed, Terms, Value
from cache_core.loading.tier import Written
from cache_core.stats import TierStats

WRONG = (
    Value(b"", terms=Terms(content_type="no type")),
    Value(b"", age=-1.0),
    Value(b"", ttl="1h"),  # type: ignore[arg-type]
    Value(b"", version="\ud800"),
)


@pytest.mark.parametrize("raises", [False, True])
async def test_what_the_source_lacks_by_now_is_in_the_tier_no_more(
    tier: FakeTier, clock: FakeClock, *, raises: bool
) -> None:
    source = FakeSource({"Tom": b"630"})
    group = group_at(source, tier, clock, client_reload=True)
    await group.get("Tom")
    del source.values["Tom"]
    source.error = NotFound.of("Tom") if raises else None
    for demand in (Demand.NEW, Demand.ANY):
        with pytest.raises(NotFound):
            await group.get("Tom", demand)
    with pytest.raises(NotFound):
        await group_at(source, tier, clock).get("Tom")


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_no_value_is_not_written_and_harms_no_other_key(
    tier: FakeTier, clock: FakeClock, wrong: Value
) -> None:
    source = BatchSource({"Tom": b"630", "wrong": wrong})
    group = group_at(source, tier, clock)
    found = await asyncio.gather(*map(group.get, ("Tom", "wrong")), return_exceptions=True)
    assert [type(each) for each in found] == [Value, RetrieverFailed]
    assert source.batches == [["Tom", "wrong"]]
    source.values["wrong"] = b"right"
    assert (await group.get("wrong")).data == b"right"
    assert (await tier.look(["Tom"]))["Tom"].value is not None


async def test_what_is_no_value_in_the_tier_is_not_there(tier: FakeTier, clock: FakeClock) -> None:
    (looked,) = (await tier.look(["Tom"])).values()
    await tier.put({"Tom": Written(WRONG[0], looked.state)})
    group = group_at(FakeSource({"Tom": b"630"}), tier, clock)
    assert (await group.get("Tom")).data == b"630"
    assert (await tier.look(["Tom"]))["Tom"].value is not None


async def test_a_hit_in_the_tier_does_not_mean_that_the_source_is_well(
    tier: FakeTier, clock: FakeClock
) -> None:
    source = FakeSource({"Tom": b"630", "Jack": b"589", "Sam": b"567"})
    group = group_at(source, tier, clock, stale_if_error=600)
    for key in ("Tom", "Jack"):
        await group.get(key)
    clock.tick(61)
    await group_at(source, tier, clock).get("Sam")
    source.error = ConnectionError()
    assert (await group.get("Tom")).answer is Answer.STALE_ERROR
    await group.get("Sam")
    source.gate.clear()  # whoever asks it now waits
    async with asyncio.timeout(5):
        assert (await group.get("Jack")).answer is Answer.STALE_ERROR
    await group.aclose()


async def test_a_tiers_figures_go_on_after_a_reload(tier: FakeTier, clock: FakeClock) -> None:
    source = FakeSource({"Tom": b"630", "Jack": b"589"})
    group = group_at(source, tier, clock)
    await group.get("Tom")
    await group.follow(group_at(source, tier, clock))
    await group.get("Jack")
    assert group.stats().tier == TierStats(hits=0, misses=2, errors=0, owed=0)


async def test_a_batch_that_is_loaded_anew_comes_from_the_source_and_not_from_the_tier(
    tier: FakeTier, clock: FakeClock
) -> None:
    source = BatchSource({"Tom": b"630", "Jack": b"589"})
    group = group_at(source, tier, clock, client_reload=True)
    await asyncio.gather(group.get("Tom"), group.get("Jack"))
    source.values = {"Tom": b"631", "Jack": b"590"}
    found = await asyncio.gather(*(group.get(key, Demand.NEW) for key in ("Tom", "Jack")))
    assert [value.data for value in found] == [b"631", b"590"]
    assert source.batches == [["Tom", "Jack"]] * 2
    assert (await group_at(source, tier, clock).get("Tom")).data == b"631"
