"""A group over time: fresh, stale, refreshed, failing, forgotten."""

import asyncio

import pytest
from fakes import FakeClock, FakeSource, group_of, settled

from cache_core import (
    Answer,
    Group,
    GroupSettings,
    NotFound,
    RetrieverFailed,
    SourceUnavailable,
    Terms,
    Value,
)


async def test_a_value_is_fresh_for_its_ttl_and_says_what_is_left(clock: FakeClock) -> None:
    source = FakeSource({"k": b"1"})
    group = group_of(source, clock, ttl=60)
    assert await group.get("k") == Value(b"1", 60, 0, Answer.MISS, stored=True)
    clock.tick(59)
    assert await group.get("k") == Value(b"1", 1, 59, Answer.HIT)
    assert group.peek("k") == Value(b"1", 1, 59, Answer.HIT)
    clock.tick(1)
    assert group.peek("k") is None
    assert (await group.get("k")).answer is Answer.MISS
    assert source.lookups == ["k", "k"]


async def test_without_a_ttl_a_value_is_fresh_for_ever(clock: FakeClock) -> None:
    source = FakeSource({"k": b"1"})
    group = group_of(source, clock)
    await group.get("k")
    clock.tick(1e9)
    assert await group.get("k") == Value(b"1", None, 1e9, Answer.HIT)


@pytest.mark.parametrize(("group_ttl", "left"), [(None, 5), (60, 5)])
async def test_a_ttl_from_the_source_goes_before_the_groups(
    clock: FakeClock, group_ttl: float | None, left: float
) -> None:
    source = FakeSource({"k": Value(b"1", ttl=5, age=3)})
    group = group_of(source, clock, ttl=group_ttl)
    assert await group.get("k") == Value(b"1", left, 3, Answer.MISS, stored=True)
    clock.tick(5)
    await group.get("k")
    assert source.lookups == ["k", "k"]


async def test_a_ttl_already_past_removes_the_old_value(clock: FakeClock) -> None:
    source = FakeSource({"k": b"old"})
    group = group_of(source, clock, ttl=10, stale_while_revalidate=100)
    await group.get("k")
    source.values["k"] = Value(b"new", ttl=-200)
    clock.tick(11)
    assert (await group.get("k")).data == b"old"
    await settled()
    source.values["k"] = b"newer"
    assert (await group.get("k")).data == b"newer"


async def test_jitter_spreads_expiries_within_its_bounds(clock: FakeClock) -> None:
    source = FakeSource({str(number): b"" for number in range(500)})
    group = group_of(source, clock, ttl=100, jitter=0.2)
    left = [(await group.get(key)).ttl for key in source.values]
    assert all(ttl is not None and 80 <= ttl <= 100 for ttl in left)
    assert len(set(left)) > 490


async def test_a_stale_value_is_answered_while_one_refresh_runs_behind(clock: FakeClock) -> None:
    source = FakeSource({"k": b"old"})
    group = group_of(source, clock, ttl=10, stale_while_revalidate=30)
    await group.get("k")
    source.values["k"] = b"new"
    source.gate.clear()
    clock.tick(15)
    stale = Value(b"old", -5, 15, Answer.STALE, terms=Terms(stale_while_revalidate=30))
    for _ in range(3):
        assert await group.get("k") == stale
    await settled()
    assert source.lookups == ["k", "k"]
    source.gate.set()
    await settled()
    assert await group.get("k") == Value(b"new", 10, 0, Answer.HIT, terms=stale.terms)
    assert group.stats().stale_hits == 3


async def test_past_both_grace_times_the_value_is_loaded_anew(clock: FakeClock) -> None:
    source = FakeSource({"k": b"old"})
    group = group_of(source, clock, ttl=10, stale_while_revalidate=30, stale_if_error=60)
    await group.get("k")
    source.values["k"] = b"new"
    clock.tick(45)
    assert (await group.get("k")).data == b"new"


async def test_with_the_source_down_for_longer_than_the_ttl_every_cached_key_is_answered(
    clock: FakeClock,
) -> None:
    source = FakeSource({str(number): b"%d" % number for number in range(50)})
    group = group_of(source, clock, ttl=10, stale_if_error=600)
    for key in source.values:
        await group.get(key)
    source.error = ConnectionRefusedError()
    for _ in range(5):
        clock.tick(100)
        for key, data in source.values.items():
            value = await group.get(key)
            assert (value.data, value.answer) == (data, Answer.STALE_ERROR)
            await settled()
    stats = group.stats()
    assert (stats.stale_hits, stats.stale_errors) == (250, 250)
    assert stats.load_errors == stats.loads - 50 > 0
    source.error = None
    clock.tick(2)
    await group.get("0")
    await settled()
    assert (await group.get("0")).answer is Answer.HIT
    clock.tick(601)
    source.error = ConnectionRefusedError()
    with pytest.raises(SourceUnavailable):
        await group.get("1")


async def test_a_source_that_hangs_is_down_for_those_who_have_a_stale_value(
    clock: FakeClock,
) -> None:
    source = FakeSource({"k": b"old"})
    group = group_of(source, clock, ttl=10, stale_if_error=600, load_timeout=0.01)
    await group.get("k")
    source.gate.clear()
    clock.tick(11)
    value = Value(b"old", -1, 11, Answer.STALE_ERROR, terms=Terms(stale_if_error=600))
    assert await group.get("k") == value
    with pytest.raises(SourceUnavailable, match="gave no answer in 0"):
        await group.get("never seen")


async def test_a_failing_source_is_asked_again_only_after_a_pause(clock: FakeClock) -> None:
    source = FakeSource({"k": b"old"})
    group = group_of(source, clock, ttl=10, stale_while_revalidate=600)
    await group.get("k")
    source.error = ConnectionRefusedError()
    clock.tick(11)
    for _ in range(10):
        await group.get("k")
        await settled()
    assert source.lookups == ["k", "k"]
    clock.tick(1)
    await group.get("k")
    await settled()
    assert source.lookups == ["k", "k", "k"]


async def test_who_asks_while_a_healthy_source_is_slow_gets_what_it_says(clock: FakeClock) -> None:
    source = FakeSource({"k": b"old"})
    group = group_of(source, clock, ttl=10, stale_if_error=600)
    await group.get("k")
    source.values["k"] = b"new"
    source.gate.clear()
    clock.tick(11)
    gets = [asyncio.create_task(group.get("k")) for _ in range(3)]
    await settled()
    source.gate.set()
    assert [(await get).data for get in gets] == [b"new"] * 3
    stats = group.stats()
    assert (stats.misses, stats.stale_hits, stats.loads) == (4, 0, 2)


async def test_a_get_that_falls_back_is_a_stale_hit_and_no_miss(clock: FakeClock) -> None:
    source = FakeSource({"k": b"old"})
    group = group_of(source, clock, ttl=10, stale_if_error=600)
    await group.get("k")
    source.error = ConnectionRefusedError()
    clock.tick(11)
    await group.get("k")
    stats = group.stats()
    assert (stats.misses, stats.stale_hits, stats.stale_errors) == (1, 1, 1)


async def test_a_failing_source_is_refreshed_ahead_once_a_pause_and_no_more(
    clock: FakeClock,
) -> None:
    source = FakeSource({"k": b"old"})
    group = group_of(source, clock, ttl=60, refresh_ahead=20)
    await group.get("k")
    source.error = ConnectionRefusedError()
    clock.tick(59.9)
    for _ in range(50):
        await group.get("k")
        await settled()
    assert source.lookups == ["k", "k"]


async def test_a_key_that_always_fails_keeps_no_other_from_being_refreshed(
    clock: FakeClock,
) -> None:
    async def load(key: str) -> bytes:
        if key == "poison":
            raise ValueError
        return b"%d" % clock.now

    group = Group(
        "g", load, GroupSettings(ttl=10, jitter=0, stale_while_revalidate=600), clock=clock
    )
    await group.get("k")
    clock.tick(11)
    with pytest.raises(RetrieverFailed):
        await group.get("poison")
    assert (await group.get("k")).data == b"1000"
    await settled()
    assert (await group.get("k")).data == b"1011"


async def test_when_all_give_up_on_a_hanging_source_it_is_still_found_to_fail(
    clock: FakeClock,
) -> None:
    source = FakeSource({"k": b"old"})
    group = group_of(source, clock, ttl=10, stale_if_error=600, load_timeout=0.05)
    await group.get("k")
    clock.tick(11)
    source.gate.clear()
    source.asked.clear()
    giving_up = asyncio.create_task(group.get("k"))
    await source.asked.wait()
    giving_up.cancel()
    await asyncio.gather(giving_up, return_exceptions=True)
    assert source.cancelled == []
    await source.left.wait()
    await settled()
    assert group.stats().load_errors == 1
    assert (await group.get("k")).answer is Answer.STALE_ERROR


async def test_a_missing_key_is_remembered_for_its_negative_ttl(clock: FakeClock) -> None:
    source = FakeSource()
    group = group_of(source, clock, negative_ttl=5)
    for _ in range(3):
        with pytest.raises(NotFound, match=r"^k not exist$"):
            await group.get("k")
    assert source.lookups == ["k"]
    assert group.stats().negative_hits == 2
    clock.tick(5)
    source.values["k"] = b"1"
    assert (await group.get("k")).data == b"1"


async def test_negative_entries_keep_within_a_twentieth_of_the_budget(clock: FakeClock) -> None:
    group = group_of(FakeSource(), clock, negative_ttl=5, capacity="1MiB")
    for number in range(1000):
        with pytest.raises(NotFound):
            await group.get(str(number))
    negatives = group.stats().negatives
    assert 0 < negatives.bytes <= negatives.capacity == 1024 * 1024 // 20


async def test_a_key_that_the_source_drops_is_gone_at_the_next_refresh(clock: FakeClock) -> None:
    source = FakeSource({"k": b"1"})
    group = group_of(source, clock, ttl=10, stale_while_revalidate=100)
    await group.get("k")
    del source.values["k"]
    clock.tick(11)
    await group.get("k")
    await settled()
    with pytest.raises(NotFound):
        await group.get("k")


async def test_a_hot_key_is_refreshed_before_it_expires_and_never_waited_for(
    clock: FakeClock,
) -> None:
    source = FakeSource({"hot": b"1", "cold": b"1"})
    group = group_of(source, clock, ttl=60, refresh_ahead=10)
    await group.get("hot")
    await group.get("cold")
    source.lookups.clear()
    for _ in range(590):
        clock.tick(0.1)
        assert (await group.get("hot")).answer is Answer.HIT
        await settled()
    assert source.lookups == ["hot"]


async def test_what_expired_is_freed_without_another_access(clock: FakeClock) -> None:
    source = FakeSource({str(number): b"x" * 100 for number in range(3000)})
    group = group_of(source, clock, ttl=10)
    for key in source.values:
        await group.get(key)
    assert group.stats().cache.entries == 3000
    clock.tick(12)
    assert group.sweep() == 2000
    assert group.sweep() == 1000
    assert group.sweep() == 0
    assert group.stats().cache.bytes == 0
