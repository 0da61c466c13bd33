"""From when on a value's times count, and for how long it and a missing key are held."""

import asyncio

import pytest
from fake_tier import FakeTier, group_at
from fakes import FakeClock, FakeSource, group_of, settled

from cache_core import Answer, Demand, NotFound, SourceUnavailable, Value


async def test_a_value_is_as_old_as_the_beginning_of_its_load(clock: FakeClock) -> None:
    source = FakeSource({"k": b"1", "own": Value(b"1", ttl=5, age=1)})
    group = group_of(source, clock, ttl=10)
    source.gate.clear()
    loading = [asyncio.create_task(group.get(key)) for key in ("k", "own")]
    await settled()
    clock.tick(3)
    source.gate.set()
    assert [(value.ttl, value.age) for value in await asyncio.gather(*loading)] == [(7, 3), (2, 4)]
    held = await group.get("k")
    assert (held.answer, held.ttl) == (Answer.HIT, 7)


async def test_the_time_in_the_queue_takes_nothing_off_a_values_life(clock: FakeClock) -> None:
    source = FakeSource({"first": b"1", "second": b"2"})
    group = group_of(source, clock, ttl=10, load_concurrency=1)
    source.gate.clear()
    first = asyncio.create_task(group.get("first"))
    await settled()
    second = asyncio.create_task(group.get("second"))
    await settled()
    clock.tick(8)
    source.gate.set()
    assert ((await first).ttl, (await second).ttl) == (2, 10)


async def test_a_value_that_is_stale_at_once_is_there_when_the_source_fails(
    clock: FakeClock,
) -> None:
    source = FakeSource({"k": Value(b"1", ttl=0)})
    group = group_of(source, clock, stale_if_error=60)
    assert (await group.get("k")).stored
    source.error = ConnectionRefusedError()
    assert (await group.get("k")).answer is Answer.STALE_ERROR


async def test_a_reload_that_fails_is_told_where_what_is_held_is_too_old_to_hide_it(
    clock: FakeClock,
) -> None:
    source = FakeSource({"k": b"1"})
    graces = {"stale_while_revalidate": 600, "stale_if_error": 60}
    group = group_of(source, clock, ttl=10, client_reload=True, **graces)
    await group.get("k")
    source.error = ConnectionRefusedError()
    clock.tick(70)
    with pytest.raises(SourceUnavailable):
        await group.get("k", Demand.NEW)
    assert (await group.get("k")).answer is Answer.STALE


async def test_all_who_share_a_reload_are_told_that_it_was_one(clock: FakeClock) -> None:
    source = FakeSource({"k": b"1"})
    group = group_of(source, clock, ttl=60, stale_if_error=600, client_reload=True)
    await group.get("k")
    values = await asyncio.gather(*(group.get("k", Demand.NEW) for _ in range(3)))
    assert [value.answer for value in values] == [Answer.RELOAD] * 3


@pytest.mark.parametrize("grace", ["stale_while_revalidate", "stale_if_error"])
async def test_what_is_stale_is_not_replaced_with_a_second_tiers_old_copy(
    clock: FakeClock, grace: str
) -> None:
    source, tier = FakeSource({"k": b"old"}), FakeTier(clock)
    await group_at(source, tier, clock, ttl=600).get("k")
    group = group_at(source, tier, clock, ttl=600, **{grace: 600})
    group.put("k", Value(b"old", ttl=5))
    source.values["k"] = b"new"
    clock.tick(6)
    await group.get("k")
    await settled()
    assert (await group.get("k")).data == b"new"
    await group.aclose()


async def test_a_key_that_came_into_being_is_looked_up_again_once_its_value_is_over(
    clock: FakeClock,
) -> None:
    source = FakeSource()
    group = group_of(source, clock, ttl=10, negative_ttl=60, client_reload=True)
    with pytest.raises(NotFound):
        await group.get("k")
    source.values["k"] = b"1"
    await group.get("k", Demand.NEW)
    clock.tick(11)
    assert (await group.get("k")).data == b"1"


async def test_after_a_flush_a_missing_key_is_looked_up_again(clock: FakeClock) -> None:
    source = FakeSource()
    group = group_of(source, clock, negative_ttl=60)
    with pytest.raises(NotFound):
        await group.get("k")
    source.values["k"] = b"1"
    group.flush()
    assert (await group.get("k")).data == b"1"


async def test_missing_keys_are_freed_once_their_time_is_over(clock: FakeClock) -> None:
    group = group_of(FakeSource(), clock, negative_ttl=5)
    for number in range(10):
        with pytest.raises(NotFound):
            await group.get(str(number))
    assert group.stats().negatives.entries == 10
    clock.tick(7)
    assert group.sweep() == 10
    negatives = group.stats().negatives
    assert (negatives.entries, negatives.bytes) == (0, 0)


async def test_a_message_that_utf_8_cannot_carry_is_still_a_not_found(clock: FakeClock) -> None:
    source = FakeSource()
    source.error = NotFound("no such file: a\udcff")
    group = group_of(source, clock, negative_ttl=60)
    for _ in range(2):
        with pytest.raises(NotFound, match="no such file: a"):
            await group.get("k")
    assert source.lookups == ["k"]


async def test_a_group_that_nobody_sweeps_frees_what_expired_as_it_loads(clock: FakeClock) -> None:
    source = FakeSource({str(number): b"" for number in range(110)})
    group = group_of(source, clock, ttl=10)
    for number in range(100):
        await group.get(str(number))
    clock.tick(12)
    for number in range(100, 110):
        await group.get(str(number))
    assert group.stats().cache.entries == 10
