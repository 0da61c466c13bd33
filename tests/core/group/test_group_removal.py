"""After a removal, nothing that was loaded before it is answered or stored."""

import asyncio

import pytest
from fake_tier import FakeTier, group_at
from fakes import FakeClock, FakeSource, group_of, settled
from virtual_time import after, in_virtual_time

from cache_core import Answer, NotFound, SourceUnavailable, Value
from cache_core.loading.tier_removals import RETRY_SECONDS


@pytest.mark.parametrize("how", ["remove", "flush"])
async def test_a_load_that_began_before_a_removal_is_answered_and_never_stored(
    clock: FakeClock, how: str
) -> None:
    source = FakeSource({"k": b"old"})
    group = group_of(source, clock, ttl=10)
    source.gate.clear()
    early = asyncio.create_task(group.get("k"))
    await source.asked.wait()
    group.remove("k") if how == "remove" else group.flush()
    late = asyncio.create_task(group.get("k"))
    await settled()
    assert source.lookups == ["k", "k"]
    source.values["k"] = b"new"
    source.gate.set()
    await asyncio.gather(early, late)
    assert (await group.get("k")).answer is Answer.HIT
    assert (await late).answer is Answer.MISS


async def test_a_not_found_that_began_before_a_removal_is_not_remembered(clock: FakeClock) -> None:
    source = FakeSource()
    group = group_of(source, clock, negative_ttl=60)
    source.gate.clear()
    early = asyncio.create_task(group.get("k"))
    await source.asked.wait()
    group.remove("k")
    source.gate.set()
    with pytest.raises(NotFound):
        await early
    source.values["k"] = b"1"
    assert (await group.get("k")).data == b"1"


async def test_no_stale_value_is_answered_after_its_removal(clock: FakeClock) -> None:
    source = FakeSource({"k": b"old"})
    group = group_of(source, clock, ttl=10, stale_if_error=600)
    await group.get("k")
    clock.tick(11)
    source.gate.clear()
    source.asked.clear()
    source.error = ConnectionRefusedError()
    falling_back = asyncio.create_task(group.get("k"))
    await source.asked.wait()
    assert group.remove("k")
    source.gate.set()
    with pytest.raises(SourceUnavailable):
        await falling_back


async def test_what_was_loaded_before_a_removal_is_not_told_as_stored_though_a_later_load_is(
    clock: FakeClock,
) -> None:
    source = FakeSource({"k": b"old"})
    group = group_of(source, clock, ttl=10)
    source.gate.clear()
    early = asyncio.create_task(group.get("k"))
    await source.asked.wait()
    group.remove("k")
    held = Value(b"new")
    assert group.put("k", held)
    source.gate.set()
    assert not (await early).stored
    group.remove("k")
    assert (await group.get("k")).stored


@in_virtual_time
async def test_a_removal_that_the_tier_takes_late_is_told_of() -> None:
    clock = FakeClock()
    tier = FakeTier(clock)
    group = group_at(FakeSource(), tier, clock)
    told: list[str | None] = []
    group.on_removed_beyond(told.append)
    tier.gone = True
    for key in ("k", None):
        assert not await group.remove_beyond(key)
    assert told == []
    tier.gone = False
    await after(RETRY_SECONDS)
    assert told == ["k", None]
    await group.aclose()
