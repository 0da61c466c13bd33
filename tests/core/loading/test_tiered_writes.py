"""What a load writes to a second tier, and what it removes there."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from fake_tier import FakeTier, group_at
from fakes import BatchSource, FakeClock, FakeSource

from cache_core import Demand, NotFound, Value
from cache_core.loading.tier import TierUnavailable
from cache_core.stats import TierStats


class SlowSource(FakeSource):
    """A FakeSource that takes `seconds` for each look-up, by a clock."""

    def __init__(self, clock: FakeClock, seconds: float, **values: bytes | Value) -> None:
        super().__init__(values)
        self._clock = clock
        self._seconds = seconds

    async def retrieve(self, key: str) -> bytes | Value | None:
        self._clock.tick(self._seconds)
        return await super().retrieve(key)


@pytest.mark.parametrize(
    ("value", "ttl", "age"),
    [(b"630", 55.0, 5.0), (Value(b"630", ttl=20.0, age=7.0), 15.0, 12.0)],
)
async def test_a_value_is_written_as_old_as_it_is_after_its_load(
    tier: FakeTier, clock: FakeClock, value: bytes | Value, ttl: float, age: float
) -> None:
    await group_at(SlowSource(clock, 5.0, Tom=value), tier, clock).get("Tom")
    ((key, written),) = tier.written
    assert (key, written.data, written.ttl, written.age) == ("Tom", b"630", ttl, age)


@pytest.mark.parametrize("ttl", [4.0, 5.0])
async def test_a_value_that_is_over_after_its_load_is_not_written(
    tier: FakeTier, clock: FakeClock, ttl: float
) -> None:
    source = SlowSource(clock, 5.0, Tom=Value(b"630", ttl=ttl), Jack=b"589")
    group = group_at(source, tier, clock)
    for key in ("Tom", "Jack"):
        await group.get(key)
    assert [key for key, _ in tier.written] == ["Jack"]


async def test_a_key_that_nobody_has_costs_the_tier_no_removal(
    tier: FakeTier, clock: FakeClock
) -> None:
    group = group_at(FakeSource(), tier, clock)
    with pytest.raises(NotFound):
        await group.get("no")
    source = FakeSource()
    source.error = NotFound.of("no")
    with pytest.raises(NotFound):
        await group_at(source, tier, clock).get("no")
    assert tier.removed == []


async def test_a_deleted_key_that_the_tier_can_not_remove_now_is_owed(
    tier: FakeTier, clock: FakeClock
) -> None:
    source = FakeSource({"Tom": b"630"})
    await group_at(source, tier, clock).get("Tom")
    group = group_at(source, tier, clock, client_reload=True)
    await group.get("Tom")
    del source.values["Tom"]
    source.asked.clear()
    source.gate.clear()
    reloading = asyncio.create_task(group.get("Tom", Demand.NEW))
    await source.asked.wait()
    tier.gone = True
    source.gate.set()
    with pytest.raises(NotFound):
        await reloading
    assert group.stats().tier == TierStats(hits=1, misses=0, errors=0, owed=1)
    await group.aclose()


async def test_a_batch_asks_the_source_for_what_the_tier_lacks_alone(
    tier: FakeTier, clock: FakeClock
) -> None:
    values = {"Tom": b"630", "Jack": b"589", "Sam": b"567"}
    await group_at(BatchSource(values), tier, clock).get("Jack")
    source = BatchSource(values)
    group = group_at(source, tier, clock)
    found = await asyncio.gather(*map(group.get, values))
    assert [value.data for value in found] == list(values.values())
    assert source.batches == [["Tom", "Sam"]]
    assert group.stats().tier == TierStats(hits=1, misses=2, errors=0, owed=0)


class Losing(FakeTier):
    """A FakeTier that does something when it is looked at, before it answers."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.looking = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def look(self, keys: Sequence[str]) -> Any:  # noqa: ANN401 - as FakeTier
        found = await super().look(keys)
        self.looking.set()
        await self.gate.wait()
        return found


async def test_a_value_whose_removal_comes_to_be_owed_during_the_look_is_not_believed(
    clock: FakeClock,
) -> None:
    tier, source = Losing(clock), FakeSource({"Tom": b"630"})
    await group_at(source, tier, clock).get("Tom")
    group = group_at(source, tier, clock)
    tier.gate.clear()
    tier.looking.clear()
    getting = asyncio.create_task(group.get("Tom"))
    await tier.looking.wait()
    source.values["Tom"] = b"631"
    tier.gone = True
    assert not await group.remove_beyond("Tom")
    tier.gate.set()
    assert (await getting).data == b"631"
    await group.aclose()


@pytest.mark.parametrize("removed", ["Tom", None])
async def test_a_load_is_not_written_whose_removal_came_to_be_owed_meanwhile(
    tier: FakeTier, clock: FakeClock, removed: str | None
) -> None:
    source = FakeSource({"Tom": b"630"})
    group = group_at(source, tier, clock)
    source.gate.clear()
    getting = asyncio.create_task(group.get("Tom"))
    await source.asked.wait()
    tier.gone = True
    assert not await group.remove_beyond(removed)
    tier.gone = False
    source.gate.set()
    await getting
    assert tier.written == []
    await group.aclose()


async def test_a_put_that_the_tier_does_not_take_is_counted(
    tier: FakeTier, clock: FakeClock
) -> None:
    source = FakeSource({"Tom": b"630"})
    group = group_at(source, tier, clock)
    source.gate.clear()
    getting = asyncio.create_task(group.get("Tom"))
    await source.asked.wait()
    tier.gone = True
    source.gate.set()
    assert (await getting).data == b"630"
    assert group.stats().tier == TierStats(hits=0, misses=1, errors=1, owed=0)


async def test_the_source_is_closed_where_the_tier_fails_to(clock: FakeClock) -> None:
    class Stuck(FakeTier):
        async def aclose(self) -> None:
            raise TierUnavailable("the tier is gone")

    source = FakeSource()
    group = group_at(source, Stuck(clock), clock)
    with pytest.raises(TierUnavailable):
        await group.aclose()
    assert source.closed
