"""A group that takes other settings holds to them in all that it does from then on."""

import asyncio

import pytest
from fake_tier import FakeTier, group_at
from fakes import FakeClock, FakeSource, group_of, settled

from cache_core import Answer, NotFound, SourceUnavailable, Value
from cache_core.settings import MIB


@pytest.fixture
def source() -> FakeSource:
    return FakeSource({"Tom": b"630", "Jack": b"589"})


async def test_a_new_grace_holds_for_gets(source: FakeSource, clock: FakeClock) -> None:
    group = group_of(source, clock, ttl=10, stale_if_error=600)
    await group.get("Tom")
    await group.follow(group_of(source, clock, ttl=10, stale_while_revalidate=600))
    clock.tick(11)
    assert (await group.get("Tom")).answer is Answer.STALE


async def test_a_new_media_type_goes_with_hits_misses_and_what_is_peeked(
    source: FakeSource, clock: FakeClock
) -> None:
    group = group_of(source, clock, content_type="text/css")
    await group.get("Tom")
    await group.follow(group_of(source, clock, content_type="text/plain"))
    held = group.peek("Tom")
    assert held is not None
    values = held, await group.get("Tom"), await group.get("Jack")
    assert [value.terms.content_type for value in values] == ["text/plain"] * 3


async def test_where_the_group_has_a_media_type_no_more_the_sources_is_told(
    source: FakeSource, clock: FakeClock
) -> None:
    group = group_of(source, clock, content_type="text/css")
    await group.follow(group_of(source, clock))
    assert (await group.get("Tom")).terms.content_type == ""


async def test_a_new_budget_is_shared_anew(source: FakeSource, clock: FakeClock) -> None:
    group = group_of(source, clock, capacity="2MiB")
    small = group_of(source, clock, capacity="1MiB", negative_ttl=5)
    await group.follow(small, reserve=0.25)
    entries = MIB - MIB // 20 - MIB // 4
    assert group.stats().cache.capacity == entries
    assert group.stats().negatives.capacity == MIB // 20
    assert group.reserve(0.5) == MIB // 2
    assert group.stats().cache.capacity == MIB - MIB // 20 - MIB // 2


async def test_a_larger_budget_is_used_whole(source: FakeSource, clock: FakeClock) -> None:
    group = group_of(source, clock, capacity="1MiB")
    await group.follow(group_of(source, clock, capacity="4MiB"))
    assert group.stats().cache.capacity == 4 * MIB


async def test_where_failures_were_not_remembered_they_are_from_then_on(
    source: FakeSource, clock: FakeClock
) -> None:
    group = group_of(source, clock, ttl=10)
    await group.get("Tom")
    await group.follow(group_of(source, clock, ttl=10, stale_while_revalidate=600))
    await group.get("Jack")
    clock.tick(11)
    source.lookups.clear()
    source.error = ConnectionRefusedError()
    for _ in range(5):
        await group.get("Jack")
        await settled()
    assert source.lookups == ["Jack"]


@pytest.mark.parametrize(("before", "after"), [(60, 5), (5, 60)])
async def test_a_missing_key_is_remembered_for_as_long_as_the_new_settings_say(
    source: FakeSource, clock: FakeClock, before: float, after: float
) -> None:
    group = group_of(source, clock, negative_ttl=before)
    await group.follow(group_of(source, clock, negative_ttl=after))
    with pytest.raises(NotFound) as raised:
        await group.get("no")
    assert raised.value.ttl == after


async def test_a_new_time_limit_holds_for_loads(source: FakeSource, clock: FakeClock) -> None:
    group = group_of(source, clock, load_timeout=3600)
    await group.follow(group_of(source, clock, load_timeout=0.01))
    source.gate.clear()
    async with asyncio.timeout(5):
        with pytest.raises(SourceUnavailable, match=r"gave no answer in 0\.01 s"):
            await group.get("Tom")


async def test_with_the_same_ttl_what_its_source_gave_a_longer_one_keeps_it(
    source: FakeSource, clock: FakeClock
) -> None:
    source.values["Tom"] = Value(b"630", ttl=600)
    group = group_of(source, clock, ttl=10)
    await group.get("Tom")
    await group.follow(group_of(source, clock, ttl=10, max_value=100))
    assert (await group.get("Tom")).ttl == 600


@pytest.mark.parametrize("graces", [(30, 60), (60, 30)])
async def test_what_a_shorter_ttl_ends_has_the_longer_of_the_new_graces(
    source: FakeSource, clock: FakeClock, graces: tuple[float, float]
) -> None:
    revalidate, on_error = graces
    group = group_of(source, clock, ttl=3600)
    await group.get("Tom")
    new = {"stale_while_revalidate": revalidate, "stale_if_error": on_error}
    await group.follow(group_of(source, clock, ttl=10, **new))
    clock.tick(69)
    assert group.sweep() == 0
    clock.tick(3)
    assert group.sweep() == 1


async def test_a_change_that_is_broken_off_still_lets_go_of_the_old_source(
    source: FakeSource, clock: FakeClock
) -> None:
    group = group_of(source, clock, ttl=3600)
    for number in range(5_000):
        group.put(str(number), Value(b"", ttl=60))
    changing = asyncio.ensure_future(group.follow(group_of(FakeSource(), clock, ttl=10)))
    await asyncio.sleep(0)
    assert not source.closed
    changing.cancel()
    await asyncio.gather(changing, return_exceptions=True)
    assert source.closed


async def test_a_removal_that_the_new_tier_takes_late_is_told(
    source: FakeSource, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cache_core.loading.tier_removals.RETRY_SECONDS", 0.001)
    tier = FakeTier(clock)
    told: list[str | None] = []
    group = group_at(source, tier, clock)
    group.on_removed_beyond(told.append)
    await group.follow(group_at(source, tier, clock))
    tier.gone = True
    assert not await group.remove_beyond("Tom")
    assert told == []
    tier.gone = False
    await tier.taken.wait()
    await settled()
    assert told == ["Tom"]
    await group.aclose()


async def test_of_a_tier_no_more_is_removed_than_the_key(
    source: FakeSource, clock: FakeClock
) -> None:
    tier = FakeTier(clock)
    group = group_at(source, tier, clock)
    await group.get("Tom")
    await group.get("Jack")
    assert await group.remove_beyond("Tom")
    held = {key: at.value is not None for key, at in (await tier.look(["Tom", "Jack"])).items()}
    assert held == {"Tom": False, "Jack": True}
    await group.aclose()
