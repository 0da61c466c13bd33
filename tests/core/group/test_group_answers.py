"""What a group's answers say beside the value: if it is held, the terms, a missing key's end."""

import asyncio

import pytest
from fake_tier import FakeTier, group_at
from fakes import FakeClock, FakeSource, group_of

from cache_core import NotFound, Terms, Value


async def test_a_missing_key_says_for_how_long_it_is_remembered(clock: FakeClock) -> None:
    group = group_of(FakeSource(), clock, negative_ttl=5)
    for left in (5, 2):
        with pytest.raises(NotFound) as raised:
            await group.get("k")
        assert raised.value.ttl == left
        clock.tick(3)


@pytest.mark.parametrize("negative_ttl", [0, 5])
async def test_a_missing_key_that_is_not_remembered_says_nothing(
    clock: FakeClock, negative_ttl: float
) -> None:
    source = FakeSource()
    group = group_of(source, clock, negative_ttl=negative_ttl)
    source.gate.clear()
    asking = asyncio.create_task(group.get("k"))
    await source.asked.wait()
    group.remove("k")
    source.gate.set()
    with pytest.raises(NotFound) as raised:
        await asking
    assert raised.value.ttl is None


async def test_a_loaded_value_says_whether_it_is_held(clock: FakeClock) -> None:
    source = FakeSource({"k": b"1", "large": bytes(101), "past": Value(b"1", ttl=0)})
    group = group_of(source, clock, max_value=100)
    assert [(await group.get(key)).stored for key in source.values] == [True, False, False]


async def test_a_value_removed_while_it_loaded_is_not_held(clock: FakeClock) -> None:
    source = FakeSource({"k": b"1"})
    group = group_of(source, clock)
    source.gate.clear()
    asking = asyncio.create_task(group.get("k"))
    await source.asked.wait()
    group.remove("k")
    source.gate.set()
    assert not (await asking).stored


async def test_every_value_carries_what_the_group_says_of_all(clock: FakeClock) -> None:
    source = FakeSource({"k": b"1"})
    group = group_of(
        source, clock, ttl=60, stale_while_revalidate=5, stale_if_error=9, content_type="text/css"
    )
    terms = Terms(5, 9, "text/css")
    assert (await group.get("k")).terms == terms
    assert (await group.get("k")).terms == terms
    held = group.peek("k")
    assert held is not None
    assert held.terms == terms
    clock.tick(61)
    assert (await group.get("k")).terms == terms


async def test_a_key_that_the_source_lacks_is_missing_though_the_tier_is_gone(
    clock: FakeClock,
) -> None:
    tier = FakeTier(clock)
    tier.gone = True
    group = group_at(FakeSource(), tier, clock)
    with pytest.raises(NotFound):
        await group.get("k")
