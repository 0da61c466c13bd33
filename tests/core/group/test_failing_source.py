"""What one failed load means for later gets, of the same key and of others."""

import asyncio

import pytest
from fakes import FakeClock, FakeSource, group_of, settled

from cache_core import Answer, Group, Overloaded, RetrieverFailed, SourceUnavailable, Value
from cache_core.group.failures import RETRY_PAUSE

STALE = {"ttl": 10, "stale_if_error": 600}


async def at_once(group: Group, key: str) -> Value:
    """Get `key` where nothing may be waited for."""
    get = asyncio.create_task(group.get(key))
    await settled()
    assert get.done()
    return get.result()


async def holding_stale(source: FakeSource, clock: FakeClock, **settings: object) -> Group:
    """Return a group that holds all values of the source, past their TTL."""
    group = group_of(source, clock, **(STALE | settings))
    for key in source.values:
        await group.get(key)
    source.lookups.clear()
    clock.tick(11)
    return group


@pytest.fixture
def source() -> FakeSource:
    return FakeSource({"one": b"1", "other": b"2"})


async def failing(source: FakeSource, group: Group, error: Exception, key: str = "one") -> Value:
    """Have the source fail once, at a get of `key`; return what that is answered with."""
    source.error = error
    value = await group.get(key)
    source.error = None
    return value


async def test_once_the_source_is_known_to_be_down_no_other_key_waits_for_it(
    source: FakeSource, clock: FakeClock
) -> None:
    group = await holding_stale(source, clock)
    await failing(source, group, ConnectionRefusedError())
    source.gate.clear()
    assert (await at_once(group, "other")).answer is Answer.STALE_ERROR
    await group.aclose()


async def test_an_odd_error_of_one_key_does_not_make_a_source_that_is_down_well(
    source: FakeSource, clock: FakeClock
) -> None:
    group = await holding_stale(source, clock)
    await failing(source, group, ConnectionRefusedError())
    source.error = ValueError()
    with pytest.raises(RetrieverFailed):
        await group.get("odd")
    source.gate.clear()
    assert (await at_once(group, "other")).answer is Answer.STALE_ERROR
    await group.aclose()


async def test_an_error_of_one_key_says_nothing_of_the_others(
    source: FakeSource, clock: FakeClock
) -> None:
    group = await holding_stale(source, clock)
    await failing(source, group, ValueError())
    assert (await group.get("other")).answer is Answer.MISS


async def test_a_key_that_failed_is_not_waited_for_until_the_pause_is_over(
    source: FakeSource, clock: FakeClock
) -> None:
    group = await holding_stale(source, clock)
    await failing(source, group, ValueError())
    source.gate.clear()
    assert (await at_once(group, "one")).answer is Answer.STALE_ERROR
    assert source.lookups == ["one"]
    source.gate.set()
    clock.tick(RETRY_PAUSE)
    assert (await group.get("one")).answer is Answer.MISS


@pytest.mark.parametrize("answer", [b"1", None])
async def test_a_source_that_answers_again_is_asked_first_again(
    source: FakeSource, clock: FakeClock, answer: bytes | None
) -> None:
    group = await holding_stale(source, clock)
    await failing(source, group, ConnectionRefusedError())
    clock.tick(RETRY_PAUSE)
    source.values["one"] = answer
    assert (await group.get("one")).answer is Answer.STALE_ERROR
    await settled()
    assert source.lookups == ["one", "one"]
    assert (await group.get("other")).answer is Answer.MISS


async def test_a_get_that_finds_no_place_is_answered_with_what_is_stale(
    source: FakeSource, clock: FakeClock
) -> None:
    group = await holding_stale(source, clock, load_concurrency=1, load_queue=0)
    source.gate.clear()
    loading = asyncio.create_task(group.get("other"))
    await settled()
    assert (await at_once(group, "one")).answer is Answer.STALE_ERROR
    with pytest.raises(Overloaded):
        await group.get("not held")
    source.gate.set()
    await loading
    assert (await group.get("one")).answer is Answer.MISS


async def test_what_outlives_its_grace_while_its_load_fails_is_not_answered(
    source: FakeSource, clock: FakeClock
) -> None:
    group = await holding_stale(source, clock)
    source.gate.clear()
    loading = asyncio.create_task(group.get("one"))
    await settled()
    clock.tick(600)
    source.error = ConnectionRefusedError()
    source.gate.set()
    with pytest.raises(SourceUnavailable):
        await loading


async def test_keys_that_failed_are_freed_once_their_pause_is_over(clock: FakeClock) -> None:
    source = FakeSource()
    source.error = ValueError()
    group = group_of(source, clock, **STALE)
    for number in range(10):
        with pytest.raises(RetrieverFailed):
            await group.get(str(number))
    assert group.sweep() == 0
    clock.tick(2 * RETRY_PAUSE)
    assert group.sweep() == 10


async def test_times_that_are_no_floats_are_the_sources_error(clock: FakeClock) -> None:
    source = FakeSource({"ttl": Value(b"", ttl=10**400), "age": Value(b"", age=10**400)})
    group = group_of(source, clock)
    for key in source.values:
        with pytest.raises(RetrieverFailed, match="of too many digits"):
            await group.get(key)


async def test_a_source_that_fails_late_is_left_alone_from_then_on(
    source: FakeSource, clock: FakeClock
) -> None:
    group = await holding_stale(source, clock, stale_if_error=0, stale_while_revalidate=600)
    source.gate.clear()
    source.error = ConnectionRefusedError()
    await at_once(group, "one")
    await source.asked.wait()
    clock.tick(10 * RETRY_PAUSE)
    source.gate.set()
    await settled()
    for _ in range(3):
        await at_once(group, "one")
        await settled()
    assert source.lookups == ["one"]
    clock.tick(RETRY_PAUSE)
    await at_once(group, "one")
    await settled()
    assert source.lookups == ["one", "one"]
