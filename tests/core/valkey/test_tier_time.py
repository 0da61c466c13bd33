"""How long things last in the second tier, by its store's clock."""

import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest
from fake_redis.server import FakeRedis, fake_redis
from fakes import FakeClock
from sources.tier_calls import PATIENT, data_of, load, looked, put

from cache_core.valkey.tier import LONGEST_LOAD, ValkeyTier, open_tier
from cache_core.value import Value

NAME = b"gaocache:{g:Tom}"


@pytest.fixture
def server(clock: FakeClock) -> Iterator[FakeRedis]:
    with fake_redis(clock=clock) as started:
        yield started


@pytest.fixture
async def tier(server: FakeRedis) -> AsyncIterator[ValkeyTier]:
    async with contextlib.aclosing(open_tier(server.url, group="g", timeout=PATIENT)) as opened:
        yield opened


async def test_a_value_grows_old_in_the_store(tier: ValkeyTier, clock: FakeClock) -> None:
    await load(tier, Value(b"630", ttl=60.0, age=5.0))
    clock.tick(12.25)
    value = (await looked(tier)).value
    assert value is not None
    assert (value.ttl, value.age) == (47.75, 17.25)


async def test_a_value_whose_time_is_over_is_not_answered(
    tier: ValkeyTier, clock: FakeClock
) -> None:
    await load(tier, Value(b"630", ttl=60.0))
    clock.tick(59.5)
    assert await data_of(tier) == b"630"
    clock.tick(0.5)  # its last millisecond has begun, so that it is there with no time left
    assert await data_of(tier) is None
    clock.tick(1)
    assert await data_of(tier) is None


@pytest.mark.parametrize("microseconds", [0, 7, 50_000, 999_999])
async def test_the_age_is_right_at_any_time_of_the_second(
    tier: ValkeyTier, clock: FakeClock, microseconds: int
) -> None:
    clock.tick(microseconds / 1e6)
    await load(tier, Value(b"630"))
    clock.tick(3.0)
    value = (await looked(tier)).value
    assert value is not None
    assert value.age == pytest.approx(3.0, abs=1e-5)


async def test_a_store_whose_clock_goes_back_makes_nothing_younger(
    tier: ValkeyTier, clock: FakeClock
) -> None:
    await load(tier, Value(b"630", age=5.0))
    clock.tick(-100)
    value = (await looked(tier)).value
    assert value is not None
    assert value.age == 5.0


async def test_a_load_may_take_so_long_and_leaves_nothing_behind_after(
    server: FakeRedis, tier: ValkeyTier, clock: FakeClock
) -> None:
    before = await looked(tier)
    clock.tick(LONGEST_LOAD - 1)
    await put(tier, before.state, Value(b"630"))
    assert await data_of(tier) == b"630"
    late = await looked(tier, "Jack")
    assert b"gaocache:{g:Jack}" in server.data.names()
    clock.tick(LONGEST_LOAD + 1)
    assert b"gaocache:{g:Jack}" not in server.data.names()
    await put(tier, late.state, Value(b"589"), "Jack")
    assert await data_of(tier, "Jack") is None


async def test_a_value_that_is_over_takes_no_room(
    server: FakeRedis, tier: ValkeyTier, clock: FakeClock
) -> None:
    await load(tier, Value(b"630", ttl=60.0))
    assert NAME in server.data.names()
    clock.tick(61)
    assert NAME not in server.data.names()


async def test_what_has_no_ttl_stays(tier: ValkeyTier, clock: FakeClock) -> None:
    await load(tier, Value(b"630"))
    clock.tick(1e8)
    value = (await looked(tier)).value
    assert value is not None
    assert (value.data, value.ttl, value.age) == (b"630", None, 1e8)
