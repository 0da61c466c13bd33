"""A group's gets that demand what is held, or what is new."""

import asyncio

import pytest
from fakes import FakeClock, FakeSource, group_of, settled

from cache_core import (
    Answer,
    Demand,
    Group,
    NotCached,
    NotFound,
    Overloaded,
    SourceUnavailable,
    Value,
)
from cache_core.errors import InvalidKey, KeyRequired

RELOADS = {"client_reload": True}


async def holding_k(clock: FakeClock, **settings: object) -> tuple[FakeSource, Group]:
    """Return a group that has got `k`, which is `1`, and its source."""
    source = FakeSource({"k": b"1"})
    group = group_of(source, clock, **settings)
    await group.get("k")
    return source, group


async def reloading_k(source: FakeSource, group: Group) -> asyncio.Task[Value]:
    """Return a reload of `k` that has asked the source, which waits."""
    source.asked.clear()
    source.gate.clear()
    loading = asyncio.create_task(group.get("k", Demand.NEW))
    await source.asked.wait()
    return loading


async def test_a_held_value_is_answered_without_the_source(clock: FakeClock) -> None:
    source, group = await holding_k(clock, ttl=60)
    clock.tick(59)
    assert await group.get("k", Demand.CACHED) == Value(b"1", 1, 59, Answer.HIT)
    assert source.lookups == ["k"]


async def test_what_is_not_held_is_not_loaded(clock: FakeClock) -> None:
    source = FakeSource({"k": b"1"})
    group = group_of(source, clock)
    with pytest.raises(NotCached, match="k is not cached"):
        await group.get("k", Demand.CACHED)
    assert source.lookups == []


async def test_who_wants_what_is_held_does_not_wait_for_a_load_under_way(clock: FakeClock) -> None:
    source = FakeSource({"k": b"1"})
    group = group_of(source, clock)
    source.gate.clear()
    loading = asyncio.create_task(group.get("k"))
    await source.asked.wait()
    with pytest.raises(NotCached):
        await group.get("k", Demand.CACHED)
    source.gate.set()
    await loading


async def test_a_stale_value_within_its_grace_is_held_and_not_refreshed(clock: FakeClock) -> None:
    source, group = await holding_k(clock, ttl=60, stale_while_revalidate=10, stale_if_error=100)
    clock.tick(65)
    value = await group.get("k", Demand.CACHED)
    assert (value.data, value.ttl, value.answer) == (b"1", -5, Answer.STALE)
    clock.tick(5)
    with pytest.raises(NotCached):
        await group.get("k", Demand.CACHED)
    await settled()
    assert source.lookups == ["k"]


async def test_a_value_about_to_expire_is_not_refreshed_early(clock: FakeClock) -> None:
    source, group = await holding_k(clock, ttl=60, refresh_ahead=29)
    clock.tick(59.999)
    for _ in range(20):
        assert (await group.get("k", Demand.CACHED)).answer is Answer.HIT
    await settled()
    assert source.lookups == ["k"]


async def test_a_remembered_missing_key_is_held_too(clock: FakeClock) -> None:
    group = group_of(FakeSource(), clock, negative_ttl=5)
    with pytest.raises(NotFound):
        await group.get("k")
    with pytest.raises(NotFound) as raised:
        await group.get("k", Demand.CACHED)
    assert raised.value.ttl == 5


@pytest.mark.parametrize("demand", Demand)
async def test_a_key_is_checked_whatever_is_demanded(clock: FakeClock, demand: Demand) -> None:
    group = group_of(FakeSource(), clock, **RELOADS)
    with pytest.raises(KeyRequired):
        await group.get("", demand)
    with pytest.raises(InvalidKey):
        await group.get("\udcff", demand)


async def test_a_new_value_is_loaded_in_place_of_what_is_held(clock: FakeClock) -> None:
    source, group = await holding_k(clock, ttl=60, **RELOADS)
    source.values["k"] = b"new"
    clock.tick(10)
    assert await group.get("k", Demand.NEW) == Value(b"new", 60, 0, Answer.RELOAD, stored=True)
    assert await group.get("k") == Value(b"new", 60, 0, Answer.HIT)


async def test_a_new_value_of_what_is_not_held_is_a_miss(clock: FakeClock) -> None:
    group = group_of(FakeSource({"k": b"1"}), clock, **RELOADS)
    assert (await group.get("k", Demand.NEW)).answer is Answer.MISS


async def test_many_who_want_a_new_value_make_one_load(clock: FakeClock) -> None:
    source, group = await holding_k(clock, **RELOADS)
    source.values["k"] = b"new"
    values = await asyncio.gather(*(group.get("k", Demand.NEW) for _ in range(50)))
    assert [(value.data, value.answer) for value in values] == [(b"new", Answer.RELOAD)] * 50
    assert source.lookups == ["k", "k"]


async def test_others_are_answered_from_memory_while_a_new_value_loads(clock: FakeClock) -> None:
    source, group = await holding_k(clock, **RELOADS)
    loading = await reloading_k(source, group)
    assert (await group.get("k")).answer is Answer.HIT
    source.gate.set()
    await loading


async def test_where_clients_may_not_reload_what_is_held_is_answered(clock: FakeClock) -> None:
    source, group = await holding_k(clock, negative_ttl=5)
    assert (await group.get("k", Demand.NEW)).answer is Answer.HIT
    for _ in range(2):
        with pytest.raises(NotFound):
            await group.get("none", Demand.NEW)
    assert source.lookups == ["k", "none"]


async def test_a_missing_key_is_looked_up_anew(clock: FakeClock) -> None:
    source = FakeSource()
    group = group_of(source, clock, negative_ttl=5, **RELOADS)
    with pytest.raises(NotFound):
        await group.get("k")
    source.values["k"] = b"1"
    assert (await group.get("k", Demand.NEW)).data == b"1"
    assert (await group.get("k")).data == b"1"


async def test_a_key_that_is_gone_when_loaded_anew_is_gone(clock: FakeClock) -> None:
    source, group = await holding_k(clock, **RELOADS)
    source.values.clear()
    with pytest.raises(NotFound):
        await group.get("k", Demand.NEW)
    assert group.peek("k") is None


async def test_a_failed_reload_fails_and_leaves_what_is_held(clock: FakeClock) -> None:
    source, group = await holding_k(clock, ttl=60, stale_while_revalidate=60, **RELOADS)
    source.error = ConnectionRefusedError()
    with pytest.raises(SourceUnavailable):
        await group.get("k", Demand.NEW)
    assert (await group.get("k")).answer is Answer.HIT
    clock.tick(61)
    with pytest.raises(SourceUnavailable):
        await group.get("k", Demand.NEW)


@pytest.mark.parametrize(
    ("age", "answer"), [(10, Answer.HIT), (65, Answer.STALE_ERROR), (90, Answer.STALE_ERROR)]
)
async def test_a_failed_reload_is_answered_with_what_is_held_where_errors_are(
    clock: FakeClock, age: float, answer: Answer
) -> None:
    source, group = await holding_k(
        clock, ttl=60, stale_while_revalidate=10, stale_if_error=60, **RELOADS
    )
    source.error = ConnectionRefusedError()
    clock.tick(age)
    value = await group.get("k", Demand.NEW)
    assert (value.data, value.age, value.answer) == (b"1", age, answer)
    await settled()
    assert source.lookups == ["k", "k"]


async def test_a_reload_that_nobody_waits_for_any_more_ends(clock: FakeClock) -> None:
    source, group = await holding_k(clock, **RELOADS)
    loading = await reloading_k(source, group)
    loading.cancel()
    await settled()
    assert source.cancelled == ["k"]


async def test_a_reload_waits_for_its_place_like_any_load(clock: FakeClock) -> None:
    source = FakeSource({"k": b"1", "other": b"2"})
    group = group_of(source, clock, load_concurrency=1, load_queue=0, **RELOADS)
    await group.get("k")
    source.asked.clear()
    source.gate.clear()
    loading = asyncio.create_task(group.get("other"))
    await source.asked.wait()
    with pytest.raises(Overloaded):
        await group.get("k", Demand.NEW)
    source.gate.set()
    await loading
